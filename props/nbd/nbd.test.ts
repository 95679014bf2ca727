/** The NBD protocol as values: its messages byte for byte, the answer to each option, the refusal of each request. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { concat, fromHex, fromText, toHex } from '../../src/bytes/octets.js'
import * as messages from '../../src/nbd/messages.js'
import {
  acceptsOption,
  type Agreement,
  agreementOf,
  answerOption,
  type ExportInfo,
  hello
} from '../../src/nbd/negotiation.js'
import { maxOption, maxPayload } from '../../src/nbd/numbers.js'
import { errorReply, readReply, statusReply, successReply } from '../../src/nbd/replies.js'
import { isLost, refusalOf } from '../../src/nbd/requests.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('nbd protocol')

const info: ExportInfo = {
  name: 'd',
  description: 'e',
  size: 2 ** 40,
  flags: 0x16d,
  contexts: ['base:allocation', 'qemu:allocation-depth', 'qemu:dirty-bitmap:b', 'qemu:dirty-bitmap:c']
}
const fresh: Agreement = { fixedNewstyle: true, noZeroes: true, structured: false, contexts: [] }
const structured: Agreement = { ...fresh, structured: true }

const bytes = (hex: string): Uint8Array => fromHex(hex.replaceAll(' ', '')) ?? new Uint8Array(0)
const u16 = (n: number): string => n.toString(16).padStart(4, '0')
const u32 = (n: number): string => n.toString(16).padStart(8, '0')
const text = (t: string): string => u32(fromText(t).length) + toHex(fromText(t))

test('each message is decoded to what it encodes, and encoded to what it was decoded from', () => {
  const all: readonly messages.Message<unknown>[] = Object.values(messages)
  assert.is(all.length, 16)
  for (const message of all)
    holds(
      fc.property(fc.uint8Array({ minLength: message.size, maxLength: message.size }), (encoded) => {
        assert.equal(message.encode(message.decode(encoded)), encoded)
      })
    )
})

/** Options in hexadecimal, with the replies to them: type and data; and what comes next, where that is no further option. */
const answers: readonly (readonly [
  title: string,
  agreed: Agreement,
  option: number,
  data: string,
  replies: readonly (readonly [type: number, data: string])[],
  next?: 'requests' | 'close'
])[] = [
  ['abort', fresh, 2, '', [[1, '']], 'close'],
  [
    'list',
    fresh,
    3,
    '',
    [
      [2, `${text('d')}65`],
      [1, '']
    ]
  ],
  ['list with data', fresh, 3, '00', [[0x80000003, '']]],
  ['TLS', fresh, 5, '', [[0x80000001, '']]],
  ['extended headers', fresh, 11, '', [[0x80000001, '']]],
  ['an unknown option', fresh, 77, '1234', [[0x80000001, '']]],
  ['structured replies', fresh, 8, '', [[1, '']]],
  ['structured replies with data', fresh, 8, '00', [[0x80000003, '']]],
  [
    'go',
    structured,
    7,
    `${text('d')}0000`,
    [
      [3, '0003 00000001 00001000 02000000'],
      [3, '0000 0000010000000000 01ed'],
      [1, '']
    ],
    'requests'
  ],
  [
    'info with a name and a description',
    fresh,
    6,
    `${text('d')}0002 0001 0002`,
    [
      [3, '0001 64'],
      [3, '0002 65'],
      [3, '0003 00000001 00001000 02000000'],
      [3, '0000 0000010000000000 016d'],
      [1, '']
    ]
  ],
  ['go to another export', fresh, 7, `${text('x')}0000`, [[0x80000006, '']]],
  ['go without a name', fresh, 7, '', [[0x80000003, '']]],
  ['go with a name that is cut off', fresh, 7, `${u32(5)}64`, [[0x80000003, '']]],
  ['go with a name of 4 GiB', fresh, 7, 'ffffffff', [[0x80000003, '']]],
  ['go with a name that is no text', fresh, 7, `${u32(1)}ff0000`, [[0x80000003, '']]],
  ['go with fewer kinds of information than it says', fresh, 7, `${text('d')}ffff 0001`, [[0x80000003, '']]],
  ['go with more bytes', fresh, 7, `${text('d')}0000 00`, [[0x80000003, '']]],
  ['contexts without structured replies', fresh, 9, `${text('d')}${u32(0)}`, [[0x80000003, '']]],
  [
    'a list of all contexts',
    structured,
    9,
    `${text('d')}${u32(0)}`,
    [...info.contexts.map((name, i) => [4, u32(i) + toHex(fromText(name))] as const), [1, '']]
  ],
  [
    'a list of the contexts that begin so',
    structured,
    9,
    `${text('d')}${u32(2)}${text('base:')}${text('qemu:dirty-bitmap:')}`,
    [...[0, 2, 3].map((i) => [4, u32(i) + toHex(fromText(info.contexts[i] ?? ''))] as const), [1, '']]
  ],
  [
    'contexts that are set, one twice and one unknown',
    structured,
    10,
    `${text('d')}${u32(4)}${text('qemu:dirty-bitmap:c')}${text('base:')}${text('x:y')}${text('qemu:dirty-bitmap:c')}`,
    [
      [4, u32(3) + toHex(fromText('qemu:dirty-bitmap:c'))],
      [1, '']
    ]
  ],
  ['4 Gi queries', structured, 10, `${text('d')}ffffffff`, [[0x80000003, '']]],
  ['contexts of another export', structured, 10, `${text('x')}${u32(0)}`, [[0x80000006, '']]]
]

for (const [title, agreed, option, data, expected, next = 'option'] of answers)
  test(`the answer to an option: ${title}`, () => {
    const answer = answerOption(info, agreed, option, bytes(data))
    assert.is(answer.next, next)
    let at = 0
    for (const [type, more] of expected) {
      const start = answer.reply.subarray(at, at + 16)
      assert.is(toHex(start), `0003e889045565a9${u32(option)}${u32(type)}`)
      const { length } = messages.optionReply.decode(answer.reply.subarray(at))
      at += 20
      // The texts of errors are for people.
      if (type < 2 ** 31) assert.is(toHex(answer.reply.subarray(at, at + length)), more.replaceAll(' ', ''))
      at += length
    }
    assert.is(at, answer.reply.length)
  })

test('contexts are agreed on when they are set, and none are after an error', () => {
  const set = (from: Agreement, data: string): readonly number[] =>
    answerOption(info, from, 10, bytes(data)).agreed.contexts
  const two = `${text('d')}${u32(2)}${text('qemu:dirty-bitmap:b')}${text('base:allocation')}`
  assert.equal(set(structured, two), [0, 2])
  assert.equal(set({ ...structured, contexts: [1] }, `${text('x')}${u32(0)}`), [])
  assert.equal(set({ ...structured, contexts: [1] }, '00'), [])
  const listed = answerOption(info, { ...structured, contexts: [1] }, 9, bytes(`${text('d')}${u32(0)}`))
  assert.equal(listed.agreed.contexts, [1])
})

test('the oldest option is answered by size, flags and padding, and for another export by the end', () => {
  const old = answerOption(info, { ...fresh, fixedNewstyle: false, noZeroes: false }, 1, fromText('d'))
  assert.is(toHex(old.reply), `0000010000000000016d${'00'.repeat(124)}`)
  assert.is(old.next, 'requests')
  assert.is(toHex(answerOption(info, fresh, 1, fromText('d')).reply), '0000010000000000016d')
  const other = answerOption(info, fresh, 1, fromText('x'))
  assert.equal([other.reply.length, other.next], [0, 'close'])
})

test('the greeting is that of the fixed newstyle, and unknown flags of a client end the negotiation', () => {
  assert.is(toHex(hello), '4e42444d41474943' + '49484156454f5054' + '0003')
  assert.equal(
    [0, 1, 2, 3].map((flags) => agreementOf(flags)?.noZeroes),
    [false, false, true, true]
  )
  for (const flags of [4, 7, 2 ** 31 + 3]) assert.is(agreementOf(flags), undefined)
  const start = { magic: 0x49484156454f5054n, option: 3, length: maxOption }
  assert.ok(acceptsOption(start, fresh))
  assert.not.ok(acceptsOption({ ...start, magic: 0n }, fresh))
  assert.not.ok(acceptsOption({ ...start, length: maxOption + 1 }, fresh))
  assert.not.ok(acceptsOption(start, { ...fresh, fixedNewstyle: false }))
})

test('any data of any option get an answer in proportion', () => {
  const name = fc.constantFrom(`${text('d')}0000`, `${text('d')}${u32(1)}`, '').map(bytes)
  const data = fc.tuple(name, fc.uint8Array({ maxLength: 200 })).map(concat)
  holds(
    fc.property(fc.nat(12), data, fc.boolean(), (option, given, isStructured) => {
      const { reply } = answerOption(info, { ...fresh, structured: isStructured }, option, given)
      assert.ok(reply.length <= 1000 + given.length)
    })
  )
})

const readOnly = { ...info, flags: info.flags | 2, size: 2 ** 20 }
const request = (type: number, offset: bigint, length: number, flags = 0): messages.Request => ({
  magic: 0x25609513,
  flags,
  type,
  cookie: 1n,
  offset,
  length
})

/** Requests of an export of 1 MiB, and their errors. */
const requests: readonly (readonly [title: string, request: messages.Request, error: number, also?: 'read-only'])[] = [
  ['a read to the end', request(0, 2n ** 20n - 512n, 512), 0],
  ['a read past the end', request(0, 2n ** 20n - 512n, 513), 22],
  ['a read at the largest offset', request(0, 2n ** 64n - 1n, 1), 22],
  ['a read of 4 GiB', request(0, 0n, 2 ** 32 - 1), 22],
  ['a read in one chunk', request(0, 0n, 1, 4), 0],
  ['a read with a flag of writes', request(0, 0n, 1, 2), 22],
  ['a write past the end', request(1, 2n ** 20n, 1), 28],
  ['a write', request(1, 0n, 512, 1), 0],
  ['a write to a read-only export', request(1, 0n, 512), 1, 'read-only'],
  ['zeros to a read-only export', request(6, 0n, 512), 1, 'read-only'],
  ['a trim of a read-only export', request(4, 0n, 512), 1, 'read-only'],
  ['a flush of a read-only export', request(3, 0n, 0), 0, 'read-only'],
  ['zeros past the end', request(6, 1n, 2 ** 20), 28],
  ['zeros with every flag', request(6, 0n, 2 ** 20, 1 + 2 + 16), 0],
  ['a trim past the end', request(4, 0n, 2 ** 32 - 1), 22],
  ['the status of nothing', request(7, 0n, 0), 22],
  ['the status of all, one extent', request(7, 0n, 2 ** 20, 8), 0],
  ['a resize', request(8, 0n, 0), 22],
  ['an unknown type', request(99, 0n, 0), 22]
]

for (const [title, r, error, also] of requests)
  test(`the error of a request: ${title}`, () => {
    const agreed = { ...structured, contexts: [0] }
    const of = also === undefined ? { ...info, size: 2 ** 20 } : readOnly
    assert.is(refusalOf(r, of, agreed)?.error ?? 0, error)
    assert.not.ok(isLost(r))
  })

test('a range that is not refused lies within the export, and what is buffered is at most 32 MiB', () => {
  const offset = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 40n }))
  const length = fc.oneof(fc.nat(2 ** 16), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
  holds(
    fc.property(fc.nat(9), offset, length, fc.nat(31), (type, at, size, flags) => {
      if (refusalOf(request(type, at, size, flags), info, structured) !== undefined) return
      assert.ok(type === 3 || at + BigInt(size) <= BigInt(info.size))
      assert.ok(type > 1 || size <= maxPayload)
    })
  )
})

test('past 2^53 bytes only whole sectors are read and written', () => {
  const far = { ...info, size: 2 ** 60 }
  assert.is(refusalOf(request(0, 2n ** 55n, 512), far, structured), undefined)
  for (const [at, length] of [
    [2n ** 55n + 1n, 512],
    [2n ** 55n, 1],
    [2n ** 53n - 2n, 512]
  ] as const)
    assert.is(refusalOf(request(0, at, length), far, structured)?.error, 22)
})

test('the connection ends over another magic, and over a write of more than 32 MiB', () => {
  assert.ok(isLost({ ...request(0, 0n, 1), magic: 0x25609514 }))
  assert.ok(isLost(request(1, 0n, maxPayload + 1)))
  assert.not.ok(isLost(request(1, 0n, maxPayload)))
})

test('without structured replies no flag of theirs is known, and no status without a context', () => {
  assert.is(refusalOf(request(0, 0n, 1, 4), info, fresh)?.error, 22)
  assert.is(refusalOf(request(7, 0n, 1), info, structured)?.error, 22)
})

test('replies are those of the protocol, byte for byte', () => {
  const hex = (parts: readonly Uint8Array[]): string => toHex(concat(parts))
  const cookie = 0x0102030405060708n
  const simple = (error: number): string => `67446698${u32(error)}0102030405060708`
  const chunk = (flags: number, type: number, length: number): string =>
    `668e33ef${u16(flags)}${u16(type)}0102030405060708${u32(length)}`
  const ranges = [
    { at: 512, length: 3, parts: [Uint8Array.of(1), Uint8Array.of(2, 3)] },
    { at: 515, length: 2, parts: undefined }
  ]
  const offset = (n: number): string => u32(0) + u32(n)
  assert.is(hex(successReply(cookie)), simple(0))
  assert.is(hex(errorReply(cookie, { error: 5, message: 'why' }, false)), simple(5))
  assert.is(hex(errorReply(cookie, { error: 5, message: 'why' }, true)), `${chunk(1, 32769, 9)}000000050003776879`)
  assert.is(hex(readReply(cookie, ranges, false)), `${simple(0)}0102030000`)
  assert.is(
    hex(readReply(cookie, ranges, true)),
    `${chunk(0, 1, 11)}${offset(512)}010203${chunk(1, 2, 12)}${offset(515)}00000002`
  )
  assert.is(hex(readReply(cookie, [], true)), chunk(1, 0, 0))
  const extents = [
    { length: 4096, state: 3 },
    { length: 512, state: 0 }
  ]
  assert.is(
    hex(
      statusReply(cookie, [
        { id: 0, extents },
        { id: 2, extents: extents.slice(1) }
      ])
    ),
    `${chunk(0, 5, 20)}00000000000010000000000300000200000000` + `00${chunk(1, 5, 12)}000000020000020000000000`
  )
})

test.run()
