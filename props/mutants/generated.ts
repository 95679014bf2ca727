/** Mutants of a source that the standard operators generate: one for each place to which each of them applies. */
import type ts from 'typescript'
import { walk } from './mutate.js'
import { type Edit, type OperatorName, operators } from './operators.js'
import { bare, parse } from './pattern.js'

/** A mutant that nobody chose. */
export interface GeneratedMutant {
  /** The source file, below src. */
  readonly file: string
  /** The line of the change, from 1 on. */
  readonly line: number
  readonly operator: OperatorName
  readonly edit: Edit
  /**
   * The file, the declaration, and the changed line with `[-removed-]{+added+}`: what identifies a mutant while lines
   * move. Two equal lines of a declaration have one key.
   */
  readonly key: string
}

/** The operators of a run that names none. `text` is left out: most texts are messages, which a golden file shows. */
const standard: readonly OperatorName[] = [
  'negation',
  'boundary',
  'equality',
  'connective',
  'arithmetic',
  'increment',
  'decrement',
  'boolean',
  'return-negated',
  'return-undefined',
  'return-zero',
  'return-empty',
  'drop-statement'
]

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ')

/** The changed line, the removed and the added code in brackets. */
const marked = (text: string, { start, end, text: added }: Edit): string => {
  const lineEnd = text.indexOf('\n', end)
  const before = text.slice(text.lastIndexOf('\n', start - 1) + 1, start)
  const after = text.slice(end, lineEnd === -1 ? text.length : lineEnd)
  return oneLine(`${before}[-${text.slice(start, end)}-]{+${added}+}${after}`).trim()
}

/** The nodes of a source that may be changed, with the declaration around each: none of its types and imports. */
const placesIn = (source: ts.SourceFile): readonly (readonly [node: ts.Node, path: string])[] => {
  const places: (readonly [ts.Node, string])[] = []
  walk(source, (node, path) => {
    if (node !== source && bare(node) === node) places.push([node, path])
  })
  return places
}

/** All mutants of a source, in the order of their places, none twice. */
export const generate = (
  file: string,
  text: string,
  names: readonly OperatorName[] = standard
): readonly GeneratedMutant[] => {
  const source = parse(text)
  const seen = new Set<string>()
  return placesIn(source).flatMap(([node, path]) =>
    names.flatMap((operator): readonly GeneratedMutant[] => {
      const edit = operators[operator](node)
      if (edit === undefined || edit.text === text.slice(edit.start, edit.end)) return []
      const place = `${edit.start} ${edit.end} ${edit.text}`
      if (seen.has(place)) return []
      seen.add(place)
      const { line } = source.getLineAndCharacterOfPosition(edit.start)
      return [{ file, line: line + 1, operator, edit, key: `${file} ${path}: ${marked(text, edit)}` }]
    })
  )
}
