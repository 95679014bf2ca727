/** `qcow2 explain`: what a byte of the file belongs to. */
import { clause } from '../../../spec/clauses/index.js'
import { textOfLines } from '../../bytes/octets.js'
import { type ExplainReport, explainJson, explain as explainPlan, type Explanation } from '../../image/dump/explain.js'
import { failure, get, using, wait } from '../command-error.js'
import { openPlace } from '../files/file.js'
import { readAccess } from '../files/lock.js'
import { jsonText, print } from '../files/output.js'
import { run } from '../files/source.js'
import { otherKind } from '../images/not-qcow2.js'
import { hex } from '../text/numbers.js'
import { exactSize } from '../text/values.js'
import { argument, command, orElse } from './command.js'
import { forceShare, image, output, remote } from './options.js'

const lines = (e: Explanation): readonly string[] => [
  `${e.structure}${e.of === '' ? '' : ` (${e.of})`}, ${e.part}: bytes ${hex(e.at)} to ${hex(e.at + e.size - 1)}`,
  `    ${e.doc}`,
  `    value ${JSON.stringify(e.value)}`,
  `    [${e.clause}] ${clause(e.clause).says}`
]

const answerText = (a: ExplainReport): string => {
  const nothing = a.explanations.length === 0 ? ['no structure and no guest data: the byte is not used'] : []
  const count =
    a.refcount === undefined ? 'no refcount block describes its cluster' : `its cluster has refcount ${a.refcount}`
  return textOfLines([`byte ${a.offset} (${hex(a.offset)}): ${count}`, ...nothing, ...a.explanations.flatMap(lines)])
}

export const explain = command({
  args: {
    image: image('<image>', 'the image'),
    offset: argument(
      '[offset]',
      'byte offset in the file, 0 if it is left out; 0x and the suffixes k, M, G, T, P, E work',
      orElse(exactSize('offset'), 0n)
    )
  },
  options: { output, forceShare, remote },
  run: ({ image: named, offset: wanted }, { output: format, forceShare: isForced, remote: reading }, report) =>
    using(openPlace(named.file, readAccess('qcow2', isForced || named.forceShare), reading), async function* (source) {
      const warning = yield* wait(otherKind(source))
      if (warning !== undefined) report(warning)
      const { name, length } = source
      const offset = Number(wanted)
      if (wanted >= length)
        yield* get(failure(`byte ${wanted} is past the end of '${name}' (${length} bytes)`, { file: name, offset }))
      const answer = yield* wait(run(source, () => explainPlan(length, offset)))
      yield* get(print(format === 'json' ? jsonText(explainJson(answer)) : answerText(answer)))
    })
})
