/**
 * Runs the witnesses of the clauses:
 *
 *     npm run witness [-- ID ...] [-- --qemu 7.2|10|11|all] [-- --record] [-- --jobs N]
 *
 * Each script beside a clause (spec/clauses/*.md) is played by this package and by QEMU, then its control, which
 * must come out otherwise. Without `--qemu` only the QEMU on the PATH is asked. `--record` keeps what held, for which exact
 * version, in corpus/witnesses.json. An id may be the start of one: `WR-`. The exit code is 1 if a script came out otherwise
 * or a QEMU that was named is not here.
 */
import { parseArgs } from 'node:util'
import { qemus } from '../run/qemus.js'
import { parties, type Party } from '../witness/document.js'
import { allScripts } from '../witness/documents.js'
import { record } from '../witness/record.js'
import { shown, table } from '../witness/report.js'
import { perform } from '../witness/troupe.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    qemu: { type: 'string' },
    record: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' }
  }
})

const here = qemus()
const [installed] = here.filter(({ command }) => command('qemu-img').length === 1)

const wanted = (name: string | undefined = installed?.series): readonly Party[] => {
  if (name === undefined) return ['ours']
  if (name === 'all') return parties
  const one = parties.find((party) => party === name)
  if (one === undefined) throw new Error(`--qemu ${name}: none of ${parties.join(', ')} and all`)
  return ['ours', one]
}

const scripts = allScripts()
const chosen = scripts.flatMap(({ clause }, index) =>
  positionals.length === 0 || positionals.some((part) => clause.startsWith(part)) ? [index] : []
)
const began = performance.now()
const asked = wanted(values.qemu)
const missing = asked.filter((name) => name !== 'ours' && here.every(({ series }) => series !== name))
for (const name of missing) console.log(`QEMU ${name} is not here: npm run qemus sets it up`)

const played = await perform(chosen, asked, Number(values.jobs))
for (const one of played) if (one.outcome._tag !== 'Held') console.log(shown(one, scripts))
for (const line of table(played, scripts)) console.log(line)
console.log(`${Math.round((performance.now() - began) / 1000)} s`)
if (values.record) record(played, scripts, here)
if (played.some(({ outcome }) => outcome._tag !== 'Held') || played.length === 0) process.exitCode = 1
if (values.qemu !== undefined && values.qemu !== 'all' && missing.length > 0) process.exitCode = 1
