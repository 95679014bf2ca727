/** What every part of the page has at hand: the state, and what it may do. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { type Blocks, noBlocks } from './blocks.js'
import type { Edit } from '../edits.js'
import type { View } from '../fragment.js'
import type { ImageSource, Request } from './protocol.js'
import { type Event, start, type State } from './state.js'

export interface Explorer {
  readonly state: State
  readonly send: (request: Request) => void
  readonly dispatch: (event: Event) => void
  readonly openImage: (source: ImageSource) => void
  /** Selects byte `at` of the file; a step of the browser's history unless it is a `move` to a neighbour. */
  readonly go: (at: number, options?: { readonly view?: View; readonly move?: boolean }) => void
  readonly edit: (edits: readonly Edit[]) => void
}

const nothing = (): void => undefined

export const ExplorerContext = createContext<Explorer>({
  state: start,
  send: nothing,
  dispatch: nothing,
  openImage: nothing,
  go: nothing,
  edit: nothing
})

/** The blocks of the image, which change while rows are scrolled and nothing else does. */
export const BlocksContext = createContext<Blocks>(noBlocks)

export const useBlocks = (): Blocks => useContext(BlocksContext)

export const useExplorer = (): Explorer => useContext(ExplorerContext)
