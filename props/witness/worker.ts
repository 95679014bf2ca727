/**
 * Plays scripts in a process of its own, whose descriptors 1 and 2 are files: `node worker.js OUT ERR PARTIES`, the numbers of
 * the scripts on its channel, an outcome for each party back.
 */
import { qemus } from '../run/qemus.js'
import { parties } from './document.js'
import { allScripts } from './documents.js'
import { loadOurs } from './ours.js'
import { ourActor, qemuActor } from './party.js'
import { type Outcome, play } from './play.js'

/** What a worker answers: how a script came out for a party. */
export interface Played {
  readonly script: number
  readonly party: string
  readonly outcome: Outcome
}

const [out = '', error = '', wanted = ''] = process.argv.slice(2)

const scripts = allScripts()
const ours = await loadOurs({ fd: 1, path: out }, { fd: 2, path: error })
const actors = [ourActor(ours), ...qemus().map((qemu) => qemuActor(qemu, ours))].filter(({ party }) =>
  wanted.split(',').includes(party)
)

const played = async (index: number): Promise<readonly Played[]> => {
  const script = scripts[index]
  if (script === undefined) return []
  const all: Played[] = []
  for (const actor of actors)
    if (script.parties.includes(actor.party))
      all.push({ script: index, party: actor.party, outcome: await play(script, actor) })
  return all
}

process.on('message', (index) => {
  void played(Number(index)).then(
    (all) => process.send?.(all),
    (reason: unknown) => {
      const why = { step: 0, command: '', expected: [], got: String(reason) }
      process.send?.([
        { script: Number(index), party: parties[0], outcome: { _tag: 'Broken', why } }
      ] satisfies Played[])
    }
  )
})
process.send?.('ready')
