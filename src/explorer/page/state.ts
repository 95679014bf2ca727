/** The state of the page, and how it follows from what happens. */
import type { Contents } from '../contents.js'
import type { Edit } from '../edits.js'
import type { Place } from '../fragment.js'
import type { GuestMap } from '../guest-map.js'
import type { HostMap } from '../host-map.js'
import type { Node, Page } from '../outline.js'
import type { Selection } from '../selection.js'
import type { Summary } from '../summary.js'
import type { Verdict } from '../verdict.js'
import type { Reply } from './protocol.js'

/** What a narrow page shows. */
export type Pane = 'structures' | 'view' | 'selection'

export interface State {
  readonly isOpening: boolean
  /** The name of what is being opened. */
  readonly opening: string
  readonly error: string | undefined
  readonly summary: Summary | undefined
  readonly place: Place
  readonly pane: Pane
  /** Which of the images it is that the page opens one after the other. */
  readonly image: number
  /** Grows with what is known of the image. */
  readonly generation: number
  readonly isIndexed: boolean
  readonly selection: Selection | undefined
  readonly contents: Contents | undefined
  /** Whether a password is being tried, or was, and what came of it. */
  readonly lock: 'locked' | 'unlocking' | 'unlocked'
  readonly wrongPassword: string | undefined
  readonly verdict: Verdict | undefined
  /** Why there is none. */
  readonly unchecked: string | undefined
  /** The verdict before the first edit. */
  readonly original: Verdict | undefined
  readonly progress: string | undefined
  /** Nodes of the tree that are open, and the children that were read. */
  readonly open: ReadonlySet<string>
  readonly pages: ReadonlyMap<string, Page>
  readonly isEditing: boolean
  readonly edits: readonly Edit[]
  readonly strip: HostMap | undefined
  readonly hostMap: HostMap | undefined
  readonly guestMap: GuestMap | undefined
  readonly stopped: string | undefined
  /** How the guest byte that was chosen last is stored. */
  readonly guestPlace: { readonly guest: number; readonly at: number | undefined; readonly how: string } | undefined
}

export const start: State = {
  isOpening: false,
  opening: '',
  error: undefined,
  summary: undefined,
  place: { at: 0, view: 'bytes' },
  pane: 'view',
  image: 0,
  generation: 0,
  isIndexed: false,
  selection: undefined,
  contents: undefined,
  lock: 'locked',
  wrongPassword: undefined,
  verdict: undefined,
  unchecked: undefined,
  original: undefined,
  progress: undefined,
  open: new Set(),
  pages: new Map<string, Page>(),
  isEditing: false,
  edits: [],
  strip: undefined,
  hostMap: undefined,
  guestMap: undefined,
  stopped: undefined,
  guestPlace: undefined
}

export type Event =
  | Reply
  | { readonly _tag: 'Opening'; readonly name: string }
  | { readonly _tag: 'Go'; readonly place: Place }
  | { readonly _tag: 'Pane'; readonly pane: Pane }
  | { readonly _tag: 'Toggle'; readonly id: string }
  | { readonly _tag: 'Editing'; readonly is: boolean }
  | { readonly _tag: 'Edited'; readonly edits: readonly Edit[] }
  | { readonly _tag: 'Unlocking' }
  | { readonly _tag: 'Dismiss' }
  | { readonly _tag: 'Close' }

const opened = (state: State, summary: Summary, edits: number): State => {
  if (edits > 0 || state.edits.length > 0 || state.summary?.name === summary.name)
    return {
      ...state,
      summary,
      isOpening: false,
      generation: state.generation + 1,
      isIndexed: false,
      pages: new Map<string, Page>()
    }
  return {
    ...start,
    image: state.image,
    place: { at: state.place.at < summary.fileLength ? state.place.at : 0, view: state.place.view },
    summary,
    generation: state.generation + 1,
    open: new Set(['active'])
  }
}

const toggled = (open: ReadonlySet<string>, id: string): ReadonlySet<string> => {
  const next = new Set(open)
  if (!next.delete(id)) next.add(id)
  return next
}

/** The pages of a table with one more. */
const withPage = (state: State, id: string, from: number, nodes: readonly Node[], next: number | undefined): State => {
  const before = from === 0 ? [] : (state.pages.get(id)?.nodes ?? [])
  return { ...state, pages: new Map([...state.pages, [id, { nodes: [...before, ...nodes], next }]]) }
}

const busy = { index: 'reading structures', check: 'checking' } as const

/** The next state. */
export const update = (state: State, event: Event): State => {
  switch (event._tag) {
    case 'Opening':
      return {
        ...start,
        image: state.image + 1,
        generation: state.generation,
        place: state.place,
        isOpening: true,
        opening: event.name
      }
    case 'Opened':
      return opened(state, event.summary, event.edits)
    case 'Go':
      return { ...state, place: event.place, contents: undefined }
    case 'Pane':
      return { ...state, pane: event.pane }
    case 'Toggle':
      return { ...state, open: toggled(state.open, event.id) }
    case 'Editing':
      return { ...state, isEditing: event.is }
    case 'Edited':
      return { ...state, edits: event.edits, original: state.original ?? state.verdict, verdict: undefined }
    case 'Children':
      return withPage(state, event.id, event.from, event.nodes, event.next)
    case 'Selected':
      return event.selection.at === state.place.at ? { ...state, selection: event.selection } : state
    case 'Contents':
      return event.at === state.place.at ? { ...state, contents: event.contents } : state
    case 'Unlocking':
      return { ...state, lock: 'unlocking', wrongPassword: undefined }
    case 'Unlocked':
      return event.failed === undefined
        ? { ...state, lock: 'unlocked', generation: state.generation + 1 }
        : { ...state, lock: 'locked', wrongPassword: event.failed }
    case 'HostMap':
      return event.of === 'strip' ? { ...state, strip: event.map } : { ...state, hostMap: event.map }
    case 'GuestMap':
      return { ...state, guestMap: event.map, stopped: event.stopped }
    case 'GuestPlace':
      return { ...state, guestPlace: { guest: event.guest, at: event.at, how: event.how } }
    case 'Progress':
      return { ...state, progress: `${busy[event.task]}: ${event.text} read` }
    case 'Indexed':
      return { ...state, isIndexed: true, progress: busy.check, generation: state.generation + 1 }
    case 'Checked':
      return { ...state, verdict: event.verdict, progress: undefined, generation: state.generation + 1 }
    case 'Unchecked':
      return { ...state, unchecked: event.text, progress: undefined }
    case 'Failed':
      return { ...state, error: event.reason, isOpening: false }
    case 'Dismiss':
      return { ...state, error: undefined }
    case 'Close':
      return { ...start, image: state.image, generation: state.generation + 1 }
    case 'Window':
    case 'Download':
      return state
  }
}
