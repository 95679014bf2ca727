/** Each clause has a witness, which holds here and on the QEMU that is installed, and held on the versions that are not. */
import * as assert from 'uvu/assert'
import * as E from 'fp-ts/lib/Either.js'
import { chapters, isClauseId } from '../../spec/index.js'
import { qemus } from '../run/qemus.js'
import { needsQemu, qemu } from '../run/qemu.js'
import { note, suite } from '../run/suite.js'
import { controlled, fits, type Party, scriptsOf, stepsFor } from '../witness/document.js'
import { allScripts } from '../witness/documents.js'
import { valueOf } from '../witness/expression.js'
import { digestOf, kept } from '../witness/record.js'
import { shown } from '../witness/report.js'
import { perform } from '../witness/troupe.js'

const test = suite('witness')
const scripts = allScripts()
const witnessed = new Set(scripts.map(({ clause }) => clause))

/** Plays all scripts for a party. */
const held = async (party: Party): Promise<void> => {
  const chosen = scripts.flatMap((script, index) => (script.parties.includes(party) ? [index] : []))
  const played = await perform(chosen, [party])
  assert.is(played.length, chosen.length)
  const others = played.filter(({ outcome }) => outcome._tag !== 'Held').map((one) => shown(one, scripts))
  assert.equal(others, [])
  note(`${played.length} scripts for ${party}`)
}

test('a clause has a witness', () => {
  const ids = chapters.flatMap(({ clauses }) => Object.keys(clauses))
  assert.equal(
    ids.filter((id) => !witnessed.has(id)),
    []
  )
})

test('a witness is of a clause', () => {
  for (const { clause, document, line } of scripts) assert.ok(isClauseId(clause), `${document}:${line}: ${clause}`)
})

test('a script has a control', () => {
  for (const { clause, document, line, control } of scripts)
    assert.is.not(control.length, 0, `${clause} in ${document}:${line}`)
})

test('each witness holds for this package, and not under its control', () => held('ours'))

const [installed] = qemus().filter(({ command }) => command('qemu-img').length === 1)
const onPath = 'each witness holds for the QEMU on the PATH, and not under its control'
if (installed === undefined && qemu !== undefined) test.skip(onPath, `no clause is about ${qemu}`)
else needsQemu(test)(onPath, () => (installed === undefined ? undefined : held(installed.series)))

test('each script held for every version of QEMU that it names', () => {
  const records = kept()
  const versions = new Set<string>()
  for (const script of scripts) {
    const held = records[digestOf(script)] ?? []
    for (const version of held) versions.add(version)
    for (const party of script.parties)
      if (party !== 'ours')
        assert.ok(
          held.some((version) => version.startsWith(`${party}.`)),
          `${script.clause} in ${script.document}:${script.line} was not recorded for ${party}: npm run witness -- --qemu all --record`
        )
  }
  note(`recorded for QEMU ${[...versions].sort().join(', ')}`)
  for (const { version } of qemus()) if (!versions.has(version)) note(`QEMU ${version} is not recorded`)
})

const example = `## AB-01
\`\`\`console ours 10
$ one
printed
{10} only by 10
{ours} $ two
\`\`\`
\`\`\`diff
- one
+ three
+ four
\`\`\`
`

test('a script is read for each party, with its control', () => {
  const read = scriptsOf(example)
  if (E.isLeft(read)) throw new Error(read.left)
  const [script] = read.right
  if (script === undefined) throw new Error('no script')
  assert.equal(script.parties, ['ours', '10'])
  assert.equal(stepsFor(script, '10'), [{ command: 'one', expected: ['printed', 'only by 10'] }])
  const ours = stepsFor(script, 'ours')
  assert.equal(
    ours.map(({ command }) => command),
    ['one', 'two']
  )
  const changed = controlled(ours, script.control)
  if (E.isLeft(changed)) throw new Error(changed.left)
  assert.equal(
    changed.right.steps.map(({ command }) => command),
    ['three', 'four', 'two']
  )
  assert.equal([...changed.right.written], [0, 1])
})

test('a document with another form is refused with its line', () => {
  assert.equal(scriptsOf('## AB-01\n```console 9\n$ one\n```\n'), E.left('line 3: no such party'))
  assert.equal(scriptsOf('## AB-01\n```console\n$ one\n{9} a\n```\n'), E.left('line 4: no such party'))
  assert.equal(scriptsOf('## AB-01\n```diff\n- one\n```\n'), E.left('line 3: not the control of a script'))
})

test('three points are any lines, or any text within a line', () => {
  const fit = (expected: readonly string[], text: string, does: boolean): void => {
    assert.is(fits(expected, text), does, `${expected.join('|')} and ${text}`)
  }
  fit(['a', '...', 'z'], 'a\nb\nc\nz\n', true)
  fit(['a', '...', 'z'], 'a\nz\n', true)
  fit(['a', '...'], 'a\n', true)
  fit(['a', '...', 'z'], 'a\nb\nzz\n', false)
  fit(['a...z'], 'abcz\n', true)
  fit(['a...z'], 'ab\ncz\n', false)
  fit(['a.c'], 'abc\n', false)
  fit([], 'a\n', false)
})

test('a place is an expression of numbers and of offsets in the image', () => {
  const word = (at: bigint): bigint => (at === 40n ? 0x8000_0000_0003_0000n : 0n)
  const is = (text: string, value: bigint): void => {
    assert.equal(valueOf(text, word), E.right(value), text)
  }
  is('64k', 65536n)
  is('0x10+2*3', 22n)
  is('(1+2)*3-4', 5n)
  is('[40]+8', 0x30008n)
  is('[30+10]', 0x30000n)
  for (const text of ['', '1+', '[1', '1 2', 'x', '2**3']) assert.ok(E.isLeft(valueOf(text, word)), text)
})

test.run()
