/** Writing behind: what is put into a file is there in the end, though its memory is used again after a few turns. */
import { pbkdf2 } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { Behind, mostTurns } from '../../src/node/files/behind.js'
import { writeFully } from '../../src/node/files/sparse.js'
import { holdsInTime } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('writing behind')
const folder = mkdtempSync(join(tmpdir(), 'qcow2-behind-'))
const path = join(folder, 'file')
test.after(() => rmSync(folder, { recursive: true }))

const longest = 2 ** 21

/** Turns, each of a few parts of one memory. */
const turns = fc.array(fc.array(fc.constantFrom(0, 1, 4096, 2 ** 15, 2 ** 18, longest), { maxLength: 2 }), {
  minLength: 1,
  maxLength: 12
})

/** Keeps the threads that write at other work for a while, so that what is put into the file has to wait. */
const occupied = (): Promise<unknown> =>
  Promise.all(Array.from({ length: 12 }, () => promisify(pbkdf2)('', '', 20_000, 32, 'sha256')))

test('everything is in its place when it ends', async () => {
  const memories = Array.from({ length: mostTurns }, () => new Uint8Array(longest))
  await holdsInTime(
    fc.asyncProperty(turns, async (lengths) => {
      const fd = openSync(path, 'w+')
      const behind = new Behind()
      let at = 0
      const others = occupied()
      try {
        for (const [i, parts] of lengths.entries()) {
          const memory = memories[i % mostTurns] ?? new Uint8Array()
          memory.fill(i + 1)
          for (const length of parts) {
            behind.put(fd, memory.subarray(0, length), at)
            at += length
          }
          await behind.turn()
        }
      } finally {
        await behind.end()
        closeSync(fd)
        await others
      }
      const expected = Buffer.concat(lengths.flatMap((parts, i) => parts.map((length) => Buffer.alloc(length, i + 1))))
      assert.ok(readFileSync(path).equals(expected))
    }),
    // More turns than have memories of their own, all before the first write is done.
    { runs: 20, examples: [[Array.from({ length: 2 * mostTurns }, () => [2 ** 15])]] }
  )
})

test('what the system throws is told by the end of all turns', async () => {
  writeFileSync(path, '')
  const fd = openSync(path, 'r')
  const behind = new Behind()
  behind.put(fd, new Uint8Array(longest), 0)
  const failures: unknown[] = []
  for (let i = 0; i < mostTurns + 1; i++) await behind.turn()?.catch((error: unknown) => failures.push(error))
  await behind.end().catch((error: unknown) => failures.push(error))
  closeSync(fd)
  assert.is(failures.length, 1)
  assert.match(String(failures[0]), /EBADF/)
})

test('bytes whose place is no exact number are not written, now or later', async () => {
  writeFileSync(path, 'before')
  const fd = openSync(path, 'r+')
  for (const at of [2 ** 53, 2 ** 55]) {
    assert.throws(() => {
      writeFully(fd, new Uint8Array(512), at)
    }, /too large/)
    const behind = new Behind()
    behind.put(fd, new Uint8Array(longest), at)
    const told = await behind.end().then(
      () => 'written',
      (error: unknown) => String(error)
    )
    assert.match(told, /too large/)
  }
  closeSync(fd)
  assert.is(readFileSync(path, 'latin1'), 'before')
})

test.run()
