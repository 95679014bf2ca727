/** Findings beyond QEMU's: each by its clause, its bytes and its owners, while every count stays QEMU's. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { clause } from '../../../spec/clauses/index.js'
import { fromMemory, type Read, runSync } from '../../../src/bytes/plan.js'
import { check } from '../../../src/image/check/check.js'
import { checkJson, type CheckReport, exitCode } from '../../../src/image/check/report.js'
import type { Finding, Owner } from '../../../src/image/check/findings.js'
import { needsQemu } from '../../run/qemu.js'
import { note, suite } from '../../run/suite.js'
import { type Base, type PatchedImage, patchedBytes, type OwnerRow, type Row, sound } from './patched-corpus.js'
import { patchedImages } from './overlooked.js'
import { runOn } from '../world.js'

const test = suite('findings')

const report = (image: Uint8Array, dataFileLength = 2 ** 16): CheckReport => {
  const done = E.flatten(runOn(image, check(image.length, { dataFileLength })))
  if (E.isLeft(done)) throw new Error(done.left.map((i) => i.message).join())
  return done.right
}

const rowOf = ({ severity, clause: id, structure, field, at, size, guest }: Finding): Row =>
  guest === undefined
    ? [severity, id, structure, field, at, size]
    : [severity, id, structure, field, at, size, [guest.at, guest.size]]

const ownerOf = ({ section, at, size, entry = 0, guest }: Owner): OwnerRow =>
  guest === undefined ? [section, at, size, entry] : [section, at, size, entry, guest.at]

/** What is neither counted by QEMU nor found by it. */
const beyond = (r: CheckReport): readonly Finding[] =>
  r.findings.filter(({ severity }) => severity === 'flaw' || severity === 'note')

const bases = new Set<Base>(patchedImages.map((d) => d.base))

test('a sound image has no findings', () => {
  for (const base of bases) assert.equal(report(sound(base)).findings, [], base)
})

test('a check walks the image once, and a second time only to name two owners of a cluster', () => {
  const walks = (image: Uint8Array): number => {
    const l1 = Number(new DataView(image.buffer, image.byteOffset).getBigUint64(40))
    const read = ({ at, length }: Pick<Read, 'at' | 'length'>): Uint8Array => {
      if (at === l1) seen.push(at)
      return fromMemory(image)({ at, length })
    }
    const seen: number[] = []
    runSync(check(image.length), { read, emit: () => undefined })
    return seen.length
  }
  for (const base of bases) assert.is(walks(sound(base)), 1, base)
  for (const d of patchedImages.filter(({ base }) => base === 'plain'))
    assert.is(walks(patchedBytes(d)), d.owners === undefined ? 1 : 2, d.title)
})

for (const d of patchedImages)
  test(d.title, () => {
    const r = report(patchedBytes(d), d.dataFileLength)
    const found = beyond(r)
    assert.equal(found.map(rowOf), d.found)
    assert.equal(
      found.flatMap((f) => (f.owners === undefined ? [] : [f.owners.map(ownerOf)])),
      d.owners ?? []
    )
    const flaws = found.filter((f) => f.severity === 'flaw')
    for (const f of flaws) assert.is(clause(f.clause).level, 'must', f.message)
    assert.equal([r.flaws, r.notes], [flaws.length, found.length - flaws.length])
    const usual = exitCode(r)
    assert.is(exitCode(r, true), flaws.length > 0 && usual !== 1 ? 2 : usual)
  })

const folder = mkdtempSync(join(tmpdir(), 'qcow2-findings-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

const qemuCheck = (d: PatchedImage): { readonly exit: number | null; readonly said: unknown } => {
  writeFileSync(join(folder, 'img.qcow2'), patchedBytes(d))
  writeFileSync(join(folder, 'img.raw'), new Uint8Array(2 ** 16))
  const done = spawnSync('qemu-img', ['check', '--output=json', 'img.qcow2'], { cwd: folder, encoding: 'utf8' })
  if (done.stdout === '') throw new Error(`${d.title}: ${done.stderr}`)
  return { exit: done.status, said: JSON.parse(done.stdout) }
}

needsQemu(test)('the counts and the exit code of every patched image are those of qemu-img', () => {
  for (const d of patchedImages) {
    const { exit, said } = qemuCheck(d)
    const r = report(patchedBytes(d), d.dataFileLength)
    const { findings, flaws, notes, ...counts } = checkJson(r, 'img.qcow2')
    assert.equal([exitCode(r), counts], [exit, said], d.title)
  }
  note(`${patchedImages.length} patched images, with the counts of qemu-img`)
})

test.run()
