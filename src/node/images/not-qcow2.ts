/** Files that are no qcow2 images: the error names what such a file is, and what to do with it. */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type FileKind, readFileKind } from '../../image/file-kind.js'
import { viewOf } from '../../bytes/octets.js'
import { readAt } from '../../bytes/plan.js'
import { magic } from '../../format/header.js'
import { type CommandError, commandError } from '../command-error.js'
import { run, type Source } from '../files/source.js'

type Words = readonly [noun: string, advice: string]

const compressed = (noun: string, program: string): Words => [noun, `decompress it first: ${program} -d -k`]
const decoded = (noun: string): Words => [noun, 'decompress it first, or read it with --decompress']
const archive = (noun: string): Words => [noun, 'extract the image from it first']
const image = (noun: string, driver: string): Words => [
  noun,
  `convert it first: qemu-img convert -f ${driver} -O qcow2`
]
const asRaw = 'convert -f raw takes it as it is'
const ifRaw = `if it is a raw disk, ${asRaw}`
const raw = (noun: string): Words => [noun, asRaw]
const lost = (noun: string): Words => [noun, 'fetch the image again']
const unlikely = (noun: string): Words => [noun, ifRaw]

const wordsOf: Readonly<Record<FileKind, Words>> = {
  gzip: decoded('a gzip file'),
  xz: compressed('an xz file', 'xz'),
  zstd: decoded('a zstd file'),
  bzip2: compressed('a bzip2 file', 'bzip2'),
  lz4: compressed('an lz4 file', 'lz4'),
  lzip: compressed('an lzip file', 'lzip'),
  zip: archive('a zip archive'),
  sevenZip: archive('a 7z archive'),
  rar: archive('a RAR archive'),
  tar: archive('a tar archive'),
  qcow1: image('a qcow image of version 1', 'qcow'),
  vmdk: image('a VMDK image', 'vmdk'),
  vmdkDescriptor: image('the descriptor of a VMDK image, whose data are in other files', 'vmdk'),
  vdi: image('a VDI image', 'vdi'),
  vhdx: image('a VHDX image', 'vhdx'),
  vpc: image('a VPC (VHD) image', 'vpc'),
  qed: image('a QED image', 'qed'),
  parallels: image('a Parallels image', 'parallels'),
  cloop: image('a cloop image', 'cloop'),
  bochs: image('a Bochs image', 'bochs'),
  dmg: image('a dmg image', 'dmg'),
  ewf: ['an EWF (E01) image', 'export it as a raw disk first'],
  luks: raw('a raw disk encrypted by LUKS'),
  iso9660: raw('an ISO 9660 image'),
  xfs: raw('an XFS file system'),
  btrfs: raw('a Btrfs file system'),
  squashfs: raw('a SquashFS file system'),
  ntfs: raw('an NTFS file system'),
  fat: raw('a FAT file system'),
  ext: raw('an ext2, ext3 or ext4 file system'),
  gpt: raw('a raw disk with a GPT partition table'),
  mbr: raw('a raw disk with an MBR partition table'),
  html: lost('a web page (HTML or XML)'),
  text: unlikely('a text file'),
  zeros: unlikely('a file that begins with zeros'),
  empty: lost('an empty file')
}

const isAnother = ({ clause, file, offset = 0 }: CommandError, name: string): boolean =>
  file === name && offset < 8 && (clause === 'OPEN-01' || clause === 'OPEN-02')

/** The end of an error's message: what the file is, if that is known. */
const sequel = (kind: FileKind | undefined, { clause }: CommandError): string => {
  if (kind !== undefined) return `; this is ${wordsOf[kind].join(': ')}`
  return clause === 'OPEN-01' ? `; ${ifRaw}` : ''
}

/** A warning that names what a file is, where it does not begin with the magic number of qcow2. */
export const otherKind = (
  file: Pick<Source, 'name' | 'length' | 'world'>
): TaskEither<CommandError, CommandError | undefined> =>
  run(file, function* () {
    if (viewOf(yield* readAt(0, 4)).getUint32(0) === magic) return undefined
    const warning = commandError(`warning: '${file.name}' is not a qcow2 image [OPEN-01]`, { clause: 'OPEN-01' })
    const kind = yield* readFileKind(file.length)
    return { ...warning, message: warning.message + sequel(kind, warning) }
  })

/** Opens an image. Where the file has no qcow2 header, the error names what it is. */
export const namingOthers =
  (file: Pick<Source, 'name' | 'length' | 'world'>) =>
  <A>(opening: TaskEither<CommandError, A>): TaskEither<CommandError, A> =>
    TE.orElse((error: CommandError): TaskEither<CommandError, A> => {
      if (!isAnother(error, file.name)) return TE.left(error)
      return async () => {
        const kind = await run(file, () => readFileKind(file.length))()
        return E.left(E.isLeft(kind) ? error : { ...error, message: error.message + sequel(kind.right, error) })
      }
    })(opening)
