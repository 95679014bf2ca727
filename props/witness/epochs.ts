/** The writes of a command as a witness shows them: what each epoch wrote, by the names of the structures. */
import * as E from 'fp-ts/lib/Either.js'
import type { Flush, HostWrite } from '../../src/bytes/host-write.js'
import { fromMemory, runSync } from '../../src/bytes/plan.js'
import { regions } from '../../src/image/dump/regions.js'

/** The name of the structure that a byte of an image belongs to, where it is metadata. */
type Names = (at: number) => string | undefined

const namesIn = (image: Uint8Array): Names => {
  const found: { readonly name: string; readonly at: number; readonly end: number }[] = []
  runSync(regions(image.length), {
    read: fromMemory(image),
    emit: (item) => {
      if (item._tag !== 'Region') return
      const { structure, of, at, bytes } = item.region
      const owner = of === '' || of === 'active' ? '' : ` of ${of}`
      found.push({ name: at === 0 ? 'header' : `${structure}${owner}`, at, end: at + bytes.length })
    }
  })
  return (at) => found.find((one) => one.at <= at && at < one.end)?.name
}

const nameOf = (w: Exclude<HostWrite, Flush>, names: readonly Names[]): string => {
  if (w._tag === 'Truncate') return 'truncate'
  if (w.file.part === 'data') return w._tag === 'Punch' ? 'punch of the data file' : 'data file'
  const name = names.reduce<string | undefined>((known, of) => known ?? of(w.at), undefined)
  return `${w._tag === 'Punch' ? 'punch of ' : ''}${name ?? 'data'}`
}

/** A line for each epoch, with what it wrote in the order of the alphabet, and a line `flush` between two. */
export const epochLines = (writes: readonly HostWrite[], before: Uint8Array, after: Uint8Array): readonly string[] => {
  const names = [namesIn(after), namesIn(before)]
  const lines: string[] = []
  let epoch = new Set<string>()
  const close = (): void => {
    if (epoch.size === 0) return
    if (lines.length > 0) lines.push('flush')
    lines.push([...epoch].sort().join(', '))
    epoch = new Set()
  }
  for (const w of writes) {
    if (w._tag === 'Flush') close()
    else epoch.add(nameOf(w, names))
  }
  close()
  return lines
}

/** Like {@link epochLines}, from an outcome that may be a message. */
export const printedEpochs = (
  writes: E.Either<string, readonly HostWrite[]>,
  before: Uint8Array,
  after: Uint8Array
): string =>
  E.isLeft(writes)
    ? `${writes.left}\n`
    : epochLines(writes.right, before, after)
        .map((line) => `${line}\n`)
        .join('')
