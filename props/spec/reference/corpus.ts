/** The images of the corpus, opened by the reference reader, with their backing and data files. */
import { type Loaded, load, names } from '../../../corpus/load.js'
import { type Disk, type Image, number, openImage } from '../../../spec/reference/image.js'
import type { Decompressors } from '../../../spec/reference/reader.js'
import { native } from '../../../src/node/compression/native.js'

/** Node inflates with zlib, as QEMU does. */
export const tools: Decompressors = { inflate: native.deflate, zstd: native.zstd }

/** The file name in a backing file name: the recipes use one folder, and one name is JSON. */
const plainName = (name: string): string => (/"filename":"([^"]*)"/.exec(name)?.[1] ?? name).split('/').at(-1) ?? ''

const isQcow2 = (file: Uint8Array): boolean => Buffer.from(file.subarray(0, 4)).toString('latin1') === 'QFI\xfb'

const textAt = (file: Uint8Array, offset: number, length: number): string =>
  Buffer.from(file.subarray(offset, offset + length)).toString()

const diskOf = (files: Loaded['files'], file: Uint8Array): Disk => (isQcow2(file) ? imageOf(files, file) : file)

export const imageOf = (files: Loaded['files'], file: Uint8Array): Image => {
  const nameOffset = number(file, 8, 8)
  const name = plainName(textAt(file, nameOffset, number(file, 16, 4)))
  const base = nameOffset === 0 ? undefined : files.get(name)
  return openImage(file, files.get('img.raw'), base === undefined ? undefined : diskOf(files, base))
}

export interface Opened {
  readonly name: string
  readonly expect: Loaded['expect']
  readonly reference: Image
}

/** Every image that qemu-img opens for this question; the reference has no opening checks. */
export function* opened(question: 'check' | 'map' | 'guest'): Generator<Opened> {
  for (const name of names()) {
    const { expect, image, files } = load(name)
    const { stderr = '' } = question === 'guest' ? expect.guest.active : expect[question]
    // A check reads the snapshot table itself, and prints nothing if it cannot.
    const isChecked = question !== 'check' || expect.check.stdout !== null
    if (isChecked && !stderr.includes('Could not open')) yield { name, expect, reference: imageOf(files, image) }
  }
}

/** The number of occurrences of each text. */
export const tally = (all: readonly string[]): string =>
  [...new Set(all)]
    .sort()
    .map((each) => `${each} ${all.filter((other) => other === each).length}`)
    .join(', ')
