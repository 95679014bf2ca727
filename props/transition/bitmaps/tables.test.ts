/** Tables of bitmaps: as long as the disk asks for, to the last entry, and trusted only where a bitmap command says so. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { bitmapsOf } from '../../../spec/reference/bitmap.js'
import { openImage } from '../../../spec/reference/image.js'
import type { AnyCommand } from '../../../src/transition/command.js'
import { holds } from '../../run/holds.js'
import { share, suite } from '../../run/suite.js'
import { countsOf, type Files, type Machine, machineOf, newMachine, perhaps, right } from '../model/machine.js'

const test = suite('bitmap tables')

const isClean = ({ files }: Machine, where: string): void => {
  const { corruptions, leaks, checkErrors } = countsOf(files)
  assert.equal([corruptions, leaks, checkErrors], [0, 0, 0], where)
}

const after = (m: Machine, command: AnyCommand): Machine => right(perhaps(m, command))

const filled = (at: number, byte: number): AnyCommand => ({ _tag: 'Write', at, bytes: new Uint8Array(512).fill(byte) })

/** Guest bytes of an entry of a bitmap table: a cluster of 512 bytes has a bit for each 512 bytes. */
const perEntry = 512 * 8 * 512

test('a table that ends at the end of a cluster, or next to it, marks the last byte, is merged, cleared and removed', () => {
  // A cluster has 64 entries.
  for (const entries of [1, 63, 64, 65, 72, 73, 127, 128, 129])
    for (const missing of [0, 512]) {
      const size = entries * perEntry - missing
      const where = `${entries} entries, a disk of ${size} bytes`
      const start = newMachine({ size, clusterBits: 9 })
      const added = after(start, { _tag: 'BitmapAdd', name: 'a', granularity: 512, enabled: true })
      const written = [0, size - 512].reduce((m, at) => after(m, filled(at, 7)), added)
      const dirty = (m: Machine, name: string): readonly number[] => {
        const found = bitmapsOf(openImage(m.files.image)).find((each) => each.name === name)
        return [...(found?.dirty ?? [])]
      }
      const all = [...new Set([0, size / 512 - 1])]
      assert.equal(dirty(written, 'a'), all, where)
      const other = after(written, { _tag: 'BitmapAdd', name: 'b', granularity: 512, enabled: false })
      const merged = after(other, { _tag: 'BitmapMerge', from: 'a', name: 'b' })
      assert.equal(dirty(merged, 'b'), all, where)
      const cleared = after(merged, { _tag: 'BitmapClear', name: 'a' })
      assert.equal(dirty(cleared, 'a'), [], where)
      const removed = ['a', 'b'].reduce((m, name) => after(m, { _tag: 'BitmapRemove', name }), cleared)
      for (const m of [added, written, merged, cleared, removed]) isClean(m, where)
    }
})

/** The byte of the header with the autoclear bit of the bitmaps, bit 0. @see BMP-11 */
const autoclearByte = 95

/** An image with two bitmaps that another writer has made untrusted. */
const untrusted = (options: Parameters<typeof newMachine>[0]): Files => {
  const added = ['a', 'b'].reduce(
    (m, name) => after(m, { _tag: 'BitmapAdd', name, granularity: 512, enabled: true }),
    after(newMachine(options), filled(0, 1))
  )
  const { files } = after(added, { _tag: 'SnapshotCreate', name: 's' })
  const image = files.image.slice()
  image[autoclearByte] = (image[autoclearByte] ?? 0) & 0xfe
  return { ...files, image }
}

const rebase = (length: number, format: string): AnyCommand => ({
  _tag: 'Rebase',
  backing: { name: 'b'.repeat(length), format, layers: [] }
})

/** Every command that is none of bitmaps, in several forms. */
const commandsOf: Readonly<Record<Exclude<AnyCommand['_tag'], `Bitmap${string}`>, readonly AnyCommand[]>> = {
  Write: [filled(0, 2), filled(65_536 - 512, 2)],
  WriteCompressed: [{ _tag: 'WriteCompressed', at: 8192, bytes: new Uint8Array(8192).fill(3) }],
  WriteZeroes: [true, false].map((unmap) => ({ _tag: 'WriteZeroes', at: 0, length: 8192, unmap })),
  Discard: [{ _tag: 'Discard', at: 0, length: 8192 }],
  Flush: [{ _tag: 'Flush' }],
  Resize: [32_768, 131_072, 2 ** 24].map((size) => ({ _tag: 'Resize', size })),
  SnapshotCreate: [{ _tag: 'SnapshotCreate', name: 't' }],
  SnapshotApply: [{ _tag: 'SnapshotApply', name: 's' }],
  SnapshotDelete: [{ _tag: 'SnapshotDelete', name: 's' }],
  Amend: [
    { _tag: 'Amend', options: { refcountOrder: 3 } },
    { _tag: 'Amend', options: { lazyRefcounts: true } },
    { _tag: 'Amend', options: { version: 2 } },
    { _tag: 'Amend', options: { backing: { name: 'b.raw', format: 'raw' } } }
  ],
  Rebase: [
    { _tag: 'Rebase' },
    ...[1, 40, 120, 200, 240, 280, 320].flatMap((length) =>
      ['raw', 'qcow2', 'a-format-of-25-characters'].map((format) => rebase(length, format))
    )
  ],
  MakeEmpty: [{ _tag: 'MakeEmpty' }],
  Populate: [{ _tag: 'Populate', from: 0, bytes: new Uint8Array(8192) }],
  WriteVmState: [{ _tag: 'WriteVmState', position: 0, bytes: new Uint8Array(700).fill(4) }]
}

test('no command but those of bitmaps makes bitmaps trusted that are not', () => {
  const commands = fc.constantFrom(...Object.values(commandsOf).flat())
  const small = untrusted({ size: 65_536, clusterBits: 9 })
  const others = [{ clusterBits: 12 }, { clusterBits: 14, extendedL2: true }]
  const images = fc.constantFrom(small, ...others.map((each) => untrusted({ size: 65_536, ...each })))
  holds(
    fc.property(images, fc.array(commands, { minLength: 1, maxLength: 6, size: 'max' }), (files, script) => {
      script.reduce((m, command) => {
        const done = perhaps(m, command)
        share('commands carried out', 0.5, E.isRight(done))
        if (E.isLeft(done)) return m
        const { image } = done.right.files
        // Version 2 has no autoclear bits, and other bytes where they would be.
        if (image[7] === 3) assert.is((image[autoclearByte] ?? 0) & 1, 0, command._tag)
        return done.right
      }, machineOf(files))
    }),
    // The extensions and the name leave so little room that bitmaps could not be trusted on the way.
    { runs: 200, examples: [[small, [rebase(320, 'qcow2'), rebase(320, 'raw')]]] }
  )
})

test.run()
