/** The writes of a command as a witness shows them: what each epoch wrote, by the names of the structures. */
import type { Flush, HostWrite, Write } from '../../src/bytes/host-write.js'
import { fromMemory, runSync } from '../../src/bytes/plan.js'
import { regions } from '../../src/image/dump/regions.js'

type Change = Exclude<HostWrite, Flush>

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

const nameOf = (w: Change, names: readonly Names[]): string => {
  if (w._tag === 'Truncate') return 'truncate'
  if (w.file.part === 'data') return w._tag === 'Punch' ? 'punch of the data file' : 'data file'
  const name = names.reduce<string | undefined>((known, of) => known ?? of(w.at), undefined)
  return `${w._tag === 'Punch' ? 'punch of ' : ''}${name ?? 'data'}`
}

/** The image as the writes so far leave it. */
class Image {
  private bytes: Uint8Array

  constructor(before: Uint8Array) {
    this.bytes = before.slice()
  }

  /** Applies a write; how many aligned words of eight bytes it changes. */
  write({ at, bytes }: Write): number {
    if (at + bytes.length > this.bytes.length) {
      const longer = new Uint8Array(at + bytes.length)
      longer.set(this.bytes)
      this.bytes = longer
    }
    const words = new Set<number>()
    bytes.forEach((byte, i) => {
      if (this.bytes[at + i] !== byte) words.add(Math.floor((at + i) / 8))
    })
    this.bytes.set(bytes, at)
    return words.size
  }
}

/**
 * A line for each epoch, with what it wrote in the order of the alphabet, and a line `flush` between two. With `counting`,
 * each name is followed by the number of words of eight bytes that changed, and what changes nothing is left out.
 */
export const epochLines = (
  writes: readonly HostWrite[],
  before: Uint8Array,
  after: Uint8Array,
  counting: boolean
): readonly string[] => {
  const names = [namesIn(after), namesIn(before)]
  const image = new Image(before)
  const lines: string[] = []
  let epoch = new Map<string, number>()
  const close = (): void => {
    if (epoch.size === 0) return
    if (lines.length > 0) lines.push('flush')
    const parts = [...epoch].sort(([a], [b]) => (a < b ? -1 : 1))
    lines.push(parts.map(([name, words]) => (counting && words > 0 ? `${name} ${words}` : name)).join(', '))
    epoch = new Map()
  }
  for (const w of writes) {
    if (w._tag === 'Flush') {
      close()
      continue
    }
    const words = w._tag === 'Write' && w.file.part === 'image' ? image.write(w) : 0
    const name = nameOf(w, names)
    if (words > 0 || !counting || w._tag !== 'Write') epoch.set(name, (epoch.get(name) ?? 0) + words)
  }
  close()
  return lines
}
