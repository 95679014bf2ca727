/** Results of two commits side by side. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Item, itemOf, type Result, resultOf } from './protocol.js'
import { intended } from './renames.js'
import type { Tally } from './tally.js'

/** What one item makes different. */
export interface Difference {
  readonly item: Item
  /** The first answer that is different. */
  readonly label: string
  /** Its place among the answers. */
  readonly place: number
  readonly why: string
}

const isIntended = (label: string): boolean => intended.some(({ scope }) => scope.test(label))

/** The first answer of an item that is different, and in what. */
const firstDifference = (old: Result, now: Result): Omit<Difference, 'item'> | undefined => {
  if (old.late !== now.late)
    return {
      label: (old.late ?? now.late ?? '').split(':', 1).join(),
      place: -1,
      why: `old: ${old.late ?? 'answered'}; new: ${now.late ?? 'answered'}`
    }
  for (let i = 0; i < Math.max(old.answers.length, now.answers.length); i++) {
    const [a, b] = [old.answers[i], now.answers[i]]
    const label = a?.[0] ?? b?.[0] ?? ''
    if (a?.[0] !== b?.[0] || a === undefined || b === undefined)
      return { label, place: i, why: `old is asked ${a?.[0] ?? 'nothing'}, new ${b?.[0] ?? 'nothing'}` }
    if (a[2] !== b[2] && !isIntended(label))
      return { label, place: i, why: a[1] === b[1] ? 'another text' : `${a[1]}, now ${b[1]}` }
  }
  return undefined
}

const lines = (path: string): AsyncIterator<string> =>
  createInterface({ input: createReadStream(path) })[Symbol.asyncIterator]()

/** Compares results line by line, and counts them. */
export async function* differences(
  itemsPath: string,
  oldPath: string,
  newPath: string,
  tally: Tally
): AsyncGenerator<Difference> {
  const [items, olds, news] = [lines(itemsPath), lines(oldPath), lines(newPath)]
  for (;;) {
    const [item, a, b] = [await items.next(), await olds.next(), await news.next()]
    if (item.done === true) return
    if (a.done === true || b.done === true) throw new Error(`results are missing in ${oldPath} or ${newPath}`)
    const [asked, old, now] = [itemOf(item.value), resultOf(a.value), resultOf(b.value)]
    tally.add(asked, now)
    tally.intended += now.answers.filter(([label]) => isIntended(label)).length
    if (now.late !== undefined && now.late === old.late) tally.late.push(`${asked.kind} ${asked.recipe}: ${now.late}`)
    const found = firstDifference(old, now)
    if (found !== undefined) yield { item: asked, ...found }
  }
}
