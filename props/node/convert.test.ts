/** Converting a disk that is compressed throughout, which several threads do together. */
import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import { imageName } from '../../corpus/recipe.js'
import { chainSize } from '../../src/image/guest/chain.js'
import { commandError } from '../../src/node/command-error.js'
import { openChain, type OpenChain } from '../../src/node/images/open.js'
import { earliest, startHelper } from '../../src/node/convert/to-raw.js'
import { WorkQueue } from '../../src/node/convert/to-raw.js'
import { nodeAt } from '../../src/node/images/image-node.js'
import { note, suite } from '../run/suite.js'
import { runHere } from './outcome.js'

const test = suite('convert')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-convert-'))
const place = (name: string): string => join(folder, name)

test.after(() => {
  rmSync(folder, { recursive: true })
})

const size = 2 ** 16
const clusters = 1000
const payloadSize = 1024

/** Bytes that name their cluster; every tenth cluster is zeros, and some begin with zeros. */
const guestCluster = (i: number): Buffer => {
  const bytes = Buffer.alloc(size)
  if (i % 10 === 7) return bytes
  return bytes.fill(`cluster ${i} `, i % 3 === 0 ? 8192 : 0)
}

const words = (at: number, values: readonly (readonly [number, number | bigint])[], image: Buffer): void => {
  for (const [offset, value] of values)
    if (typeof value === 'bigint') image.writeBigUInt64BE(value, at + offset)
    else image.writeUInt32BE(value, at + offset)
}

/** A compressed entry: the host offset, and the sectors of the payload but one above it. */
const compressedEntry = (host: number): bigint => (1n << 62n) | (BigInt(payloadSize / 512 - 1) << 54n) | BigInt(host)

/**
 * An image of compressed clusters, one payload of 1 KiB each; those of `broken` are no deflate streams, and the entry of
 * cluster `astray` has an offset that is not aligned.
 */
const image = (broken: readonly number[], astray?: number): Buffer => {
  const payloads = 3 * size
  const bytes = Buffer.alloc(payloads + clusters * payloadSize)
  words(
    0,
    [
      [0, 0x5146_49fb],
      [4, 3],
      [20, 16],
      [24, BigInt(clusters * size)],
      [36, 1],
      [40, BigInt(size)]
    ],
    bytes
  )
  words(
    0,
    [
      [48, BigInt(2 * size)],
      [56, 1],
      [96, 4],
      [100, 104]
    ],
    bytes
  )
  words(size, [[0, (1n << 63n) | BigInt(2 * size)]], bytes)
  for (let i = 0; i < clusters; i++) {
    const at = payloads + i * payloadSize
    const payload = broken.includes(i) ? Buffer.alloc(payloadSize, 0xff) : deflateRawSync(guestCluster(i))
    assert.ok(payload.length <= payloadSize)
    payload.copy(bytes, at)
    words(2 * size, [[8 * i, compressedEntry(at)]], bytes)
  }
  if (astray !== undefined) words(2 * size, [[8 * astray, 512n]], bytes)
  return bytes
}

const convert = (broken: readonly number[], astray?: number) => {
  const path = place('image.qcow2')
  writeFileSync(path, image(broken, astray))
  const done = spawnSync(process.execPath, [main, 'convert', path, place('out.raw')], { encoding: 'utf8' })
  return { code: done.status, error: done.stderr }
}

test('every cluster is written at its place', () => {
  assert.equal(convert([]), { code: 0, error: '' })
  const out = readFileSync(place('out.raw'))
  assert.is(out.length, clusters * size)
  for (let i = 0; i < clusters; i++)
    assert.ok(out.subarray(i * size, (i + 1) * size).equals(guestCluster(i)), `cluster ${i}`)
})

test('of several clusters that cannot be read the first is reported, whichever thread finds it, and no file is left', () => {
  rmSync(place('out.raw'), { force: true })
  for (const broken of [[0], [clusters - 1], [700, 703, 990], [900, 999], [290, 400, 500, 600, 700, 800]]) {
    const { code, error } = convert(broken)
    assert.is(code, 1)
    assert.match(error, /^qcow2: [^\n]+\[CMP-09\]\n$/)
    const first = 3 * size + (broken[0] ?? 0) * payloadSize
    assert.ok(error.includes(`at byte ${first}:`), error)
    assert.equal(readdirSync(folder), ['image.qcow2'])
  }
})

test('a cluster that cannot be read is reported before an invalid entry after it, and not before one in front of it', () => {
  assert.match(convert([500], 600).error, /\[CMP-09\]/)
  assert.match(convert([600], 500).error, /\[L2-02\]/)
})

const output = (path: string) => ({ name: path, path })

/** The result of a helper that finds the first `taken` shares claimed by another thread; its file starts as zeros. */
const help = (broken: readonly number[], taken: number, astray?: number) => {
  const [path, out] = [place('image.qcow2'), place('helped.raw')]
  writeFileSync(path, image(broken, astray))
  writeFileSync(out, '')
  truncateSync(out, clusters * size)
  const queue = new WorkQueue()
  for (let n = 0; n < taken; n++) queue.claim(n)
  return startHelper({ image: nodeAt(path), out: output(out), options: { allow: [] }, memory: queue.memory })
}
/** Clusters of a share. */
const share = 64

test('a helper copies the shares that no other thread has claimed', async () => {
  assert.equal(await help([2 * share - 1], 2), E.right(undefined))
  const out = readFileSync(place('helped.raw'))
  assert.not.ok(out.subarray(0, 2 * share * size).some((b) => b !== 0))
  for (let i = 2 * share; i < clusters; i++)
    assert.ok(out.subarray(i * size, (i + 1) * size).equals(guestCluster(i)), `cluster ${i}`)
})

test('zeros are not written, so that they stay holes', async () => {
  const [path, out] = [place('image.qcow2'), place('helped.raw')]
  writeFileSync(path, image([]))
  writeFileSync(out, Buffer.alloc(clusters * size, 0xff))
  const { memory } = new WorkQueue()
  const done = await startHelper({ image: nodeAt(path), out: output(out), options: { allow: [] }, memory })
  assert.equal(done, E.right(undefined))
  const written = readFileSync(out)
  for (let i = 0; i < clusters; i++) {
    const untouched = i % 10 === 7 ? size : i % 3 === 0 ? 8192 : 0
    const expected = guestCluster(i).fill(0xff, 0, untouched)
    assert.ok(written.subarray(i * size, (i + 1) * size).equals(expected), `cluster ${i}`)
  }
})

test('a helper reports the share in which it failed, and nothing that it finds in the share of another thread', async () => {
  const failed = await help([5 * share, 6 * share], 2)
  assert.ok(E.isLeft(failed))
  assert.is(failed.left.share, 5)
  assert.is(failed.left.clause, 'CMP-09')
  assert.equal(await help([], clusters, 6 * share), E.right(undefined))
  const all = [7, 5, 6].map((n) => ({ ...commandError(`in share ${n}`), share: n }))
  assert.equal(earliest([E.right(undefined), ...all.map(E.left)]), E.left(all[1]))
})

test('a helper that cannot write fails with the reason', async () => {
  const options = { allow: [] }
  const { memory } = new WorkQueue()
  const failed = await startHelper({
    image: nodeAt(place('image.qcow2')),
    out: output(place('missing')),
    options,
    memory
  })
  assert.match(E.isLeft(failed) ? failed.left.message : '', 'no such file')
})

/** Disks above this many bytes are left out: their files are holes for the most part. */
const most = 2 ** 26

/** Whether a disk can be read here: it has no key, and is not huge. @see LUKS-08 */
const readable = ({ chain }: OpenChain): boolean =>
  chainSize(chain) <= most && chain.every((layer) => layer._tag === 'Raw' || !layer.disk.encrypted)

test('the copy of every disk of the corpus that can be opened has the contents that qemu-img reads', async () => {
  const inner = mkdtempSync(join(folder, 'corpus-'))
  const out = join(inner, 'out.raw')
  let copied = 0
  for (const name of names()) {
    const { expect, files } = load(name)
    const { active } = expect.guest
    for (const [file, bytes] of files) writeFileSync(join(inner, file), bytes)
    const path = join(inner, imageName)
    const open = await openChain(path, { allow: [] })()
    if (E.isRight(open)) open.right.close()
    if (active.exit !== 0 || E.isLeft(open) || !readable(open.right)) continue
    await runHere('convert', path, out)
    assert.is(createHash('sha256').update(readFileSync(out)).digest('hex'), active.sha256, name)
    copied++
  }
  rmSync(inner, { recursive: true })
  assert.ok(copied > 300)
  note(`${copied} disks copied`)
})

test('an output in a missing folder is an error of one line', () => {
  writeFileSync(place('image.qcow2'), image([]))
  const out = join(folder, 'missing', 'out.raw')
  const done = spawnSync(process.execPath, [main, 'convert', place('image.qcow2'), out], { encoding: 'utf8' })
  assert.is(done.status, 1)
  assert.match(done.stderr, /^qcow2: [^\n]+no such file or directory\n$/)
})

test.run()
