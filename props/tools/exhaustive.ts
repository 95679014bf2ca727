/**
 * `npm run exhaustive [-- --length N]`: runs every sequence of up to N commands, 4 by default, on the minimal geometries.
 * Takes `--shard k/n`, `--output json` and `--merge FILE...`.
 *
 * After each command the image must stand for the disk that the abstract machine says, and be sound. The first sequence after which
 * it does not ends the run with exit code 1.
 */
import { commandLine, type Outcome, wholeNumber } from '../run/campaign.js'
import { reason } from '../run/suite.js'
import { everywhere } from '../transition/model/exhaustive.js'

const visited = (work: () => ReturnType<typeof everywhere>): Outcome => {
  try {
    const { sequences, refused } = work()
    return { counts: { all: { sequences, refused } }, finds: [] }
  } catch (error) {
    const lines = reason(error).split('\n')
    return { counts: {}, finds: [{ kind: 'A sequence fails', count: 1, size: lines.length, lines }] }
  }
}

process.exitCode = await commandLine(
  {
    name: 'exhaustive',
    options: { length: '4' },
    fails: true,
    run: (shard, { length }) => {
      const longest = wholeNumber('length', length, 1)
      return Promise.resolve(visited(() => everywhere(longest, shard)))
    },
    text: ({ counts: { all } }, { length }) => [
      `${all?.['sequences'] ?? 0} sequences of up to ${length ?? ''} commands, ${all?.['refused'] ?? 0} of them end in a refusal`
    ]
  },
  process.argv.slice(2)
)
