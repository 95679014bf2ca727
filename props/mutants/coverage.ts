/** Which code of src ran in a process and in those that it started, from what V8 writes with NODE_V8_COVERAGE. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as t from 'io-ts'

/** Offsets into the built code of a source: the first, and the one after the last. */
export const Interval = t.readonly(t.tuple([t.number, t.number]))
export type Interval = t.TypeOf<typeof Interval>

/** The intervals that ran of each source, by its path below src. */
export const Coverage = t.readonly(t.record(t.string, t.readonlyArray(Interval)))
export type Coverage = t.TypeOf<typeof Coverage>

const V8Range = t.type({ startOffset: t.number, endOffset: t.number, count: t.number })
type V8Range = t.TypeOf<typeof V8Range>
const V8Coverage = t.type({
  result: t.array(t.type({ url: t.string, functions: t.array(t.type({ ranges: t.array(V8Range) })) }))
})

/** The intervals that ran. V8's ranges are nested, and of those around an offset the innermost decides. */
export const intervalsOf = (ranges: readonly V8Range[]): readonly Interval[] => {
  const intervals: Interval[] = []
  const around: V8Range[] = []
  let at = 0
  const advance = (to: number): void => {
    if ((around.at(-1)?.count ?? 0) > 0 && to > at) intervals.push([at, to])
    at = Math.max(at, to)
  }
  const leave = (before: number): void => {
    for (let top = around.at(-1); top !== undefined && top.endOffset <= before; top = around.at(-1)) {
      advance(top.endOffset)
      around.pop()
    }
  }
  const sorted = [...ranges].sort((a, b) =>
    a.startOffset === b.startOffset ? b.endOffset - a.endOffset : a.startOffset - b.startOffset
  )
  for (const range of sorted) {
    leave(range.startOffset)
    advance(range.startOffset)
    around.push(range)
  }
  leave(Infinity)
  return intervals
}

/** The union of intervals, sorted. */
const union = (intervals: readonly Interval[]): readonly Interval[] => {
  const merged: [number, number][] = []
  for (const [start, end] of [...intervals].sort(([a], [b]) => a - b)) {
    const last = merged.at(-1)
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end)
    else merged.push([start, end])
  }
  return merged
}

/** Whether the code at an offset ran. */
export const ran = (intervals: readonly Interval[], offset: number): boolean =>
  intervals.some(([start, end]) => start <= offset && offset < end)

/** The value of a text of JSON; undefined if it is none. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What the processes that wrote to a folder ran of the sources, whose built code is in another folder. */
export const readCoverage = (folder: string, built: URL): Coverage => {
  const found = new Map<string, readonly Interval[]>()
  for (const name of readdirSync(folder)) {
    const decoded = V8Coverage.decode(parsed(readFileSync(join(folder, name), 'utf8')))
    // A process that was killed may have written half of it.
    if (decoded._tag === 'Left') continue
    for (const { url, functions } of decoded.right.result) {
      if (!url.startsWith(built.href)) continue
      const file = url.slice(built.href.length).replace(/\.js$/, '.ts')
      const intervals = intervalsOf(functions.flatMap(({ ranges }) => ranges))
      found.set(file, union([...(found.get(file) ?? []), ...intervals]))
    }
  }
  return Object.fromEntries(found)
}
