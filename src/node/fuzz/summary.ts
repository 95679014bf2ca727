/** Summaries of campaigns: counts that add up over shards. */
import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { either, failure, get, system } from '../command-error.js'
import { Find } from './find.js'

/** What a campaign counted. */
export const Summary = t.type({
  summary: t.literal(true),
  /** The command that compares the same programs. */
  reader: t.string,
  /** Whether writes elsewhere were watched, in sentences. */
  notes: t.readonlyArray(t.string),
  images: t.number,
  agree: t.number,
  /** Images over which this package is not sure, and of which only the end of the program was judged. */
  unsure: t.number,
  /** Differences, by what they are. */
  differ: t.record(t.string, t.number)
})
export type Summary = t.TypeOf<typeof Summary>

/** A campaign: its summary, and its finds. */
export interface Outcome {
  readonly summary: Summary
  readonly finds: readonly Find[]
}

const added = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].sort().map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)])
  )

/** Both summaries as one. */
const sumOf = (a: Summary, b: Summary): Summary => ({
  summary: true,
  reader: a.reader,
  notes: [...new Set([...a.notes, ...b.notes])],
  images: a.images + b.images,
  agree: a.agree + b.agree,
  unsure: a.unsure + b.unsure,
  differ: added(a.differ, b.differ)
})

const keyOf = ({ find, clause }: Find): string => `${clause} ${find}`

/** Finds by clause and kind, of several the one with the fewest bytes. */
const distinct = (finds: readonly Find[]): readonly Find[] => {
  const best = new Map<string, Find>()
  for (const each of finds.toSorted((a, b) => (a.bytes === b.bytes ? a.number - b.number : a.bytes - b.bytes)))
    if (!best.has(keyOf(each))) best.set(keyOf(each), each)
  return [...best.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/** What campaigns printed as JSON lines, as one campaign. */
export const merged = either(function* (files: readonly string[]) {
  const finds: Find[] = []
  let summary: Summary | undefined
  for (const file of files) {
    const text = yield* get(system('open', file, () => readFileSync(file, 'utf8')))
    for (const [i, line] of text.split('\n').entries()) {
      if (line === '') continue
      const json = E.tryCatch((): unknown => JSON.parse(line), String)
      const value = E.isRight(json) ? json.right : undefined
      if (Find.is(value)) finds.push(value)
      else if (!Summary.is(value))
        return yield* get(failure(`${file}: line ${i + 1} is no line of qcow2 fuzz --output=json`))
      else if (summary !== undefined && summary.reader !== value.reader)
        return yield* get(failure(`${file}: of another reader, '${value.reader}'`))
      else summary = summary === undefined ? value : sumOf(summary, value)
    }
  }
  if (summary === undefined) return yield* get(failure('There is no summary to merge'))
  return { summary, finds: distinct(finds) }
})

/** A find as text. */
export const findText = ({ find, clause, what, found, expected, complaint, again }: Find): string =>
  [
    `${clause}: ${find}: ${what.join(', ')}`,
    `    found ${found}, expected ${expected}`,
    ...(complaint === '' ? [] : [`    it said: ${complaint}`]),
    `    again: ${again}`,
    ''
  ].join('\n')

/** A summary as text. */
export const summaryText = ({ notes, images, agree, unsure, differ }: Summary): string => {
  const kinds = Object.entries(differ).map(([kind, n]) => `${kind} ${n}`)
  const all = images - agree
  const counts = `${images} images: ${agree} agree, ${all} differ${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}, ${unsure} of them not sure`
  return [...notes, counts, ''].join('\n')
}
