/** What a file is that has no qcow2 header: recognised by magic numbers of other formats, and by its text. */
import { toSomeText } from '../bytes/octets.js'
import { type Plan, readAt } from '../bytes/plan.js'

/** A magic number, each character one byte. */
interface Magic {
  /** Byte offset; a negative one is from the end of the file. */
  readonly at: number
  readonly bytes: string
}

const magic = (bytes: string, at = 0): Magic => ({ at, bytes })

/**
 * The magic numbers of each kind of file; where several kinds match, the first one is it. Disk images are recognised as QEMU's
 * drivers do it (`block/NAME.c`), file systems and archives as their own documents say.
 */
const magics = [
  // Compressed: RFC 1952, xz-file-format 2.1.1.1, RFC 8878 3.1.1, bzip2 1.0, LZ4 frame format 1.6, lzip manual.
  ['gzip', magic('\x1f\x8b')],
  ['xz', magic('\xfd7zXZ\0')],
  ['zstd', magic('\x28\xb5\x2f\xfd'), magic('\x50\x2a\x4d\x18')],
  ['bzip2', magic('BZh')],
  ['lz4', magic('\x04\x22\x4d\x18'), magic('\x02\x21\x4c\x18')],
  ['lzip', magic('LZIP')],
  // Archives: APPNOTE.TXT 4.3.7 and 4.3.16, 7zFormat.txt, RAR technote, POSIX ustar.
  ['zip', magic('PK\x03\x04'), magic('PK\x05\x06')],
  ['sevenZip', magic('7z\xbc\xaf\x27\x1c')],
  ['rar', magic('Rar!\x1a\x07')],
  ['tar', magic('ustar', 257)],
  // Disk images. Those of VPC and dmg may have their only magic number in the last 512 bytes.
  ['qcow1', magic('QFI\xfb\0\0\0\x01')],
  ['vmdk', magic('KDMV'), magic('COWD'), magic('\xbe\xba\xfe\xca\0\0\0\0')],
  ['vmdkDescriptor', magic('# Disk DescriptorFile')],
  ['vdi', magic('\x7f\x10\xda\xbe', 64)],
  ['vhdx', magic('vhdxfile')],
  ['vpc', magic('conectix'), magic('conectix', -512)],
  ['qed', magic('QED\0')],
  ['parallels', magic('WithoutFreeSpace'), magic('WithouFreSpacExt')],
  ['cloop', magic('#!/bin/sh\n#V2.0 Format\nmodprobe cloop')],
  ['bochs', magic('Bochs Virtual HD Image')],
  ['dmg', magic('koly', -512)],
  ['ewf', magic('EVF\x09\x0d\x0a\xff\0')],
  ['luks', magic('LUKS\xba\xbe')],
  // Raw disks: ECMA-119 8.1, UEFI 5.3.2, on-disk formats of the file systems; the boot signature of a PC comes last.
  ['iso9660', magic('CD001', 0x8001)],
  ['xfs', magic('XFSB')],
  ['btrfs', magic('_BHRfS_M', 0x1_0040)],
  ['squashfs', magic('hsqs')],
  ['ntfs', magic('NTFS    ', 3)],
  ['fat', magic('FAT12   ', 54), magic('FAT16   ', 54), magic('FAT32   ', 82)],
  ['ext', magic('\x53\xef', 1080)],
  ['gpt', magic('EFI PART', 512), magic('EFI PART', 4096)],
  ['mbr', magic('\x55\xaa', 510)]
] as const satisfies readonly (readonly [kind: string, ...Magic[]])[]

/**
 * What a file is that has no qcow2 header: the name of a format; `html` or `text`; `zeros` where it begins with nothing else;
 * `empty`.
 */
export type FileKind = (typeof magics)[number][0] | 'html' | 'text' | 'zeros' | 'empty'

/** Bytes at the start of a file that are looked at: up to the end of the last magic number. */
const headSize = 0x1_0048
/** Bytes at the end of a file that are looked at. */
const tailSize = 512
/** Bytes of a file that are looked at as text. */
const textSize = 4096

const isHtml = /^\s*(<!doctype html|<html|<head|<\?xml)/i

/** Whether a byte occurs in text: no control character but white space, and the escape of terminals. */
const inText = (byte: number): boolean =>
  byte === 0x1b || (byte >= 0x09 && byte <= 0x0d) || (byte >= 0x20 && byte !== 0x7f)

/** The start of a file as text, if it is UTF-8; the last character may be cut off. */
const textOf = (head: Uint8Array): string | undefined => {
  const text = toSomeText(head)
  return head.every(inText) && !text.slice(0, -1).includes('\ufffd') ? text : undefined
}

const kindOf = (head: Uint8Array, tail: Uint8Array): FileKind | undefined => {
  const has = ({ at, bytes }: Magic): boolean => {
    const [part, from] = at < 0 ? [tail, tail.length + at] : [head, at]
    return Array.from(bytes).every((c, i) => part[from + i] === c.charCodeAt(0))
  }
  const found = magics.find(([, ...all]) => all.some(has))
  if (found !== undefined) return found[0]
  if (head.every((byte) => byte === 0)) return 'zeros'
  const text = textOf(head.subarray(0, textSize))
  if (text === undefined) return undefined
  return isHtml.test(text) ? 'html' : 'text'
}

/**
 * What a file of `length` bytes is that has no qcow2 header; `undefined` where nobody knows. At most 65 KiB of it are read.
 *
 * @see OPEN-01
 * @example
 * import { fromMemory, readFileKind, runSync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const bytes = new TextEncoder().encode('<!DOCTYPE html><title>404 Not Found</title>')
 * const kind = runSync(readFileKind(bytes.length), { read: fromMemory(bytes), emit: () => undefined })
 * assert.equal(kind._tag === 'Right' && kind.right, 'html')
 */
export function* readFileKind(length: number): Plan<FileKind | undefined> {
  if (length === 0) return 'empty'
  const head = yield* readAt(0, Math.min(length, headSize))
  const tail = length < tailSize ? new Uint8Array(0) : yield* readAt(length - tailSize, tailSize)
  return kindOf(head, tail)
}
