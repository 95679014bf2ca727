/** Images under every kind of LUKS that QEMU has AES for: qemu-io writes them, and both read the same disk. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { fromText } from '../../src/bytes/octets.js'
import { orFail, type Plan } from '../../src/bytes/plan.js'
import { portable } from '../../src/compression/decompress.js'
import { chainSize, type Chain } from '../../src/image/guest/chain.js'
import { activeDisk } from '../../src/image/guest/extents.js'
import { readGuest } from '../../src/image/guest/read.js'
import { unlock } from '../../src/image/guest/unlock.js'
import { readMetadata } from '../../src/image/metadata.js'
import { nativeCipher } from '../../src/node/encryption/native.js'
import { runOn } from '../image/world.js'
import { needsQemu } from '../run/qemu.js'
import { note, suite } from '../run/suite.js'
import { luksArea, type LuksWay } from './luks-area.js'

const test = suite('LUKS')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-luks-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

const password = 'a password'
const secret = ['--object', `secret,id=s,data=${password}`]
const named = 'driver=qcow2,encrypt.key-secret=s,file.filename=img.qcow2'

/** Makes an image; measuring how many iterations the time allows fails now and then. */
const create = (options: string, tries = 5): Buffer => {
  const all = `encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10,${options}`
  const { status, stderr } = spawnSync(
    'qemu-img',
    ['create', '-q', '-f', 'qcow2', ...secret, '-o', all, 'img.qcow2', '3M'],
    { cwd: folder, encoding: 'utf8' }
  )
  if (status !== 0 && tries === 0) throw new Error(stderr)
  return status === 0 ? readFileSync(join(folder, 'img.qcow2')) : create(options, tries - 1)
}

/** The same image, encrypted in another way. */
const encryptedIn = (image: Buffer, way: LuksWay): Buffer => {
  const pointer = image.indexOf(Uint8Array.of(0x05, 0x37, 0xbe, 0x77))
  const [at, length] = [8, 16].map((field) => Number(image.readBigUInt64BE(pointer + field)))
  const out = Buffer.from(image)
  out.set(luksArea(image.subarray(at, (at ?? 0) + (length ?? 0)), way, password), at)
  return out
}

/** The digest of the disk that is read here. */
function* digest(): Plan<string> {
  const m = yield* orFail(yield* readMetadata())
  if (m.geometry === undefined) throw new Error('no geometry')
  const decryption = yield* unlock(m, fromText(password), nativeCipher)
  const chain: Chain = [{ _tag: 'Image', disk: { ...activeDisk(m, m.geometry), decryption } }]
  const bytes = yield* readGuest(chain, 0, chainSize(chain), portable)
  decryption?.wipe()
  return createHash('sha256').update(bytes).digest('hex')
}

const lines = ['write -P 7 0 70k', 'write -P 8 1000k 200k', 'write -z 1M 64k', 'write -P 9 2M 512', 'discard 2560k 8k']

/** Whether QEMU opens the image, writes to it, and both then read the same disk. */
const agrees = (image: Buffer, title: string): void => {
  writeFileSync(join(folder, 'img.qcow2'), image)
  const run = (program: string, ...args: readonly string[]): unknown =>
    execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  run('qemu-io', ...secret, ...lines.flatMap((line) => ['-c', line]), '--image-opts', named)
  run('qemu-img', 'convert', ...secret, '--image-opts', '-O', 'raw', named, 'img.raw')
  const ours = runOn(readFileSync(join(folder, 'img.qcow2')), digest())
  const theirs = createHash('sha256')
    .update(readFileSync(join(folder, 'img.raw')))
    .digest('hex')
  assert.is(E.isRight(ours) ? ours.right : ours.left[0]?.message, theirs, title)
}

/** Ways whose modes OpenSSL has too, and hashes that a build of QEMU may lack none of. */
const ways: readonly LuksWay[] = [
  ...[128, 256].flatMap((bits) =>
    ['xts', 'cbc'].flatMap((chaining) =>
      ['plain', 'plain64', 'essiv:sha256', 'essiv:md5'].map((generator) => ({
        bits,
        mode: `${chaining}-${generator}`,
        hash: 'sha256'
      }))
    )
  ),
  ...['sha1', 'sha224', 'sha384', 'sha512', 'ripemd160', 'md5'].map((hash) => ({
    bits: 256,
    mode: 'xts-plain64',
    hash
  }))
]

needsQemu(test)('an image is read as in qemu-img, whatever its cipher, vectors, hash and clusters', () => {
  const image = create('cluster_size=64k')
  agrees(image, 'as it is')
  for (const way of ways) agrees(encryptedIn(image, way), JSON.stringify(way))
  // OpenSSL has no XTS of AES-192, which QEMU has.
  agrees(create('encrypt.cipher-alg=aes-192,encrypt.hash-alg=sha1,cluster_size=16k,extended_l2=on'), 'aes-192')
  note(`${ways.length + 2} images`)
})

test.run()
