/** What `check` counts is what qemu-img counts, of every image of the corpus. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../../corpus/load.js'
import { clause, isClauseId } from '../../../spec/clauses/index.js'
import { check as reference } from '../../../spec/reference/check.js'
import { openImage } from '../../../spec/reference/image.js'
import { isObject } from '../../../src/bytes/json.js'
import { viewOf } from '../../../src/bytes/octets.js'
import { check } from '../../../src/image/check/check.js'
import { checkJson, type CheckReport, exitCode } from '../../../src/image/check/report.js'
import { note, suite } from '../../run/suite.js'
import { runOn } from '../world.js'
import { sound } from './patched-corpus.js'

const test = suite('check')

/** Images that qemu-img cannot check because a second file is missing, which is for whoever opens files to see. */
const missingDataFile = ['broken-data-file-missing', 'broken-data-file-absent']

const checked = (name: string): E.Either<unknown, CheckReport> => {
  const { image } = load(name)
  return E.flatten(runOn(image, check(image.length)))
}

const codeOf = (r: E.Either<unknown, CheckReport>, strict = false): number =>
  E.isLeft(r) ? 1 : exitCode(r.right, strict)

test('the exit code and every count are those of qemu-img', () => {
  const seen = [0, 0, 0, 0]
  let compared = 0
  for (const name of names().filter((n) => !missingDataFile.includes(n))) {
    const { expect } = load(name)
    const r = checked(name)
    const code = codeOf(r)
    assert.is(code, expect.check.exit, `${name}: ${expect.check.stderr}`)
    seen[code] = (seen[code] ?? 0) + 1
    const said = expect.check.stdout
    if (!isObject(said) || E.isLeft(r)) continue
    const { findings, 'findings-left-out': leftOut, flaws, notes, ...ours } = checkJson(r.right, said.filename)
    assert.equal(ours, said, `${name}: ${expect.check.stderr}`)
    compared += Object.keys(said).length
  }
  assert.ok(compared > 2000)
  note(`exit codes 0 to 3: ${seen.join(', ')} images; ${compared} values compared`)
})

test('a refcount block above 2^62 that is not aligned cannot be read', () => {
  const image = sound('plain')
  const table = Number(viewOf(image).getBigUint64(48))
  viewOf(image).setBigUint64(table, 0x5000_0000_0000_0200n)
  const found = E.flatten(runOn(image, check(image.length)))
  const errors = E.isRight(found) ? found.right.checkErrors : undefined
  assert.is(errors, image.length / 4096)
  const counts = reference(openImage(image))
  assert.is(E.isRight(counts) ? counts.right.checkErrors : undefined, errors)
})

test('every finding has a clause of the catalogue, and the findings are as many as the counts', () => {
  let findings = 0
  for (const name of names()) {
    const r = checked(name)
    if (E.isLeft(r)) continue
    for (const f of r.right.findings) {
      assert.ok(isClauseId(f.clause), f.message)
      if (f.severity === 'flaw') assert.is(clause(f.clause).level, 'must', f.message)
    }
    findings += r.right.findings.length
    const { corruptions, leaks, checkErrors, flaws, notes } = r.right
    const counted = corruptions + leaks + checkErrors + flaws + notes
    assert.ok(r.right.findings.length <= counted, name)
    assert.is(r.right.findings.length === 0, counted === 0, name)
  }
  note(`${findings} findings`)
})

const clausesOf = (name: string): readonly string[] => {
  const r = checked(name)
  return E.isLeft(r) ? [] : r.right.findings.map((f) => f.clause)
}

/** What QEMU overlooks, and the clause that finds it. */
const overlooked = [
  ['broken-l2-zero-v2', 'L2-05'],
  ['broken-subcluster-zero-bit', 'L2-02'],
  ['broken-header-length-105', 'HDR-02'],
  ['broken-bitmaps-bit-alone', 'FEAT-07'],
  ['broken-extension-twice', 'EXT-02'],
  ['broken-header-padding', 'HDR-07']
] as const

for (const [name, clause] of overlooked)
  test(`${name} is found by ${clause}, which QEMU does not look at, and only --strict makes it an error`, () => {
    assert.ok(clausesOf(name).includes(clause), clausesOf(name).join(', '))
    assert.is(codeOf(checked(name)), 0)
    assert.is(codeOf(checked(name), true), 2)
  })

test.run()
