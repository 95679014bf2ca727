/**
 * `npm run differential [-- --scripts N] [--seed S] [--without CLAUSE]`: compares the writing commands with QEMU's on real files.
 *
 * The package and QEMU (qemu-io and qemu-img) perform random scripts, on twin files and in turns on one file. Each reads and
 * checks what the other wrote; the abstract disk decides who is right. Prints figures, and the shortest script that gives a
 * difference. `--without CLAUSE` ignores the table's rows of known differences with that clause.
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
