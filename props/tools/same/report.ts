/** Differences for the reader: the lines that are different, and files to look at. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Difference } from './compare.js'
import { type Result, resultOf } from './protocol.js'
import { asked, type Side, type Way } from './side.js'

/** Lines that are shown of each side, and characters of each line. */
const shown = 4
const width = 240

const firstOdd = (a: string, b: string): number => {
  let i = 0
  while (i < a.length && a[i] === b[i]) i++
  return i
}

/** A line from shortly before the character `at`. */
const windowed = (line: string, at: number): string => {
  const from = at < width ? 0 : at - width / 4
  return `${from > 0 ? '…' : ''}${line.slice(from, from + width)}${line.length > from + width ? '…' : ''}`
}

/** The lines that are different of two lists of the same length, each with its other half. */
const pairs = (a: readonly string[], b: readonly string[]): readonly string[] =>
  a
    .map((line, i) => [line, b[i] ?? ''] as const)
    .filter(([old, now]) => old !== now)
    .slice(0, shown)
    .flatMap(([old, now]) => {
      const at = firstOdd(old, now)
      return [`- ${windowed(old, at)}`, `+ ${windowed(now, at)}`]
    })

/** The first lines that are different, those of the older text with `-` and those of the newer with `+`. */
const lineDiff = (old: string, now: string): readonly string[] => {
  const [a, b] = [old.split('\n'), now.split('\n')]
  if (a.length === b.length) return pairs(a, b)
  const first = a.findIndex((line, i) => line !== b[i])
  const at = first < 0 ? a.length : first
  let ends = 0
  while (ends < Math.min(a.length, b.length) - at && a.at(-1 - ends) === b.at(-1 - ends)) ends++
  const part = (list: readonly string[], sign: string): readonly string[] =>
    list
      .slice(at, list.length - ends)
      .slice(0, shown)
      .map((line) => `${sign} ${windowed(line, 0)}`)
  return [...(at > 0 ? [`  ${windowed(a[at - 1] ?? '', 0)}`] : []), ...part(a, '-'), ...part(b, '+')]
}

const textOf = ({ answers }: Result, place: number): string => answers[place]?.[4] ?? ''

const allText = ({ answers, late }: Result): string =>
  [
    ...answers.map(([label, , , , text]) => `=== ${label}\n${text}`),
    ...(late === undefined ? [] : [`late: ${late}`])
  ].join('\n')

/** Keeps the files of an item in a folder. */
const keep = ({ item }: Difference, folder: string): void => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'item.jsonl'), `${JSON.stringify(item)}\n`)
  if ('script' in item)
    writeFileSync(join(folder, 'script'), [JSON.stringify(item.script.shape), ...item.script.lines, ''].join('\n'))
  else
    for (const [name, data] of Object.entries(item.files))
      if ('gzip' in data) writeFileSync(join(folder, name), gunzipSync(Buffer.from(data.gzip, 'base64')))
}

/** Asks both sides again, keeps everything in a folder, and returns lines that show the difference. */
export const described = async (
  found: Difference,
  sides: readonly [Side, Side],
  folder: string,
  way: Way
): Promise<readonly string[]> => {
  keep(found, folder)
  const batch = { path: join(folder, 'item.jsonl'), ids: [found.item.id] }
  const results: Result[] = []
  for (const side of sides) {
    const path = await asked(side, batch, `again-${found.item.id}`, { ...way, texts: true })
    const result = resultOf(readFileSync(path, 'utf8'))
    writeFileSync(join(folder, `${side.name}.txt`), allText(result))
    results.push(result)
  }
  const [old = '', now = ''] = results.map((result) => textOf(result, found.place))
  return [
    '',
    `${found.item.kind}: ${found.item.recipe.slice(0, 200)}`,
    `${'script' in found.item ? '' : 'qcow2 '}${found.label}: ${found.why}`,
    ...lineDiff(old, now).map((line) => `    ${line}`),
    `  in ${folder}`
  ]
}
