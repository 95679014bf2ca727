/** Benchmarks of disks that are holes of their file for the most part: whole processes, without the time that ours take to start. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { besideQemu, command, node, qemu, scratch, type Sides, smallImage } from './bench-processes.js'

const gibi = 2 ** 30

/** Without what `qcow2 info` takes for a small image. */
const withoutStart = (sides: Sides | string): Sides | string => {
  const image = smallImage()
  return typeof sides === 'string' || image === undefined
    ? sides
    : { ...sides, start: () => node(command, 'info', image) }
}

/** Makes a raw file of 100 GiB that holds 64 KiB of data in a thousand places. */
const makeSparse = (path: string): number => {
  const fd = openSync(path, 'w')
  const data = Buffer.alloc(2 ** 16, 1)
  const stride = 2 ** 16 * 1600
  for (let i = 0; i < 1000; i++) writeSync(fd, data, 0, data.length, i * stride)
  ftruncateSync(fd, 100 * gibi)
  closeSync(fd)
  return 0
}

/** What is done to an image or a raw file: our command line and QEMU's. */
type Work = (format: string, image: string) => readonly string[]

const toImage: Work = (format, image) => ['convert', '-f', format, '-O', 'qcow2', image, join(scratch, 'holes.out')]
const toRaw: Work = (format, image) => ['convert', '-f', format, '-O', 'raw', image, join(scratch, 'holes.out')]
const comparing: Work = (format, image) => ['compare', '-f', format, '-F', format, image, image]

/** Those on an image of so many GiB with preallocated metadata and no data. */
const onMetadata = (gigabytes: number, work: Work) => (): Sides | string => {
  const image = join(scratch, `metadata-${gigabytes}.qcow2`)
  const words = work('qcow2', image)
  return withoutStart(
    besideQemu(image, words, words, () =>
      qemu('create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', image, `${gigabytes}G`)
    )
  )
}

/** Those on a sparse raw file. */
const onSparse = (work: Work) => (): Sides | string => {
  const file = join(scratch, 'sparse.raw')
  const words = work('raw', file)
  return withoutStart(besideQemu(file, words, words, () => makeSparse(file)))
}

/** Maps an overlay on the sparse raw file. */
const mappingOverlay = (): Sides | string => {
  const [file, overlay] = [join(scratch, 'sparse.raw'), join(scratch, 'over-sparse.qcow2')]
  const words = ['map', '--output=json', overlay]
  return withoutStart(
    besideQemu(overlay, words, words, () =>
      makeSparse(file) === 0 ? qemu('create', '-q', '-f', 'qcow2', '-b', file, '-F', 'raw', overlay) : 1
    )
  )
}

/** The lines of the table: what is done, and both sides. */
export const holes: readonly (readonly [what: string, sides: () => Sides | string])[] = [
  ...[64, 1024].flatMap((gigabytes) =>
    [['convert -O qcow2', toImage] as const, ['convert -O raw', toRaw] as const, ['compare', comparing] as const].map(
      ([what, work]) => [`${what}, ${gigabytes} GiB holes`, onMetadata(gigabytes, work)] as const
    )
  ),
  ['convert -O qcow2, sparse raw', onSparse(toImage)],
  ['convert -O raw, sparse raw', onSparse(toRaw)],
  ['compare, sparse raw', onSparse(comparing)],
  ['map, overlay on sparse raw', mappingOverlay]
]
