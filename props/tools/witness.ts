/**
 * Runs the witnesses of the clauses:
 *
 *     npm run witness [-- ID ...] [-- --qemu 7.2|10|11|all] [-- --record] [-- --jobs N]
 *
 * Each script that stands beside a clause (spec/clauses/*.md) is played by this package and by QEMU, then its control, which
 * must come out otherwise. Without `--qemu` only the QEMU on the PATH is asked. `--record` keeps what held, for which exact
 * version, in corpus/witnesses.json. Ids may be parts: `WR-`. The exit code is 1 if a script came out otherwise.
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

const wanted = (name: string | undefined): readonly Party[] => {
  if (name === 'all') return parties
  const one = parties.find((party) => party === name) ?? installed?.series
  return one === undefined ? ['ours'] : ['ours', one]
}

const scripts = allScripts()
const chosen = scripts.flatMap(({ clause }, index) =>
  positionals.length === 0 || positionals.some((part) => clause.includes(part)) ? [index] : []
)
const began = performance.now()
const asked = wanted(values.qemu)
for (const name of asked)
  if (name !== 'ours' && here.every(({ series }) => series !== name))
    console.log(`QEMU ${name} is not here: npm run qemus sets it up`)

const played = await perform(chosen, asked, Number(values.jobs))
for (const one of played) if (one.outcome._tag !== 'Held') console.log(shown(one, scripts))
for (const line of table(played, scripts)) console.log(line)
console.log(`${Math.round((performance.now() - began) / 1000)} s`)
if (values.record) record(played, scripts, here)
if (played.some(({ outcome }) => outcome._tag !== 'Held') || played.length === 0) process.exitCode = 1
