/** The LUKS header of an encrypted image is judged as QEMU judges it when it opens the image. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { fromMemory, runSync } from '../../src/bytes/plan.js'
import { check } from '../../src/image/check/check.js'
import { exitCode } from '../../src/image/check/report.js'
import { type ImageInfo, readInfo } from '../../src/image/info.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'

const test = suite('LUKS areas')

const { image } = load('case-59-luks')
const pointer = Buffer.from(image).indexOf(Uint8Array.of(0x05, 0x37, 0xbe, 0x77))
const area = Number(Buffer.from(image).readBigUInt64BE(pointer + 8))
const end = area + Number(Buffer.from(image).readBigUInt64BE(pointer + 16))

/** The image with other bytes at an offset. */
const poked = (at: number, hex: string): Uint8Array => {
  const bytes = Buffer.from(image)
  Buffer.from(hex, 'hex').copy(bytes, at)
  return bytes
}

const infoOf = (bytes: Uint8Array): ImageInfo => {
  const info = runSync(readInfo(bytes.length), { read: fromMemory(bytes), emit: () => undefined })
  if (E.isLeft(info)) throw new Error(info.left[0]?.message)
  return info.right
}

const checked = (bytes: Uint8Array) => {
  const found = runSync(check(bytes.length), { read: fromMemory(bytes), emit: () => undefined })
  const report = E.flatten(found)
  if (E.isLeft(report)) throw new Error(report.left[0]?.message)
  return report.right
}

const slot = (n: number): number => 208 + 48 * n

/** Bytes of the area by what they break, if anything. */
const cases: readonly (readonly [title: string, at: number, hex: string, field?: string])[] = [
  ['as it is', 0, '4c'],
  ['another magic', 0, '58585858', 'magic'],
  ['version 0', 6, '0000', 'version'],
  ['version 2', 6, '0002', 'version'],
  ['a cipher without an end', 8, '61'.repeat(32), 'cipher_name'],
  ['a mode without an end', 40, '61'.repeat(32), 'cipher_mode'],
  ['a hash without an end', 72, '61'.repeat(32), 'hash_spec'],
  ['a UUID without an end', 168, '61'.repeat(40)],
  ['a payload in the header', 104, '00000007', 'payload_offset'],
  ['a payload in the last key slot', 104, '00000fc7', 'key_material_offset'],
  ['a payload past the area', 104, '00001000'],
  ['a digest without iterations', 164, '00000000', 'mk_digest_iter'],
  ['a slot of another state', slot(0), '00000001', 'active'],
  ['a slot that is not in use', slot(0), '0000dead'],
  ['a slot without iterations', slot(0) + 4, '00000000', 'iterations'],
  ['key material in the header', slot(0) + 40, '00000007', 'key_material_offset'],
  ['key material in that of another slot', slot(0) + 40, '00000009', 'key_material_offset'],
  ['key material in the payload', slot(0) + 40, '00000fa0', 'key_material_offset'],
  ['another number of stripes', slot(1) + 44, '00000f9f', 'stripes']
]

test('a LUKS header that breaks a rule makes the image one that cannot be opened, by the field', () => {
  for (const [title, at, hex, field] of cases) {
    const { refused, metadata } = infoOf(poked(area + at, hex))
    assert.is(refused?.field, field, title)
    assert.is(refused?.clause, field === undefined ? undefined : 'LUKS-03', title)
    assert.is(metadata.issues.length === 0, field === undefined && title !== 'a payload past the area', title)
  }
  assert.match(infoOf(poked(area, '58585858')).refused?.message ?? '', 'not in LUKS format')
})

test('bytes other than 0 after the encryption area are a flaw, which check --strict counts', () => {
  assert.is(exitCode(checked(image), true), 0)
  const found = checked(poked(end + 3, '01'))
  assert.equal(
    found.findings.map(({ clause, severity, at }) => [clause, severity, at]),
    [['LUKS-02', 'flaw', end + 3]]
  )
  assert.equal([exitCode(found, false), exitCode(found, true)], [0, 2])
})

test('info reads the LUKS header once', () => {
  const reads: number[] = []
  const read = (asked: Parameters<ReturnType<typeof fromMemory>>[0]) => {
    reads.push(asked.at)
    return fromMemory(image)(asked)
  }
  const info = runSync(readInfo(image.length), { read, emit: () => undefined })
  assert.is(E.isRight(info) ? info.right.luks?.cipherMode : undefined, 'xts')
  assert.is(reads.filter((at) => at === area).length, 1)
})

const folder = mkdtempSync(join(tmpdir(), 'qcow2-luks-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

needsQemu(test)('qemu-img refuses the same LUKS headers', () => {
  for (const [title, at, hex, field] of cases) {
    writeFileSync(join(folder, 'a.qcow2'), poked(area + at, hex))
    const { status } = spawnSync('qemu-img', ['info', 'a.qcow2'], { cwd: folder })
    assert.is(status, field === undefined ? 0 : 1, title)
  }
})

test.run()
