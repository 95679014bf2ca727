/** Making a counterexample small: fewer commands, a simpler geometry, shorter ranges, as long as the same edge breaks. */
import { geometries, type Row } from './edge-table.js'
import { breakEdges } from './edges.js'
import { type Action, isOperation } from '../model/operations.js'
import { fromWords, inWords } from '../model/script-text.js'

/** A script on a geometry. */
interface Case {
  readonly geometry: string
  readonly script: readonly Action[]
}

/** Actions that say less: from the start of the disk, of fewer bytes. */
const simpler = (command: Action): readonly Action[] => {
  if (isOperation(command) || !('at' in command)) return []
  const length = 'bytes' in command ? command.bytes.length : command.length
  const places = [...new Set([0, command.at - (command.at % 16384), command.at - (command.at % 512)])]
  const lengths = [512, 1024, 2048, 4096, 16384].filter((n) => n < length)
  const changed = (at: number, n: number): Action =>
    'bytes' in command ? { ...command, at, bytes: new Uint8Array(n) } : { ...command, at, length: n }
  return [
    ...lengths.map((n) => changed(command.at, n)),
    ...places.filter((at) => at < command.at).map((at) => changed(at, length))
  ]
}

/** Cases a step smaller, the smallest first. */
function* smaller({ geometry, script }: Case): Generator<Case> {
  for (let i = script.length - 1; i >= 0; i--) yield { geometry, script: script.toSpliced(i, 1) }
  for (const name of geometries.keys()) {
    if (name === geometry) break
    yield { geometry: name, script }
  }
  for (const [i, command] of script.entries())
    for (const other of simpler(command)) yield { geometry, script: script.with(i, other) }
}

/** The case with its bytes as the words of its commands give them. */
const exampleOf = ({ geometry, script }: Case, edge: string): Row['example'] => {
  const shape = geometries.get(geometry)
  if (shape === undefined) return undefined
  const commands = script.map((c, i) => fromWords(inWords(c), i + 1))
  try {
    const [broken] = breakEdges(shape, commands, { only: edge, hard: true })
    return broken === undefined ? undefined : { geometry, script: commands, broken }
  } catch {
    // A command that is refused in another way than the disk refuses it makes no case.
    return undefined
  }
}

/** The smallest case, going from this one down, in which a promise breaks without the flush of the edge. */
export const smallest = (geometry: string, script: readonly Action[], edge: string): Row['example'] => {
  let best = exampleOf({ geometry, script }, edge)
  for (let next = best; next !== undefined;) {
    best = next
    next = undefined
    for (const candidate of smaller(best)) {
      next = exampleOf(candidate, edge)
      if (next !== undefined) break
    }
  }
  return best
}
