/** `qcow2 explain`: what a byte of the file belongs to. */
import * as E from 'fp-ts/lib/Either.js'
import { clause } from '../../../spec/clauses/index.js'
import { type Answer, answerJson, explain, type Explanation } from '../../image/dump/explain.js'
import { fail, ok, print } from '../files/output.js'
import { refusalLine, withSource } from '../images/usable.js'
import { run } from '../files/world.js'

const hex = (n: number): string => `0x${n.toString(16)}`

const lines = (e: Explanation): readonly string[] => [
  `${e.structure}${e.of === '' ? '' : ` (${e.of})`}, ${e.part}: bytes ${hex(e.at)} to ${hex(e.at + e.size - 1)}`,
  `    ${e.doc}`,
  `    value ${JSON.stringify(e.value)}`,
  `    [${e.clause}] ${clause(e.clause).says}`
]

const text = (a: Answer): string => {
  const nothing = a.explanations.length === 0 ? ['no structure and no guest data: the byte is not used'] : []
  const count =
    a.refcount === undefined ? 'no refcount block describes its cluster' : `its cluster has refcount ${a.refcount}`
  return [`byte ${a.offset} (${hex(a.offset)}): ${count}`, ...nothing, ...a.explanations.flatMap(lines), ''].join('\n')
}

/** The command. */
export const explainCommand = (name: string, offset: number, json: boolean): Promise<number> =>
  withSource(name, async (file) => {
    if (offset >= file.length) return fail(`'${name}' has ${file.length} bytes, byte ${offset} is not among them`)
    const answer = await run(file.world, () => explain(file.length, offset))
    if (E.isLeft(answer)) return fail(refusalLine(name, answer.left))
    print(json ? `${JSON.stringify(answerJson(answer.right), null, 4)}\n` : text(answer.right))
    return ok
  })
