/** Secrets are defined as by `--object` of QEMU's tools; what defines none is refused as there, and no password is in a message. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { empty, toHex } from '../../src/bytes/octets.js'
import { GivenSecrets } from '../../src/node/images/secrets.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'

const test = suite('secrets')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-secrets-'))
const file = (name: string): string => join(folder, name)
const none = new GivenSecrets()

test.before(() => {
  writeFileSync(file('word'), 'from a file\n')
  writeFileSync(file('nul'), 'up to\0here')
  writeFileSync(file('latin'), Uint8Array.of(0x70, 0xff))
  writeFileSync(file('long'), new Uint8Array(2 ** 23 + 1))
})
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** Definitions with the password of `s`. */
const passwords: readonly (readonly [definition: string, password: string])[] = [
  ['secret,id=s,data=word', 'word'],
  ['secret,data=word,id=s,format=raw', 'word'],
  ['qom-type=secret,id=s,data=a,,b', 'a,b'],
  ['secret,id=s,data=', ''],
  ['secret,id=s,data=d29yZA==,format=base64', 'word'],
  ['{"qom-type":"secret","id":"s","data":"word"}', 'word'],
  [`secret,id=s,file=${file('word')}`, 'from a file\n'],
  [`secret,id=s,file=${file('nul')}`, 'up to']
]

/** Definitions of no secret, with why. */
const refusals: readonly (readonly [definition: string, why: string])[] = [
  ['secret', "Parameter 'id' is missing"],
  ['id=s,data=word', "Parameter 'qom-type' is missing"],
  ['secret,data=word', "Parameter 'id' is missing"],
  ['secret,id=s', "Either 'file' or 'data' must be provided"],
  ['secret,id=s,data=word,file=x', "'file' and 'data' are mutually exclusive"],
  ['secret,id=s,data=word,format=hex', "Parameter 'format' does not accept value 'hex'"],
  ['secret,id=s,data=word,other=1', "Parameter 'other' is unexpected"],
  ['secret,id=1,data=word', "Parameter 'id' expects an identifier"],
  ['word,id=s', "Parameter 'qom-type' does not accept value 'word'"],
  ['secret,id=s,file=/absent/file', 'Unable to read /absent/file: '],
  ['secret,id=s,data=w*rd,format=base64', 'not valid base64'],
  ['{"qom-type":"secret","id":"s","data":"word"', 'Could not parse the JSON'],
  ['{"qom-type":"secret","id":"s","data":{"word":1}}', "Invalid parameter type for 'data', expected: string"],
  ['{"qom-type":"secret","id":"s","data":12}', "Invalid parameter type for 'data', expected: string"]
]

test('a definition of a secret gives its password: UTF-8 up to the first NUL', () => {
  for (const [definition, password] of passwords) {
    const { secrets } = none.and(definition)
    assert.ok(E.isRight(secrets), definition)
    assert.is(toHex(secrets.right.get('s') ?? Uint8Array.of(0)), Buffer.from(password).toString('hex'), definition)
  }
})

test('what defines no secret is refused without its data', () => {
  const ours = [
    ['secret,id=s,data=word,keyid=k', "Parameter 'keyid' is not supported"],
    [`secret,id=s,file=${file('long')}`, 'it has more than 8388608 bytes'],
    [`secret,id=s,file=${file('latin')}`, 'Data from secret s is not valid UTF-8']
  ] as const
  for (const [definition, why] of [...refusals, ...ours]) {
    const { secrets } = none.and(definition)
    assert.ok(E.isLeft(secrets), definition)
    assert.match(secrets.left.message, why)
    if (/data=w.rd|"data"/.test(definition)) assert.not.match(secrets.left.message, /w.rd/)
  }
})

test('two secrets have two ids, and wiping overwrites both passwords', () => {
  const both = none.and('secret,id=s,data=word').and('secret,id=t,data=other')
  const { secrets } = both
  assert.ok(E.isRight(secrets))
  assert.equal([...secrets.right.keys()], ['s', 't'])
  const again = both.and('secret,id=t,data=word').and('secret,id=u,data=word').secrets
  assert.match(E.isLeft(again) ? again.left.message : '', "two secrets with id 't'")
  both.wipe()
  assert.equal([...secrets.right.values()].map(toHex), ['00000000', '0000000000'])
})

test('the passwords of a thread are those that are wiped', () => {
  const given = none.and('secret,id=s,data=word')
  const { secrets } = given
  assert.ok(E.isRight(secrets))
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(secrets.right)
  const received = receiveMessageOnPort(port2)?.message as ReadonlyMap<string, Uint8Array>
  port1.close()
  assert.is(toHex(received.get('s') ?? empty), toHex(Buffer.from('word')))
  given.wipe()
  assert.is(toHex(received.get('s') ?? empty), '00000000')
})

needsQemu(test)('qemu-img takes and refuses the same definitions', () => {
  writeFileSync(file('raw'), new Uint8Array(512))
  const takes = (definition: string): boolean =>
    spawnSync('qemu-img', ['info', '--object', definition, '-f', 'raw', file('raw')]).status === 0
  for (const [definition] of passwords) assert.ok(takes(definition), definition)
  for (const [definition] of refusals) assert.not.ok(takes(definition), definition)
})

test.run()
