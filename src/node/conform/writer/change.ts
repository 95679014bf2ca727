/** Changes that a writer is asked for. */
import type { ClauseId } from '../../../../spec/clauses/index.js'

/** A change. Offsets and lengths are bytes of the guest disk. */
export type Change =
  | { readonly _tag: 'Write' | 'Zero' | 'Discard'; readonly at: number; readonly length: number }
  | { readonly _tag: 'Flush' }
  | { readonly _tag: 'Snapshot'; readonly name: string }

/** What a writer must do: `either` where it may repair the image first or refuse it. */
export type Outcome = 'done' | 'refused' | 'either'

/** A row of the table of trials. */
export interface TrialRow {
  readonly clause: ClauseId
  readonly id: string
  readonly title: string
  /** The id of the vector whose image is changed. */
  readonly image: string
  readonly changes: readonly Change[]
  /** `done` unless it is given. */
  readonly outcome?: Outcome
}
