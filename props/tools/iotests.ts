/**
 * Runs the shell tests of QEMU 7.2 through this package's command:
 *
 *     npm run iotests -- FOLDER [TEST ...] [--qemu] [--jobs N] [--patience SECONDS]
 *
 * FOLDER holds QEMU's sources; nothing of them is kept. Each test runs in a scratch copy, with `qcow2` for qemu-img and
 * `qcow2 io` for qemu-io, and its output is compared with QEMU's. Every line that differs needs a row of iotests/list.ts;
 * one that has none is printed. `--qemu` runs the installed QEMU instead, which must pass without a difference: a test in
 * which it fails cannot be judged here.
 *
 * The exit code is 1 if a line is not explained.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { changes, unexplained } from '../iotests/compare.js'
import { listed } from '../iotests/list.js'
import { Scratch } from '../iotests/scratch.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    qemu: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    patience: { type: 'string', default: '1800' }
  }
})

const [folder, ...wanted] = positionals
if (folder === undefined) throw new Error("the folder of QEMU's sources is missing: npm run iotests -- FOLDER")

const names = [...listed.keys()].filter((name) => wanted.length === 0 || wanted.includes(name))
for (const name of wanted) if (!listed.has(name)) throw new Error(`${name} is not in the list of tests`)

const party = values.qemu ? 'QEMU' : 'ours'
const scratch = new Scratch(folder, party)
const counted = new Map<string, number>()

/** Runs a test; its line of the table, and what is not explained. */
const line = async (name: string): Promise<readonly string[]> => {
  const ran = await scratch.run(name, Number(values.patience))
  const rows = values.qemu ? [] : (listed.get(name) ?? [])
  const found = ran._tag === 'NotRun' ? [ran.why] : unexplained(changes(ran.reference, ran.output), rows)
  const reasons = [...new Set(rows.map(({ reason }) => reason))]
  const outcome = found.length > 0 ? 'DIFFERS' : reasons.length > 0 ? reasons.join(', ') : 'same'
  counted.set(outcome, (counted.get(outcome) ?? 0) + 1)
  const seconds = ran._tag === 'Ran' ? `${Math.round(ran.seconds)} s` : ''
  return [
    `${name.padEnd(6)} ${outcome.padEnd(24)} ${seconds}`.trimEnd(),
    ...rows.map(({ reason, clause, why }) => `       ${reason}: ${why}${clause === undefined ? '' : ` [${clause}]`}`),
    ...found.map((each) => `    ${each}`)
  ]
}

try {
  const waiting = names.values()
  const work = async (): Promise<void> => {
    for (const name of waiting) for (const each of await line(name)) console.log(each)
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
} finally {
  scratch.remove()
}
console.log([...counted].map(([outcome, n]) => `${n} ${outcome}`).join(', '))
if (counted.has('DIFFERS') || names.length === 0) process.exitCode = 1
