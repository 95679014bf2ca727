/**
 * The writing commands beside QEMU's on real files: `node dist/props/tools/differential.js [--scripts N] [--seed S] [--without CLAUSE]`.
 *
 * Random scripts are carried out here and by qemu-io and qemu-img, on twins and in turns on one file. Each party reads and
 * checks what the other wrote, and the abstract disk says what is right. Told are figures, and the shortest script over
 * which they disagree. Differences that stand in the table with a CLAUSE of `--without` count as disagreements too.
 */
import { parseArgs } from 'node:util'
import { differential } from '../differential/scripts.js'
import { qemu } from '../run/qemu.js'

const { values } = parseArgs({
  options: {
    scripts: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    without: { type: 'string', multiple: true, default: [] }
  }
})

const compared = async (): Promise<number> => {
  const { tally, failure } = await differential(Number(values.scripts), Number(values.seed), values.without)
  console.log([qemu ?? '', ...tally.lines(), ...(failure ?? [])].join('\n'))
  return failure === undefined ? 0 : 1
}

if (qemu === undefined) console.error('there is no qemu-img on the PATH')
process.exitCode = qemu === undefined ? 1 : await compared()
