/** What a crash may leave of a step: everything up to some flush, and any part of what came behind it. */
import type { HostWrite } from '../../../src/bytes/host-write.js'
import { type Files, perform } from '../model/machine.js'

const sector = 512

/** The part of a write that lies in one sector; anything else by itself. */
const pieces = (w: HostWrite): readonly HostWrite[] => {
  if (w._tag !== 'Write') return [w]
  const out: HostWrite[] = []
  for (let at = w.at, next = at; at < w.at + w.bytes.length; at = next) {
    next = Math.min(w.at + w.bytes.length, (Math.floor(at / sector) + 1) * sector)
    out.push({ ...w, at, bytes: w.bytes.subarray(at - w.at, next - w.at) })
  }
  return out
}

/** The pieces between two flushes that change anything. */
const epochs = (files: Files, writes: readonly HostWrite[]): readonly (readonly HostWrite[])[] => {
  const out: HostWrite[][] = [[]]
  let now = files
  for (const w of writes.flatMap(pieces)) {
    if (w._tag === 'Flush') out.push([])
    const next = perform(now, [w])
    const same = next.image.length === now.image.length && Buffer.compare(next.image, now.image) === 0
    if (!same || Buffer.compare(next.data, now.data) !== 0) out.at(-1)?.push(w)
    now = next
  }
  return out.filter((epoch) => epoch.length > 0)
}

/** The two halves of a write that is torn between two words that both change. */
const torn = (files: Files, w: HostWrite): readonly HostWrite[] => {
  if (w._tag !== 'Write') return []
  const old = files[w.file.part]
  const changes = (at: number): boolean => w.bytes.subarray(at, at + 8).some((b, i) => b !== (old[w.at + at + i] ?? 0))
  const words = Array.from({ length: Math.ceil(w.bytes.length / 8) }, (_, i) => 8 * i).filter(changes)
  return words.slice(1).flatMap((at) => [
    { ...w, bytes: w.bytes.subarray(0, at) },
    { ...w, at: w.at + at, bytes: w.bytes.subarray(at) }
  ])
}

/** Subsets of the pieces: all of them up to 6, else those that lack or have only one, and the prefixes. */
const subsets = (n: number): readonly ((i: number) => boolean)[] =>
  n <= 6
    ? Array.from({ length: 2 ** n }, (_, mask) => (i: number) => ((mask >> i) & 1) === 1)
    : Array.from({ length: n }, (_, k) => [(i: number) => i < k, (i: number) => i === k, (i: number) => i !== k]).flat()

/** Every state: of each epoch some pieces, or one of them torn, with none of the others or all. */
export function* crashStates(files: Files, writes: readonly HostWrite[]): Generator<Files> {
  let durable = files
  for (const epoch of epochs(files, writes)) {
    for (const chosen of subsets(epoch.length))
      yield perform(
        durable,
        epoch.filter((_, i) => chosen(i))
      )
    for (const [i, w] of epoch.entries())
      for (const half of torn(durable, w)) {
        yield perform(durable, [half])
        yield perform(durable, [...epoch.slice(0, i), half, ...epoch.slice(i + 1)])
      }
    durable = perform(durable, epoch)
  }
  yield durable
}
