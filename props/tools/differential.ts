/**
 * `npm run differential [-- --scripts N] [--seed S] [--without CLAUSE,...]`: compares the writing commands with QEMU's on real files.
 * Takes `--shard k/n`, `--output json` and `--merge FILE...`.
 *
 * The package and QEMU (qemu-io and qemu-img) perform random scripts, on twin files and in turns on one file. Each reads and
 * checks what the other wrote; the abstract disk decides who is right. Prints figures, and the shortest script that gives a
 * difference. `--without CLAUSE` ignores the table's rows of known differences with that clause.
 */
import { differential, rowsWithout } from '../differential/scripts.js'
import { tallyLines } from '../differential/tally.js'
import { commandLine, wholeNumber } from '../run/campaign.js'
import { qemu } from '../run/qemu.js'

const clausesIn = (text: string | undefined): readonly string[] => (text ?? '').split(',')

process.exitCode = await commandLine(
  {
    name: 'differential',
    options: { scripts: '2000', seed: '1', without: undefined },
    fails: true,
    run: async (shard, { scripts, seed, without }) => {
      if (qemu === undefined) throw new Error('there is no qemu-img on the PATH')
      const [count, first] = [wholeNumber('scripts', scripts, 1), wholeNumber('seed', seed, 0)]
      const { tally, failure: lines } = await differential(count, first, clausesIn(without), shard)
      const finds = lines === undefined ? [] : [{ kind: lines[0] ?? '', count: 1, size: lines.length, lines }]
      return { counts: tally.counts(), finds }
    },
    text: ({ counts }, { without }) => [qemu ?? '', ...tallyLines(counts, rowsWithout(clausesIn(without)))]
  },
  process.argv.slice(2)
)
