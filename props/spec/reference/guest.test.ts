/** The reference reader returns the guest bytes that qemu-img reads, and fails where qemu-img fails. */
import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import type { ClauseId } from '../../../spec/clauses/index.js'
import { type Image, snapshotsOf, type Table } from '../../../spec/reference/image.js'
import { readGuest } from '../../../spec/reference/reader.js'
import { note, suite } from '../../run/suite.js'
import { opened, tally, tools } from './corpus.js'

const test = suite('reference reader')

/** Encrypted images: QEMU was given a key, and the reference has none. */
const withKey: Readonly<Record<string, ClauseId>> = { 'case-59-luks': 'LUKS-08', 'case-60-aes': 'LUKS-08' }

/** The digest of a disk, cluster by cluster. QEMU reads a snapshot at the size of the active disk, whatever its own. */
const digest = (image: Image, l1: Table): E.Either<ClauseId, string> => {
  const hash = createHash('sha256')
  for (let start = 0; start < image.size; start += image.clusterSize) {
    const bytes = readGuest(image, start, Math.min(image.clusterSize, image.size - start), tools, l1)
    if (E.isLeft(bytes)) return bytes
    hash.update(bytes.right)
  }
  return E.right(hash.digest('hex'))
}

test('the active disk and every snapshot have the digest of qemu-img, or fail where qemu-img fails', () => {
  const read = { disks: 0, snapshots: 0, bytes: 0 }
  const refused: string[] = []
  for (const { name, expect, reference } of opened('guest')) {
    const theirs = [expect.guest.active, ...expect.guest.snapshots]
    const tables = [reference.l1, ...snapshotsOf(reference).map(({ l1 }) => l1)]
    assert.is(tables.length, theirs.length, name)
    for (const [i, l1] of tables.entries()) {
      const ours = digest(reference, l1)
      if (E.isLeft(ours)) {
        assert.ok(theirs[i]?.exit === 1 || withKey[name] === ours.left, `${name}, disk ${i}: ${ours.left}`)
        refused.push(ours.left)
        continue
      }
      assert.is(withKey[name], undefined, name)
      assert.is(ours.right, theirs[i]?.sha256, `${name}, disk ${i}: ${theirs[i]?.stderr ?? 'other bytes'}`)
      read[i === 0 ? 'disks' : 'snapshots'] += 1
      read.bytes += reference.size
    }
  }
  note(
    `${read.disks} disks and ${read.snapshots} snapshots as qemu-img reads them, ${Math.round(read.bytes / 2 ** 20)} MiB in all`
  )
  note(`${refused.length} disks rejected, by clause: ${tally(refused)}`)
  assert.ok(read.disks > 450 && read.snapshots > 300 && refused.length > 15)
})

test.run()
