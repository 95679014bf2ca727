/** Encrypted images are read with their secrets as by qemu-img, over every kind of layer; without, or with others, they are not. */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { Command as Parser } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { load } from '../../corpus/load.js'
import { toHex } from '../../src/bytes/octets.js'
import type { CommandError } from '../../src/node/command-error.js'
import { check } from '../../src/node/commands/check.js'
import { GivenSecrets } from '../../src/node/images/secrets.js'
import { execute } from '../../src/node/program.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { messageOf, runHere } from './outcome.js'

const test = suite('encrypted images')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-encrypted-'))
const place = (name: string): string => join(folder, name)

test.before(() => {
  for (const [name, kept] of [
    ['luks', 'case-59-luks'],
    ['aes', 'case-60-aes'],
    ['plain', 'case-01-empty-v3']
  ] as const)
    writeFileSync(place(`${name}.qcow2`), load(kept).image)
  writeFileSync(place('key'), 'abc')
})
test.after(() => {
  rmSync(folder, { recursive: true })
})

const secret = ['--object', 'secret,id=s,data=abc']
const other = ['--object', 'secret,id=t,data=another']
const named = (name: string, more = ''): string =>
  `driver=qcow2,file.filename=${place(name)}.qcow2,encrypt.key-secret=s${more}`

const ours = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' })
  return { status, printed: stdout + stderr }
}

const qemu = (program: string, ...args: readonly string[]): unknown =>
  execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })

/** Whether both convert an image to the same raw file. */
const agree = (image: string, ...options: readonly string[]): void => {
  const words = [...secret, ...other, '--image-opts', ...options, '-O', 'raw', image]
  const { status, printed } = ours('convert', ...words, 'ours.raw')
  assert.is(status, 0, `${image}: ${printed}`)
  qemu('qemu-img', 'convert', ...words, 'theirs.raw')
  assert.ok(readFileSync(place('ours.raw')).equals(readFileSync(place('theirs.raw'))), image)
}

needsQemu(test)('the disk of a chain, of a snapshot, and in a data file is that of qemu-img', () => {
  const io = (image: string, ...lines: readonly string[]): unknown =>
    qemu('qemu-io', ...secret, ...other, ...lines.flatMap((line) => ['-c', line]), '--image-opts', image)
  const create = (image: string, options: string): unknown =>
    qemu('qemu-img', 'create', '-q', '-f', 'qcow2', ...secret, ...other, '-o', options, `${image}.qcow2`, '4M')

  copyFileSync(place('luks.qcow2'), place('top.qcow2'))
  create('base', 'encrypt.format=aes,encrypt.key-secret=t,cluster_size=4k')
  io(
    'driver=qcow2,file.filename=base.qcow2,encrypt.key-secret=t',
    'write -P 1 0 1M',
    'write -c -P 2 1M 64k',
    'write -P 3 3M 5k'
  )
  qemu('qemu-img', 'rebase', '-u', '-b', 'base.qcow2', '-F', 'qcow2', ...secret, '--image-opts', named('top'))
  const chain = named('top', ',backing.encrypt.key-secret=t')
  qemu('qemu-img', 'snapshot', '-c', 'before', ...secret, ...other, '--image-opts', chain)
  io(chain, 'write -P 4 60k 10k', 'write -P 5 2M 1k', 'write -z 1M 4k')
  agree(chain)
  agree(chain, '-l', 'before')

  create('outside', 'encrypt.format=aes,encrypt.key-secret=s,data_file=outside.raw,cluster_size=512')
  io(named('outside'), 'write -P 6 1k 100k', 'write -P 7 3M 513', 'discard 4k 512')
  agree(named('outside'))
  agree(named('plain'))
})

needsQemu(test)('the VM state of an AES image is decrypted by the offsets that it has in the guest', () => {
  copyFileSync(place('aes.qcow2'), place('state.qcow2'))
  qemu('qemu-io', ...secret, '-c', 'write -b -P 9 0 4k', '-c', 'write -b -P 8 4k 512', '--image-opts', named('state'))
  const read = ours(
    'io',
    '-r',
    ...secret,
    '-c',
    'read -b -P 9 0 4k',
    '-c',
    'read -b -P 8 4k 512',
    '--image-opts',
    named('state')
  )
  assert.is(read.status, 0, read.printed)
})

test('commands that read the guest disk read it with its secret, in files and in data', async () => {
  const file = ['--object', `secret,id=s,file=${place('key')}`]
  const base64 = ['--object', 'secret,id=s,data=YWJj,format=base64']
  const reads = (image: string) => ['-c', 'read -q -P 7 0 64k', '-c', 'read -q -P 0 64k 64k', '--image-opts', image]
  await runHere('io', '-r', ...file, ...reads(named('luks')))
  for (const args of [
    ['convert', ...base64, '--image-opts', '-O', 'qcow2', '-c', named('aes'), place('copy.qcow2')],
    ['compare', '-q', ...base64, '--image-opts', named('aes'), `driver=qcow2,file.filename=${place('copy.qcow2')}`],
    ['io', ...base64, ...reads(named('aes'))],
    [
      'io',
      ...base64,
      '-c',
      `open -o driver=qcow2,encrypt.key-secret=s ${place('aes.qcow2')}`,
      '-c',
      'read -q -P 7 0 1'
    ],
    ['dd', ...base64, '--image-opts', `if=${named('aes')}`, `of=${place('copy.raw')}`],
    ['check', '-q', ...base64, '--image-opts', named('aes')],
    ['snapshot', '-l', ...base64, '--image-opts', named('aes')]
  ])
    await runHere(...args)
  const read = ours('read', ...base64, '--image-opts', named('aes'), '65530', '8')
  assert.is(read.printed, '\x07'.repeat(6) + '\0\0')
})

/** Images by their options, with why they are not opened, as in QEMU. */
const refusals: readonly (readonly [image: string, why: string])[] = [
  [named('luks').replace('=s', '=t'), 'Invalid password, cannot unlock any keyslot'],
  [named('luks').replace('=s', '=u'), "No secret with id 'u'"],
  [named('luks', ',encrypt.format=aes'), "Header reported 'luks' encryption format but options specify 'aes'"],
  [named('aes', ',encrypt.format=luks'), "Header reported 'aes' encryption format but options specify 'luks'"],
  [named('plain', ',encrypt.format=luks'), "No encryption in image header, but options specified format 'luks'"]
]
const withoutKey = ['luks', 'aes'].map((name) => `driver=qcow2,file.filename=${place(name)}.qcow2`)

/** The message of a command that fails. */
const failureOf = (...words: readonly string[]): Promise<string> => messageOf(execute(words, () => undefined))

test('an image is not opened with another secret or none, and no password is in the message', async () => {
  for (const [image, why] of refusals)
    for (const words of [['check'], ['map'], ['snapshot', '-c', 'x'], ['io', '-c', 'quit']]) {
      const message = await failureOf(...words, ...secret, ...other, '--image-opts', image)
      assert.match(message, why)
      assert.not.match(message, /abc|another/)
    }
  for (const image of withoutKey)
    for (const words of [
      ['read', image, '0', '1'],
      ['convert', image, place('x.raw')],
      ['io', '-c', 'quit', image]
    ])
      assert.match(
        await failureOf(...words, '--image-opts'),
        "Parameter 'encrypt.key-secret' is required for cipher [LUKS-08]"
      )
})

test('a command overwrites the passwords that it was given', async () => {
  const parser = new Parser('check')
  let running: TaskEither<CommandError, number> | undefined
  check.declare(
    parser,
    (started) => {
      running = started
    },
    () => undefined
  )
  parser.parse(['-q', ...secret, '--image-opts', named('aes')], { from: 'user' })
  const given: unknown = parser.getOptionValue('object')
  const passwords = given instanceof GivenSecrets && E.isRight(given.secrets) ? [...given.secrets.right.values()] : []
  assert.equal(passwords.map(toHex), ['616263'])
  assert.ok(running !== undefined)
  await running()
  assert.equal(passwords.map(toHex), ['000000'])
})

needsQemu(test)('qemu-img does not open them either, for the same reasons', () => {
  for (const [image, why] of refusals) {
    const words = ['map', ...secret, ...other, '--image-opts', image]
    const { status, stderr } = spawnSync('qemu-img', words, { cwd: folder, encoding: 'utf8' })
    assert.is(status, 1, image)
    assert.match(stderr, why)
  }
})

test.run()
