/** Bit diagrams of words, as SVG from the field tables. */
import type { BitRow } from '../../../src/bytes/bits.js'
import type { Word } from '../pages/described.js'
import { reservedRuns } from '../pages/structures.js'
import { escaped } from './html.js'

const [left, perBit, height] = [2, 12, 34]

interface Run {
  readonly lo: number
  readonly hi: number
  readonly name: string
}

/** The part of a run in a row of 32 bits, the high ones first. */
const box = ({ lo, hi, name }: Run, first: number, y: number): string => {
  const [from, to] = [Math.max(lo, first), Math.min(hi, first + 31)]
  if (from > to) return ''
  const x = left + (first + 31 - to) * perBit
  const width = (to - from + 1) * perBit
  const kind = name === 'reserved' ? ' class="reserved"' : ''
  const label = name.length * 7 < width ? `<text x="${x + width / 2}" y="${y + 22}">${escaped(name)}</text>` : ''
  const bits = from === to ? [to] : [to, from]
  const numbers = bits.map((bit, i) => {
    const at = bits.length === 1 ? x + width / 2 : i === 0 ? x + 8 : x + width - 8
    return `<text class="bit" x="${at}" y="${y - 3}">${bit}</text>`
  })
  return `<g><title>${escaped(name)}</title><rect${kind} x="${x}" y="${y}" width="${width}" height="${height}"/>${label}${numbers.join('')}</g>`
}

/** The diagram of a word, which names every field and its bits to screen readers too. */
export const bitSvg = (title: string, word: Word): string => {
  const named = Object.values<BitRow>(word.rows).map(({ lo, hi, name }): Run => ({ lo, hi, name }))
  const runs = [...named, ...reservedRuns(word).map((run): Run => ({ ...run, name: 'reserved' }))].sort(
    (a, b) => b.hi - a.hi
  )
  const bits = 8 * word.size
  const rows = bits > 32 ? [32, 0] : [0]
  const spoken = runs
    .map(({ lo, hi, name }) => `${name}: ${lo === hi ? `bit ${lo}` : `bits ${lo} to ${hi}`}`)
    .join('; ')
  const boxes = rows.flatMap((first, i) => runs.map((run) => box(run, first, 16 + i * (height + 20))))
  const size = `0 0 ${2 * left + 32 * perBit} ${rows.length * (height + 20)}`
  return `<figure class="bits"><svg viewBox="${size}" role="img" aria-label="${escaped(`${title}: ${spoken}`)}">${boxes.join('')}</svg><figcaption>${escaped(title)}</figcaption></figure>`
}
