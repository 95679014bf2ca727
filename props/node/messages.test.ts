/** Messages: exact to the last digit, where the fault is, and what to do about it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { execute } from '../../src/node/program.js'
import { suite } from '../run/suite.js'
import { messageOf, runHere } from './outcome.js'

const test = suite('messages')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-messages-'))
const place = (name: string): string => join(folder, name)
test.after(() => {
  rmSync(folder, { recursive: true })
})

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))

/** The outcome of a command that prints. */
const run = (...args: readonly string[]) => {
  const done = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
  return { code: done.status, out: done.stdout, error: done.stderr }
}

/** The message of a command that fails. */
const refusal = (...words: readonly string[]): Promise<string> => messageOf(execute(words, () => undefined))

test('sizes and offsets in messages are exact to the last digit', async () => {
  const image = place('exact.qcow2')
  await runHere('create', '-q', image, '1M')
  const tooLarge = (bytes: string) =>
    `A disk of ${bytes} bytes is too large: at most 9007199254740991 bytes are supported`
  const cases: readonly (readonly [words: readonly string[], message: string])[] = [
    [['create', '-q', place('x'), '4E'], `${place('x')}: ${tooLarge('4611686018427387904')}`],
    [['create', '-q', place('x'), '1152921504606846977'], `${place('x')}: ${tooLarge('1152921504606846977')}`],
    [['create', '-q', '-f', 'raw', place('x'), '9007199254740993'], `${place('x')}: ${tooLarge('9007199254740993')}`],
    [['resize', image, '+1E'], tooLarge(`${2n ** 60n + 2n ** 20n}`)],
    [['amend', '-o', 'size=9007199254740993', image], tooLarge('9007199254740993')],
    [
      ['read', image, '9007199254740993', '1'],
      'bytes 9007199254740993 to 9007199254740993 reach past the end of the disk (1048576 bytes)'
    ],
    [
      ['explain', image, '9007199254740993'],
      `byte 9007199254740993 is past the end of '${image}' (${readFileSync(image).length} bytes)`
    ]
  ]
  for (const [words, message] of cases) assert.is(await refusal(...words), message)
})

test('refcounts in findings are exact to the last digit', async () => {
  const image = place('refcounts.qcow2')
  await runHere('create', '-q', '-o', 'refcount_bits=64', image, '1M')
  for (const count of [2n ** 53n + 1n, 2n ** 64n - 1n]) {
    const bytes = readFileSync(image)
    const block = Number(bytes.readBigUInt64BE(Number(bytes.readBigUInt64BE(48))))
    const l1 = Number(bytes.readBigUInt64BE(40))
    bytes.writeBigUInt64BE(count, block + (8 * l1) / 65536)
    writeFileSync(image, bytes)
    const { out } = run('check', image)
    assert.match(out, `found refcount ${count} for 1 references`)
  }
})

test('what is not in the image has no byte offset in a message', async () => {
  const image = place('plain.qcow2')
  await runHere('create', '-q', image, '1M')
  assert.is(
    await refusal('snapshot', '-d', 'none', image),
    "Could not delete snapshot 'none': image: found no snapshot 'none', expected the name of an existing snapshot [SNAP-10]"
  )
})

test('a bitmap in use is named by the byte offset of its flags', async () => {
  const image = place('in-use.qcow2')
  await runHere('create', '-q', image, '1M')
  await runHere('bitmap', '--add', image, 'b')
  const bytes = readFileSync(image)
  const extension = bytes.indexOf(Uint8Array.of(0x23, 0x85, 0x28, 0x75))
  const flags = Number(bytes.readBigUInt64BE(extension + 24)) + 12
  bytes.writeUInt32BE(bytes.readUInt32BE(flags) | 1, flags)
  writeFileSync(image, bytes)
  assert.match(await refusal('resize', image, '2M'), `flags.in_use at byte ${flags}: found set`)
})

test('a backing file name with a colon before its first slash is said to be of a protocol', async () => {
  const image = place('overlay.qcow2')
  for (const name of ['a:b.qcow2', 'nbd://host/disk']) {
    await runHere('create', '-q', '-u', '-b', name, '-F', 'qcow2', image, '1M')
    const message = await refusal('map', image)
    assert.match(message, `'${name.replace(/:.*/, ':')}' names a protocol`)
    assert.not.match(message, '--allow')
  }
})

test('sizes with a fraction, and every word for on and off, are taken wherever there are some', async () => {
  const image = place('values.qcow2')
  await runHere('create', '-q', image, '1.5M')
  const cases: readonly (readonly string[])[] = [
    ['read', image, '0x200', '0.0k'],
    ['map', '-s', '1.5k', '-l', '0.5k', image],
    ['explain', image, '0.5k'],
    ['resize', image, '+0.5M'],
    ['io', '-c', 'read -q 0.5k 1.5k', image],
    ['convert', '-S', '0.5k', image, place('values.raw')],
    ...['yes', 'n'].map((word) => ['amend', '-o', `lazy_refcounts=${word}`, image])
  ]
  for (const words of cases) {
    const { code, error } = run(...words)
    assert.is(code, 0, error)
  }
})

test('a file that is no qcow2 image is named by what it is, with what to do, by every command and as a backing file', async () => {
  const [image, overlay] = [place('packed.gz'), place('over.qcow2')]
  writeFileSync(image, gzipSync('disk'))
  await runHere('create', '-q', '-u', '-b', 'packed.gz', '-F', 'qcow2', overlay, '1M')
  const why = `Could not open '${image}': header magic at byte 0: found 0x1f8b0800, expected 0x514649fb [OPEN-01]; this is a gzip file: decompress it first, or read it with --decompress`
  const commands: readonly (readonly string[])[] = [
    ['info', image],
    ['info', '--backing-chain', image],
    ['check', image],
    ['check', '-r', 'all', image],
    ['map', image],
    ['read', image, '0', '1'],
    ['convert', image, place('x')],
    ['compare', overlay, image],
    ['resize', image, '1M'],
    ['snapshot', '-l', image],
    ['bitmap', '--add', image, 'b'],
    ['amend', '-o', 'compat=1.1', image],
    ['rebase', '-u', '-b', '', image],
    ['commit', image],
    ['io', '-c', 'read 0 1', image],
    ['map', overlay],
    ['commit', overlay],
    ['rebase', '-b', '', overlay],
    ['io', '-c', 'write 0 1', overlay]
  ]
  for (const words of commands) assert.is(await refusal(...words), why, words.join(' '))
})

test('the message on a file that is no qcow2 image names its kind and the next step', async () => {
  const image = place('other')
  const cases: readonly (readonly [bytes: string, why: string])[] = [
    ['', 'found 0x0, expected 0x514649fb [OPEN-01]; this is an empty file: fetch the image again'],
    ['<html>', '; this is a web page (HTML or XML): fetch the image again'],
    ['KDMV', '[OPEN-01]; this is a VMDK image: convert it first: qemu-img convert -f vmdk -O qcow2'],
    [
      'QFI\xfb\0\0\0\x01',
      'version at byte 4: found 1, expected 2 or 3 [OPEN-02]; this is a qcow image of version 1: convert it first: qemu-img convert -f qcow -O qcow2'
    ],
    ['QFI\xfb\0\0\0\x04', 'version at byte 4: found 4, expected 2 or 3 [OPEN-02]'],
    ['LUKS\xba\xbe', '; this is a raw disk encrypted by LUKS: convert -f raw takes it as it is'],
    ['\x01\x02\x03\x04', '[OPEN-01]; if it is a raw disk, convert -f raw takes it as it is']
  ]
  for (const [bytes, why] of cases) {
    writeFileSync(image, bytes, 'latin1')
    for (const command of ['info', 'check', 'map']) {
      const message = await refusal(command, image)
      assert.ok(message.endsWith(why), message)
    }
  }
})

test.run()
