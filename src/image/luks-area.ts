/** The encryption area: the LUKS header in it, and its judgement. */
import * as E from 'fp-ts/lib/Either.js'
import { type Issue, issue } from '../bytes/issue.js'
import { type Plan, readAt } from '../bytes/plan.js'
import type { EncryptionPointer } from '../format/extension-payload.js'
import { clusterSize, type Geometry } from '../format/geometry.js'
import { hostEnd } from '../format/limits.js'
import {
  type LuksHeader,
  luksHeader,
  luksHeaderRules,
  type LuksSlot,
  luksSize,
  luksSlot,
  luksSlotRules,
  luksSlots
} from '../format/luks.js'

/** A LUKS header with its key slots. */
export interface LuksPartition {
  readonly header: LuksHeader
  readonly slots: readonly LuksSlot[]
}

/** Reads the LUKS header at the start of an area; `undefined` where no file can hold it. */
export function* readPartition({ offset }: EncryptionPointer): Plan<LuksPartition | undefined> {
  if (offset >= hostEnd) return undefined
  const bytes = yield* readAt(Number(offset), luksSize)
  const header = luksHeader.decode(bytes)
  if (E.isLeft(header)) return undefined
  const slots = Array.from({ length: luksSlots }, (_, i) =>
    luksSlot.decodeAt(bytes, luksHeader.size + i * luksSlot.size)
  )
  return { header: header.right, slots: slots.flatMap((s) => (E.isRight(s) ? [s.right] : [])) }
}

/** The issue of bytes after the area, in its last cluster, that are not 0. @see LUKS-02 */
function* slack({ offset, length }: EncryptionPointer, g: Geometry): Plan<readonly Issue[]> {
  const end = Number(offset + length)
  const size = clusterSize(g)
  if (end >= hostEnd || end % size === 0) return []
  const bytes = yield* readAt(end, size - (end % size))
  const first = bytes.findIndex((byte) => byte !== 0)
  if (first < 0) return []
  return [
    issue({
      clause: 'LUKS-02',
      phase: 'inconsistent',
      source: 'format',
      structure: 'encryption area',
      field: '',
      at: end + first,
      size: bytes.length - first,
      found: 'bytes other than 0 after the area in its last cluster',
      expected: 'zeros'
    })
  ]
}

/**
 * The issues of the area of an image that is encrypted by LUKS, whose header was read. A wrong magic number or version is
 * the only one reported.
 */
export function* judgeArea(
  pointer: EncryptionPointer,
  { header, slots }: LuksPartition,
  g: Geometry
): Plan<readonly Issue[]> {
  const at = Number(pointer.offset)
  const alone: readonly Issue[] = luksHeaderRules.judge(header, pointer, at)
  const other = alone.find(({ field }) => field === 'magic' || field === 'version')
  if (other !== undefined) return [other]
  const inSlots = slots.flatMap((slot, i) => {
    const before = slots.slice(0, i).map(({ keyMaterialOffset }) => keyMaterialOffset)
    return luksSlotRules.judge(slot, { ...header, before }, at + luksHeader.size + i * luksSlot.size)
  })
  return [...alone, ...inSlots, ...(yield* slack(pointer, g))]
}
