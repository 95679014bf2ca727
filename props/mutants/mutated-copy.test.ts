/** The copy in which mutants are tried: one process runs its tests for as long as it lasts. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../run/suite.js'
import { MutatedCopy } from './mutated-copy.js'

const test = suite('mutated copies')
const folder = mkdtempSync(join(tmpdir(), 'qcow2-spec-mutated-'))
test.after(() => rmSync(folder, { recursive: true }))

const path = 'src/format/l1.js'
const built = readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const settings = { runs: 0.1, withQemu: false, cpuLimit: 60 }

/** What becomes of the tests of L1 entries with each of these texts in place of the built code, one after another. */
const outcomes = async (name: string, texts: readonly (string | undefined)[]): Promise<readonly string[]> => {
  const copy = new MutatedCopy(join(folder, name), settings)
  const found: string[] = []
  for (const text of texts) {
    const mutant = text === undefined ? undefined : { path, text }
    const account = await copy.run('props/format/l1.test.ts', 'encodes decodes to the same value', mutant)
    found.push(account === undefined ? 'ended' : `${account.passed} passed, ${account.failed.length} failed`)
  }
  await copy.endProcess()
  return found
}

test('each mutant is loaded anew, and is gone after its tests', async () => {
  const texts = [undefined, `${built}\nthrow new Error('a')`, undefined, `${built}\nthrow new Error('b')`, undefined]
  const [passes, fails] = ['1 passed, 0 failed', '0 passed, 1 failed']
  assert.equal(await outcomes('a', texts), [passes, fails, passes, fails, passes])
})

test('a process that a mutant ends is replaced, and at once where an earlier mutant ended it', async () => {
  const ends = `${built}\nprocess.exit(0)`
  const endsNext = `${built}\nprocess.on('message', () => process.exit(0))`
  const passes = '1 passed, 0 failed'
  assert.equal(await outcomes('b', [ends, endsNext, undefined, endsNext, ends]), [
    'ended',
    passes,
    passes,
    passes,
    'ended'
  ])
})

test.run()
