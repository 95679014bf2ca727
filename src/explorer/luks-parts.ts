/** The fields of a LUKS header and of its key slots, in the encryption area. */
import { toHex, viewOf } from '../bytes/octets.js'
import type { Placed } from '../bytes/struct.js'
import { luksHeader, luksSize, luksSlot, luksSlots, luksText } from '../format/luks.js'
import type { StructurePart } from '../image/dump/explain-parts.js'
import type { Region } from '../image/dump/regions.js'

/** A field and its place in the area. */
interface LuksField {
  readonly name: string
  readonly at: number
  readonly placed: Placed
}

const fieldsAt = (rows: readonly Placed[], start: number, before: string): readonly LuksField[] =>
  rows.map((placed) => ({ name: `${before}${placed.row.name}`, at: start + placed.at, placed }))

/** The fields of the header and of the eight slots, in the order of the file. */
const fields: readonly LuksField[] = [
  ...fieldsAt(luksHeader.rows, 0, ''),
  ...Array.from({ length: luksSlots }, (_, i) =>
    fieldsAt(luksSlot.rows, luksHeader.size + i * luksSlot.size, `key slot ${i}: `)
  ).flat()
]

const texts = ['cipher_name', 'cipher_mode', 'hash_spec', 'uuid']

/** The starts and sizes of the fields. Law: they follow each other without gaps up to the end of the slots. */
export const luksSpans: readonly { readonly at: number; readonly size: number; readonly name: string }[] = fields.map(
  ({ name, at, placed }) => ({ name, at, size: placed.row.as.size })
)

/** The field of a LUKS header that covers byte `offset` of the first piece of an encryption area; undefined elsewhere. */
export const luksPart = (r: Region, offset: number): readonly StructurePart[] | undefined => {
  if (r.structure !== 'encryption area' || (r.index ?? 0) > 0 || r.bytes.length < luksSize) return undefined
  const field = fields.find(({ at, placed }) => at <= offset && offset < at + placed.row.as.size)
  if (field === undefined) return undefined
  const { as, clause, doc, name } = field.placed.row
  const bytes = r.bytes.subarray(field.at, field.at + as.size)
  const value = as.get(viewOf(r.bytes), field.at)
  const shown = value instanceof Uint8Array ? (texts.includes(name) ? luksText(bytes) : toHex(bytes)) : Number(value)
  return [{ part: field.name, at: field.at, size: as.size, value: shown, clause, doc }]
}
