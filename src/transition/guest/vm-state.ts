/** Writing VM state: what is kept of a running machine, behind the guest disk in the active tree. */
import type { Plan } from '../../bytes/plan.js'
import { l1Coverage } from '../../format/geometry.js'
import type { Chain } from '../../image/guest/chain.js'
import { vmStateOffset } from '../../image/guest/vm-state.js'
import { growL1 } from '../engine/l1-table.js'
import { refuse, type Work } from '../engine/work.js'
import { mayEncode, writeBytes } from './write.js'

/**
 * Writes VM state from byte `position` of it on. The L1 table grows as far as it takes; guests see nothing of it.
 *
 * @see SNAP-12 and RS-02
 */
export function* writeVmState(w: Work, position: number, bytes: Uint8Array): Plan<void> {
  yield* mayEncode(w)
  if (bytes.length === 0) return
  const at = vmStateOffset(w.g, w.disk.size) + position
  const end = at + bytes.length
  if (!Number.isSafeInteger(end))
    yield* refuse('L1-03', `VM state at byte ${position}`, 'an exact number of bytes', { phase: 'limit' })
  yield* growL1(w, Math.ceil(end / l1Coverage(w.g)))
  const tree: Chain = [{ _tag: 'Image', disk: { ...w.disk, size: w.l1.entries * l1Coverage(w.g) } }]
  yield* writeBytes(w, at, bytes, tree)
}
