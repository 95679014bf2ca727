/** The messages between the page and its worker. */
import type { MapRange } from '../cells.js'
import type { Contents } from '../contents.js'
import type { Edit } from '../edits.js'
import type { DiskChoice, GuestMap } from '../guest-map.js'
import type { HostMap } from '../host-map.js'
import type { Node, TableRef } from '../outline.js'
import type { Selection } from '../selection.js'
import type { Span } from '../spans.js'
import type { Summary } from '../summary.js'
import type { Verdict } from '../verdict.js'

/** Where an image is read from. */
export type ImageSource =
  | { readonly _tag: 'File'; readonly name: string; readonly blob: Blob }
  | { readonly _tag: 'Url'; readonly name: string; readonly url: string }

/** What a map of host clusters is for: the strip above the bytes, or the view of its own. */
export type MapUse = 'strip' | 'view'

/** What the page asks for. */
export type Request =
  | { readonly _tag: 'Open'; readonly source: ImageSource }
  | { readonly _tag: 'Children'; readonly id: string; readonly table: TableRef; readonly from: number }
  | { readonly _tag: 'Window'; readonly at: number; readonly length: number }
  | { readonly _tag: 'Select'; readonly at: number }
  | { readonly _tag: 'Contents'; readonly at: number }
  /** A password for the guest data. */
  | { readonly _tag: 'Unlock'; readonly password: string }
  | { readonly _tag: 'HostMap'; readonly of: MapUse; readonly range: MapRange }
  | { readonly _tag: 'GuestMap'; readonly range: MapRange; readonly disk: DiskChoice; readonly other?: DiskChoice }
  | { readonly _tag: 'GuestPlace'; readonly disk: DiskChoice; readonly guest: number }
  | { readonly _tag: 'Edits'; readonly edits: readonly Edit[] }
  | { readonly _tag: 'Download'; readonly what: 'image' | 'dump' }
  | { readonly _tag: 'Cancel' }

/** What the worker answers. Each message after `Opened` is about the last state of the image. */
export type Reply =
  | { readonly _tag: 'Opened'; readonly summary: Summary; readonly edits: number }
  | {
      readonly _tag: 'Children'
      readonly id: string
      readonly from: number
      readonly nodes: readonly Node[]
      readonly next: number | undefined
    }
  | { readonly _tag: 'Window'; readonly at: number; readonly bytes: Uint8Array; readonly spans: readonly Span[] }
  | { readonly _tag: 'Selected'; readonly selection: Selection }
  | { readonly _tag: 'Contents'; readonly contents: Contents | undefined; readonly at: number }
  | { readonly _tag: 'HostMap'; readonly of: MapUse; readonly map: HostMap }
  | { readonly _tag: 'GuestMap'; readonly map: GuestMap; readonly stopped?: string }
  | { readonly _tag: 'GuestPlace'; readonly guest: number; readonly at: number | undefined; readonly how: string }
  /** Whether guest data are decrypted now, and why not. */
  | { readonly _tag: 'Unlocked'; readonly failed: string | undefined }
  | { readonly _tag: 'Progress'; readonly task: 'index' | 'check'; readonly text: string }
  | { readonly _tag: 'Indexed'; readonly structures: number; readonly dropped: number }
  | { readonly _tag: 'Checked'; readonly verdict: Verdict }
  /** There is no verdict, and why. */
  | { readonly _tag: 'Unchecked'; readonly text: string }
  | { readonly _tag: 'Download'; readonly name: string; readonly blob: Blob }
  | { readonly _tag: 'Failed'; readonly reason: string }
