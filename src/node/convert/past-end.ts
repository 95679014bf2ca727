/** Files that are cut off: the guest data that lie past their ends, which a conversion warns of, or refuses. */
import { type Issue, issue } from '../../bytes/issue.js'
import { mappingPastEnd } from '../../image/past-end.js'
import { type CommandError, commandError, task, wait } from '../command-error.js'
import { run } from '../files/source.js'
import type { MissingData } from '../images/guest.js'
import type { OpenChain } from '../images/open.js'

const issueOf = ({ file, fileLength, start, host, length }: MissingData): Issue =>
  issue({
    clause: 'L2-08',
    phase: 'inconsistent',
    source: 'format',
    structure: `data of guest byte ${start} in '${file}'`,
    field: '',
    at: host,
    size: length,
    found: `the end of the file at byte ${fileLength}`,
    expected: 'data before it'
  })

/** What the files of a conversion lack. */
export class PastEnd {
  /** Of each file where its missing guest data begin, and how many bytes of them there are in all. */
  private readonly missing = new Map<string, Pick<MissingData, 'start' | 'length'>>()

  /** @param isStrict whether a conversion fails where something is missing */
  constructor(readonly isStrict: boolean) {}

  /** The issues over which data that are missing are refused. */
  readonly onMissing = (data: MissingData): readonly Issue[] => {
    if (this.isStrict) return [issueOf(data)]
    const { start, length } = this.missing.get(data.file) ?? { start: data.start, length: 0 }
    this.missing.set(data.file, { start, length: length + data.length })
    return []
  }

  /** A warning for each file that lacks guest data. */
  warnings(): readonly CommandError[] {
    return [...this.missing].map(([file, { start, length }]) =>
      commandError(
        `warning: '${file}' is cut off: ${length} bytes of guest data, from guest byte ${start} on, lie past its end and are read as zeros [L2-08]`,
        { file, clause: 'L2-08' }
      )
    )
  }
}

/** The errors for the tables of a chain that its files end before. */
export const missingTables = task(async function* ({ chain, sources }: OpenChain) {
  const errors: CommandError[] = []
  for (const [depth, layer] of chain.entries()) {
    const source = sources[depth]
    if (source === undefined || layer._tag === 'Raw') continue
    const issues = yield* wait(run(source, () => mappingPastEnd(layer.disk, source.length)))
    for (const { message, clause, at } of issues)
      errors.push(commandError(`'${source.name}' is cut off: ${message}`, { file: source.name, clause, offset: at }))
  }
  return errors
})
