/** `qcow2 create`: a new image, and its external data file. */
import { closeSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import * as E from 'fp-ts/lib/Either.js'
import { flush, type HostWrite } from '../../bytes/host-write.js'
import { sectorSize } from '../../format/limits.js'
import { create as plan } from '../../transition/create/create.js'
import type { CreateOptions } from '../../transition/create/options.js'
import { backingSize } from '../images/new-backing.js'
import { fail, ok, print } from '../files/output.js'
import { createOptions } from '../text/create-options.js'
import { formattingLine, optionsHelp, optionTexts, type OptionTexts, optionValues } from '../text/image-options.js'
import { asksForHelp, optionsOfAll } from '../text/option-list.js'
import { reason } from '../files/file.js'
import { newImage } from '../files/new-image.js'
import { byteSize, decodeWith } from '../text/values.js'
import { createSparse, isZeros } from '../files/sparse.js'
import { wholeFile } from '../files/whole.js'

/** What the command line says beside the names. */
export interface CreateWords {
  readonly backing?: string
  readonly backingFormat?: string
  /** The backing file is not opened. */
  readonly unsafe: boolean
  readonly options: readonly string[]
  readonly quiet: boolean
}

const sizeOf = decodeWith(byteSize('image size'))

/** All options by name, those that have words of their own too. */
const allTexts = (image: string, size: string | undefined, words: CreateWords): E.Either<string, OptionTexts> => {
  const given = E.chain(optionTexts)(optionsOfAll(words.options))
  if (E.isLeft(given)) return E.left(`${image}: ${given.left}`)
  if (size !== undefined && given.right.has('size'))
    return E.left(`${image}: The image size must be specified only once`)
  const bytes = sizeOf(size ?? '0')
  if (E.isLeft(bytes)) return bytes
  return E.right(
    new Map([
      ...given.right,
      ...(size === undefined ? [] : [['size', size] as const]),
      ...(words.backing === undefined ? [] : [['backing_file', words.backing] as const]),
      ...(words.backingFormat === undefined ? [] : [['backing_fmt', words.backingFormat] as const])
    ])
  )
}

/** The same with the size of the disk, which may be the backing file's; what qemu-img says where that cannot be known. */
const withSize = async (image: string, texts: OptionTexts, unsafe: boolean): Promise<E.Either<string, OptionTexts>> => {
  const [backing, format] = [texts.get('backing_file'), texts.get('backing_fmt')]
  if (backing === '') return E.left('Expected backing file name, got empty string')
  if (backing === image) return E.left('Error: Trying to create an image with the same filename as the backing file')
  if (backing !== undefined && format === undefined) return E.left('Backing file specified without backing format')
  if (backing !== undefined && format !== undefined && !unsafe) {
    const size = await backingSize(image, backing, format)
    if (E.isLeft(size)) return E.left(`${size.left} Could not open backing image.`)
    if (!texts.has('size')) return E.right(new Map([...texts, ['size', `${size.right}`]]))
  }
  return texts.has('size') ? E.right(texts) : E.left('Image creation needs a size parameter')
}

/** What the pure creation refuses, in qemu-img's words where it has some. */
export const planned = (options: CreateOptions): E.Either<string, readonly HostWrite[]> =>
  E.mapLeft((issues: readonly { readonly clause: string; readonly message: string }[]) =>
    issues[0]?.clause === 'L1-03'
      ? "The image size is too large for file format 'qcow2' (try using a larger cluster size)"
      : (issues[0]?.message ?? '')
  )(plan(options))

const writesZeros = (w: HostWrite): boolean => w._tag === 'Write' && isZeros(w.bytes)

/** Makes the files of a new image, or none of them: what is not zeros first, since what is reads as zeros already. */
export const makeFiles = async (image: string, options: CreateOptions, writes: readonly HostWrite[]): Promise<void> => {
  const files = await newImage(image, options)
  try {
    for (const w of writes) if (w._tag !== 'Flush' && !writesZeros(w)) files.perform(w)
    for (const { part, path } of files.parts) {
      const zeros = writes.flatMap((w) => (w._tag === 'Write' && w.file.part === part && writesZeros(w) ? [w] : []))
      const end = zeros.reduce((to, w) => Math.max(to, w.at + w.bytes.length), 0)
      if (end > 0 && !(options.preallocation === 'falloc' && reserved(path, end))) zeros.forEach(files.perform)
    }
    files.perform(flush)
    files.keep()
  } finally {
    files.drop()
  }
}

/** Whether the system has taken space for the first bytes of a file, which stay as they are. */
const reserved = (path: string, length: number): boolean =>
  spawnSync('fallocate', ['--length', `${length}`, path], { stdio: 'ignore' }).status === 0

/** All options of a new image by name, with its size, or what qemu-img says against them. */
export const textsOf = async (
  image: string,
  size: string | undefined,
  words: CreateWords
): Promise<E.Either<string, OptionTexts>> => {
  const texts = allTexts(image, size, words)
  if (E.isLeft(texts)) return texts
  return E.mapLeft((why: string) => `${image}: ${why}`)(await withSize(image, texts.right, words.unsafe))
}

/** The command. An image that cannot be made leaves what was there under its name. */
export const createCommand = async (image: string, size: string | undefined, words: CreateWords): Promise<number> => {
  if (asksForHelp(words.options)) {
    print(optionsHelp())
    return ok
  }
  const texts = await textsOf(image, size, words)
  if (E.isLeft(texts)) return fail(texts.left)
  if (!words.quiet) print(formattingLine(image, texts.right))
  const options = createOptions(texts.right)
  if (E.isLeft(options)) return fail(`${image}: ${options.left}`)
  const writes = planned(options.right)
  if (E.isLeft(writes)) return fail(`${image}: ${writes.left}`)
  try {
    await makeFiles(image, options.right, writes.right)
    return ok
  } catch (error) {
    return fail(`${image}: Could not create '${image}': ${reason(error)}`)
  }
}

/** The command for a raw file: as many zeros as the disk has bytes. */
export const createRaw = async (image: string, size: string | undefined, words: CreateWords): Promise<number> => {
  const texts = allTexts(image, size, words)
  if (E.isLeft(texts)) return fail(texts.left)
  const other = [...texts.right.keys()].find((name) => name !== 'size')
  if (other !== undefined) return fail(`${image}: Parameter '${other}' is not supported for file format raw`)
  const values = optionValues(texts.right)
  if (E.isLeft(values)) return fail(`${image}: ${values.left}`)
  const { size: bytes } = values.right
  if (bytes === undefined) return fail(`${image}: Image creation needs a size parameter`)
  const length = Math.ceil(Number(bytes) / sectorSize) * sectorSize
  if (!words.quiet) print(`Formatting '${image}', fmt=raw size=${bytes}\n`)
  try {
    const whole = await wholeFile(image)
    try {
      closeSync(createSparse(whole.path, length))
      whole.keep()
    } finally {
      whole.drop()
    }
    return ok
  } catch (error) {
    return fail(`${image}: Could not create '${image}': ${reason(error)}`)
  }
}
