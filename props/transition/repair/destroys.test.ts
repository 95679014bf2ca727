/** What a repair must not destroy, and what it must name before it does. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { viewOf } from '../../../src/bytes/octets.js'
import { portable } from '../../../src/compression/decompress.js'
import { check } from '../../../src/image/check/check.js'
import { exitCode } from '../../../src/image/check/report.js'
import type { AnyCommand } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { type Repaired, repair, type RepairMode } from '../../../src/transition/repair/repair.js'
import { execute } from '../../../src/node/program.js'
import { suite } from '../../run/suite.js'
import { runOn } from '../../image/world.js'
import { type Machine, newMachine, perform, perhaps, right } from '../model/machine.js'

const test = suite('destroys')

const nothing = new Uint8Array(0)
const size = 4096
const plain: CreateOptions = { size: 65_536, clusterBits: 12 }
const writing: AnyCommand = { _tag: 'Write', at: 0, bytes: new Uint8Array(3 * size).fill(7) }

const made = (options: CreateOptions, commands: readonly AnyCommand[]): Uint8Array =>
  commands.reduce<Machine>((m, command) => right(perhaps(m, command)), newMachine(options)).files.image.slice()

const word = (image: Uint8Array, at: number): number => Number(viewOf(image).getBigUint64(at) & 0xff_ffff_ffff_fe00n)

const put = (image: Uint8Array, at: number, value: bigint): Uint8Array => {
  viewOf(image).setBigUint64(at, value)
  return image
}

const repaired = (image: Uint8Array, mode: RepairMode) =>
  runOn(image, repair({ backing: [], decompressor: portable }, image.length, mode))

const imageAfter = (image: Uint8Array, { writes }: Repaired): Uint8Array =>
  perform({ image, data: nothing, backing: nothing }, writes).image

const checked = (image: Uint8Array) => right(right(runOn(image, check(image.length))))

/** Host bytes of the clusters that a check takes for lost L2 tables. */
const lost = (image: Uint8Array): readonly number[] =>
  checked(image).findings.flatMap(({ clause, at }) => (clause === 'CHK-17' ? [at] : []))

/** Runs the command over an image in a file. Returns the exit code or the error, what it warns of, and the image. */
const inFile = async (image: Uint8Array, ...words: readonly string[]) => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-destroys-'))
  try {
    const file = join(folder, 'a.qcow2')
    writeFileSync(file, image)
    const warnings: string[] = []
    /** Whether the image was as before at each warning. */
    const asBefore: boolean[] = []
    const ended = await execute([...words, file], ({ message }) => {
      warnings.push(message)
      asBefore.push(readFileSync(file).equals(image))
    })()
    return { ended: E.isLeft(ended) ? ended.left.message : ended.right, warnings, asBefore, image: readFileSync(file) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** An image with a written L2 table that its L1 entry no longer names, and the place of that table. */
const withLostTable = (options: CreateOptions, commands: readonly AnyCommand[] = []) => {
  const image = made(options, [writing, ...commands])
  const l1 = word(image, 40)
  const table = word(image, l1)
  return { image: put(image, l1, 0n), table }
}

test('a check notes a leaked cluster that looks like a lost L2 table', () => {
  const { image, table } = withLostTable(plain)
  assert.equal(lost(image), [table])
  assert.is(checked(image).leaks, 4)
  const compressed = withLostTable(plain, [{ _tag: 'WriteCompressed', at: 4 * size, bytes: new Uint8Array(size) }])
  assert.equal(lost(compressed.image), [compressed.table])
  const extended = withLostTable({ ...plain, clusterBits: 14, extendedL2: true })
  assert.equal(lost(extended.image), [extended.table])
})

test('a table whose clusters a snapshot has too is noted', () => {
  const { image, table } = withLostTable(plain, [
    { _tag: 'SnapshotCreate', name: 's' },
    { _tag: 'Write', at: 5 * size, bytes: new Uint8Array(size).fill(1) }
  ])
  assert.equal(lost(image), [table])
})

test('leaked clusters of anything else are not noted', () => {
  const { image, table } = withLostTable(plain)
  const entries: readonly (readonly [string, bigint])[] = [
    ['a reserved bit', viewOf(image).getBigUint64(table) | 2n],
    ['a cluster past the end of the file', 0x8000_0000_7f00_0000n],
    ['text', 0x6b6e_6f77_6c65_6467n]
  ]
  for (const [title, entry] of entries) assert.equal(lost(put(image.slice(), table + 8 * 9, entry)), [], title)
  assert.equal(lost(put(image.slice(), table + 8 * 9, BigInt(size) | (1n << 63n))), [], 'the refcount table')
  const zeros = image.slice()
  for (let i = 0; i < 3; i++) put(zeros, table + 8 * i, 0n)
  assert.equal(lost(zeros), [])
  assert.is(checked(zeros).leaks, 4)
})

test('a repair warns of what looks like a lost L2 table before it writes', async () => {
  const { image, table } = withLostTable(plain)
  const { ended, warnings, asBefore } = await inFile(image, 'check', '-q', '-r', 'leaks')
  assert.is(ended, 0)
  assert.is(warnings.length, 1)
  assert.match(
    warnings[0] ?? '',
    new RegExp(`^warning: L2 table at byte ${table}: .*found 3 of 512 entries naming leaked clusters, .*\\[CHK-17\\]$`)
  )
  assert.equal(asBefore, [true])
})

test('a repair deletes no snapshots past the limits of QEMU, and leaves the image alone', async () => {
  const many = new Uint8Array(2 ** 22)
  many.set(made({ ...plain, version: 2 }, []))
  put(many, 64, 2n ** 20n)
  viewOf(many).setUint32(60, 65_537)
  const large = made(plain, [{ _tag: 'SnapshotCreate', name: 's' }])
  viewOf(large).setUint32(word(large, 64) + 36, 0xffff_ffff)
  for (const image of [many, large]) {
    const { ended, image: after } = await inFile(image, 'check', '-q', '-r', 'all')
    assert.match(String(ended), /^Check failed: .*; a repair deletes no snapshots \[CHK-16\]$/)
    assert.ok(after.equals(image))
    const leaks = await inFile(image, 'check', '-q', '-r', 'leaks')
    assert.match(String(leaks.ended), /^Could not open '.*\[OPEN-(17|30)\]$/)
  }
})

test('refcounts are rebuilt where the header says that the refcount table is at byte 0', () => {
  const image = put(made(plain, [writing]), 48, 0n)
  assert.is(exitCode(checked(image)), 2)
  const step = right(repaired(image, 'all'))
  const after = imageAfter(image, step)
  assert.is(exitCode(checked(after)), 0)
  assert.equal(after.subarray(0, 48), image.subarray(0, 48))
  assert.ok(after.length < 2 ** 20)
})

test('a repair frees nothing that a table past the end of the file may name, and leaves the way to it', () => {
  const image = made(plain, [
    writing,
    { _tag: 'BitmapAdd', name: 'b', granularity: size, enabled: true },
    { _tag: 'SnapshotCreate', name: 's' },
    { _tag: 'Write', at: 0, bytes: new Uint8Array(3 * size).fill(8) }
  ])
  const directory = Buffer.from(image).indexOf('23852875', 'hex') + 24
  const places: Readonly<Record<string, number>> = {
    'L2 table': word(image, 40),
    'snapshot table': 64,
    'L1 table of a snapshot': word(image, 64),
    'bitmap table': word(image, directory)
  }
  const far = 0x100_0000n
  for (const [title, at] of Object.entries(places)) {
    const damaged = put(image.slice(), at, far)
    for (const mode of ['leaks', 'all'] as const) {
      const after = imageAfter(damaged, right(repaired(damaged, mode)))
      assert.is(viewOf(after).getBigUint64(at), far, `${title}, ${mode}`)
      assert.is(
        right(right(runOn(put(after, at, viewOf(image).getBigUint64(at)), check(after.length)))).corruptions,
        0,
        `${title}, ${mode}`
      )
    }
  }
})

test('a repair cuts the extra data of a snapshot that ends past the end of the file', () => {
  const image = made(plain, [{ _tag: 'SnapshotCreate', name: 's' }])
  const table = word(image, 64)
  viewOf(image).setUint32(table + 36, 2 ** 15)
  const after = imageAfter(image, right(repaired(image, 'all')))
  assert.is(exitCode(checked(after)), 0)
  assert.is(word(after, word(after, 64)), word(image, table))
})

test.run()
