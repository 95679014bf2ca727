/** Mutants of src/bytes: words, field tables, lists, windows and plans. */
import type { Mutant } from '../mutant.js'

export const bytesMutants: readonly Mutant[] = [
  {
    name: 'an item of a list that does not read has no index',
    file: 'bytes/json.ts',
    change: { in: 'itemsJson', find: 'String($i)', to: "''" },
    red: 'props/bytes/type.test.ts',
    rule: 'a list reads as the readonlyArray of io-ts reads it'
  },
  {
    name: 'a type that is piped into another reads without its context',
    file: 'bytes/type.ts',
    change: { in: 'Type.pipe', find: 'this.validate($i, $context)', to: 'this.validate($i, [])' },
    red: 'props/bytes/type.test.ts',
    rule: 'pipe reads by one type and then by the next, and writes the other way round'
  },
  {
    name: 'a cache forgets in the order in which values came',
    file: 'bytes/last-used.ts',
    change: { in: 'LastUsed.get', find: 'this.values.delete($key)', to: '' },
    red: 'props/bytes/last-used.test.ts',
    rule: 'a cache answers with the values used last, as many as it may have, and with no other'
  },
  {
    name: 'an offset that no number holds exactly becomes the nearest one',
    file: 'node/text/values.ts',
    change: { in: 'exactNumber', find: 'isExactRange($size, 0)', to: 'true' },
    red: 'props/node/far-disk.test.ts',
    rule: 'an offset or a length that no number holds exactly is refused, and nothing is written'
  },
  {
    name: 'a far offset is printed by its shortest digits',
    file: 'bytes/exact.ts',
    change: { in: 'digits', find: 'Number.isSafeInteger($n)', to: 'true' },
    red: 'props/node/far-disk.test.ts',
    rule: 'whole sectors are written, read and mapped with all digits of their offsets, as by QEMU'
  },
  {
    name: 'the encoder drops reserved bits',
    file: 'bytes/bits.ts',
    change: { in: 'bits', find: 'let $word = $a.reserved', to: 'let $word = 0n' },
    red: 'props/format/l1.test.ts',
    rule: 'an entry is read as it is: reserved bits do not change the offset, and are kept'
  },
  {
    name: 'a 64-bit integer is rounded to a double',
    file: 'bytes/leaf.ts',
    change: { in: 'u64', find: '$v.getBigUint64($at)', to: 'BigInt.asUintN(64, BigInt(Number($v.getBigUint64($at))))' },
    red: 'props/format/snapshot.test.ts',
    rule: 'an icount is there if 24 bytes of extra data hold one that is not all ones'
  },
  {
    name: 'a field that ends exactly at the end of its structure is absent',
    file: 'bytes/growing.ts',
    change: { in: 'GrowingType.constructor', find: 'endOf($p) > $bytes.length', operator: 'boundary' },
    red: 'props/format/snapshot.test.ts',
    rule: 'an icount is there if 24 bytes of extra data hold one that is not all ones'
  },
  {
    name: 'the encoder drops unknown bytes after the known fields',
    file: 'bytes/growing.ts',
    change: {
      in: 'GrowingType.constructor',
      find: '$bytes.set($a.rest, $bytes.length - $a.rest.length)',
      operator: 'drop-statement'
    },
    red: 'props/format/header.test.ts',
    rule: 'a header_length below 104 or past the first cluster covers no additional field'
  },
  {
    name: 'the upper bound of a field is excluded',
    file: 'bytes/rule.ts',
    change: { in: 'allows', find: '$n <= $a.max', operator: 'boundary' },
    red: 'props/format/clauses.test.ts',
    rule: 'BMP-02: bitmap entry: granularity_bits 64'
  },
  {
    name: 'an extension may run past the end of the extension area',
    file: 'bytes/entry.ts',
    change: { in: 'EntryType.constructor', find: '$own.length < $length || E.isLeft($value)', to: 'E.isLeft($value)' },
    red: 'props/format/extension.test.ts',
    rule: 'a length past the end of the area is refused before anything is made for it'
  },
  {
    name: 'the encoder zeroes the padding of an extension',
    file: 'bytes/entry.ts',
    change: { in: 'EntryType.constructor', find: '$bytes.set($a.padding, $at)', operator: 'drop-statement' },
    red: 'props/format/extension.test.ts',
    rule: 'header extension: what encodes decodes to the same value'
  },
  {
    name: 'a decoded string shares the memory of a Node Buffer',
    file: 'bytes/octets.ts',
    change: {
      in: 'part',
      find: 'new Uint8Array($bytes.subarray($from, $from + $length))',
      to: '$bytes.slice($from, $from + $length)'
    },
    red: 'props/format/extension.test.ts',
    rule: 'record: a value stays as it is when its bytes change, even those of a Node Buffer'
  },
  {
    name: 'an issue has its offset in the structure, not in the file',
    file: 'bytes/byte-type.ts',
    change: { in: 'ByteType.decodeAt', find: 'shift($at)', to: 'shift(0)' },
    red: 'props/format/extension.test.ts',
    rule: 'bitmaps extension: an issue moves with its structure'
  },
  {
    name: 'bitmap bits are numbered from the most significant one',
    file: 'bytes/octets.ts',
    change: [
      { in: 'bitAt', find: '$i & 7', to: '7 - ($i & 7)' },
      { in: 'setBit', find: '$i & 7', to: '7 - ($i & 7)' }
    ],
    red: 'props/format/bitmap.test.ts',
    rule: 'bit b is bit b mod 8 of byte b div 8, 0 being the least significant'
  },
  {
    name: 'an integer of more than 53 bits is a JSON number',
    file: 'bytes/json.ts',
    change: { in: 'integerToJson', find: 'Number.MAX_SAFE_INTEGER', to: '0xffffffffffffffffn' },
    red: 'props/format/json.test.ts',
    rule: 'a number is a number as long as a double holds it, and a decimal string beyond'
  },
  {
    name: 'a window returns the bytes at its own start',
    file: 'bytes/window.ts',
    change: { in: 'windows', find: 'from($found.bytes, $found.at)', to: 'from($found.bytes, at)' },
    red: 'props/bytes/window.test.ts',
    rule: 'every read returns the bytes of the file, and zeros past its end'
  },
  {
    name: 'only the last window is cached',
    file: 'bytes/window.ts',
    change: { in: 'windows', find: '$windows.slice(0, $kept - 1)', to: '$windows.slice(0, 0)' },
    red: 'props/bytes/window.test.ts',
    rule: 'small sequential reads ask once for each window, and a cached window is not read again'
  },
  {
    name: 'a line of text ends where a name in it does',
    file: 'bytes/octets.ts',
    change: { in: 'textOfLines', find: 'visible($line)', to: '$line' },
    red: 'props/node/names.test.ts',
    rule: 'every character that steers a terminal or the layout of text becomes its escape'
  },
  {
    name: 'a plan goes on after its driver has failed',
    file: 'bytes/run-async.ts',
    change: { in: 'runAsync', find: 'if (E.isLeft($read)) return $read', to: 'if (E.isLeft($read)) continue' },
    red: 'props/bytes/run-async.test.ts',
    rule: 'a plan ends at the first failed read and asks for nothing more'
  }
]
