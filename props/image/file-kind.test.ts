/** A file without a qcow2 header is recognised by what its own format puts into it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { fromMemory, runSync } from '../../src/bytes/plan.js'
import { fromHex } from '../../src/bytes/octets.js'
import { type FileKind, readFileKind } from '../../src/image/file-kind.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'

const test = suite('kinds of files')

const kindOf = (bytes: Uint8Array): FileKind | undefined => {
  const kind = runSync(readFileKind(bytes.length), { read: fromMemory(bytes), emit: () => undefined })
  return kind._tag === 'Right' ? kind.right : undefined
}

/** A file of `length` bytes that has these at an offset, and 0xF1 elsewhere. */
const fileWith = (hex: string, at: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length).fill(0xf1)
  bytes.set(fromHex(hex) ?? [], at)
  return bytes
}

/** Magic numbers as their formats' documents print them, and where they are. */
const magics: readonly (readonly [kind: FileKind, hex: string, at?: number, length?: number])[] = [
  ['gzip', '1f8b'],
  ['xz', 'fd377a585a00'],
  ['zstd', '28b52ffd'],
  ['zstd', '502a4d18'],
  ['bzip2', '425a68'],
  ['lz4', '04224d18'],
  ['lz4', '02214c18'],
  ['lzip', '4c5a4950'],
  ['zip', '504b0304'],
  ['zip', '504b0506'],
  ['sevenZip', '377abcaf271c'],
  ['rar', '526172211a07'],
  ['tar', '7573746172', 257],
  ['qcow1', '514649fb00000001'],
  ['vmdk', '4b444d56'],
  ['vmdk', '434f5744'],
  ['vmdk', 'bebafeca00000000'],
  ['vmdkDescriptor', '23204469736b2044657363726970746f7246696c65'],
  ['vdi', '7f10dabe', 64],
  ['vhdx', '7668647866696c65'],
  ['vpc', '636f6e6563746978'],
  ['vpc', '636f6e6563746978', 7680, 8192],
  ['qed', '51454400'],
  ['parallels', '576974686f7574467265655370616365'],
  ['parallels', '576974686f7546726553706163457874'],
  ['bochs', '426f636873205669727475616c20484420496d616765'],
  ['dmg', '6b6f6c79', 7680, 8192],
  ['ewf', '455646090d0aff00'],
  ['luks', '4c554b53babe'],
  ['iso9660', '4344303031', 32769, 40960],
  ['xfs', '58465342'],
  ['btrfs', '5f42485266535f4d', 65600, 131072],
  ['squashfs', '68737173'],
  ['ntfs', '4e54465320202020', 3],
  ['fat', '4641543132202020', 54],
  ['fat', '4641543136202020', 54],
  ['fat', '4641543332202020', 82],
  ['ext', '53ef', 1080],
  ['gpt', '4546492050415254', 512],
  ['gpt', '4546492050415254', 4096],
  ['mbr', '55aa', 510]
]

test('a magic number of another format at its offset is recognised, and nowhere else', () => {
  for (const [kind, hex, at = 0, length = 8192] of magics) {
    assert.is(kindOf(fileWith(hex, at, length)), kind, kind)
    assert.is(kindOf(fileWith(hex, at + 1, length)), undefined, kind)
    assert.is.not(kindOf(fileWith(hex, at, length).subarray(0, at + hex.length / 2 - 1)), kind)
  }
})

test('text, a web page, zeros and an empty file are recognised', () => {
  const texts: readonly (readonly [kind: FileKind | undefined, text: string])[] = [
    ['text', 'no image\r\n'],
    ['text', 'é'.repeat(5000)],
    ['text', `x${'é'.repeat(5000)}`],
    ['html', '\n<!doctype HTML>\n<title>404</title>'],
    ['html', '<html lang="en">'],
    ['html', '<?xml version="1.0"?><Error/>'],
    ['vmdkDescriptor', '# Disk DescriptorFile\nversion=1\n'],
    ['cloop', '#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0'],
    ['bochs', 'Bochs Virtual HD Image'],
    ['empty', ''],
    [undefined, 'text\0with a NUL'],
    [undefined, 'text\u0007with a bell'],
    [undefined, 'text\u007fwith a delete']
  ]
  for (const [kind, text] of texts) assert.is(kindOf(Buffer.from(text)), kind, text.slice(0, 20))
  assert.is(kindOf(new Uint8Array(100)), 'zeros')
  assert.is(kindOf(Uint8Array.of(0x74, 0xff, 0x74)), undefined)
})

const folder = mkdtempSync(join(tmpdir(), 'qcow2-kinds-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** The kind of the file that a program writes. */
const kindMade = (name: string, program: string, ...args: readonly string[]): FileKind | undefined => {
  const { status, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' })
  assert.is(status, 0, stderr)
  return kindOf(readFileSync(join(folder, name)))
}

test('what gzip and tar write is recognised', () => {
  assert.is(kindOf(gzipSync('disk')), 'gzip')
  writeFileSync(join(folder, 'disk'), 'disk')
  assert.is(kindMade('disk.tar', 'tar', '-cf', 'disk.tar', 'disk'), 'tar')
})

needsQemu(test)('what qemu-img creates in each of its formats is recognised', () => {
  const formats: readonly (readonly [kind: FileKind, format: string, options?: string])[] = [
    ['qcow1', 'qcow'],
    ['vmdk', 'vmdk'],
    ['vmdk', 'vmdk', 'subformat=streamOptimized'],
    ['vmdkDescriptor', 'vmdk', 'subformat=monolithicFlat'],
    ['vdi', 'vdi'],
    ['vhdx', 'vhdx'],
    ['vpc', 'vpc'],
    ['vpc', 'vpc', 'subformat=fixed'],
    ['qed', 'qed'],
    ['parallels', 'parallels'],
    ['zeros', 'raw']
  ]
  for (const [i, [kind, format, options]] of formats.entries()) {
    const more = options === undefined ? [] : ['-o', options]
    assert.is(kindMade(`${i}`, 'qemu-img', 'create', '-q', '-f', format, ...more, `${i}`, '1M'), kind, format)
  }
})

test.run()
