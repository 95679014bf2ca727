/**
 * A recipe: how one image of the corpus comes about, as data.
 *
 * A step is one line, not shell. Spaces part words; 'single' and "double" quotes keep a word together.
 *
 *     qemu-img ...  qemu-io ...        runs the program in the recipe's folder; it must exit 0
 *     ! qemu-img ...                   it must exit with another code than 0
 *     - qemu-io ...                    its exit code does not count (`sigraise 9` ends it by a signal)
 *     ~ qemu-img ...                   it is run again while it fails, at most 20 times
 *     fill FILE LENGTH BYTE            makes a file of one repeated byte
 *     text FILE LENGTH                 makes a file that compresses well, always the same
 *     noise FILE LENGTH SEED           makes a file that does not compress, the same for the same seed
 *     patch FILE PLACE HEX...          overwrites bytes, which grows the file where they end past its end
 *     copy FILE FROM TO LENGTH         copies bytes within a file
 *     truncate FILE LENGTH             cuts a file, or grows it with zeros
 *     holds FILE PLACE HEX...          fails unless these bytes stand there
 *
 * Numbers are decimal or 0x hexadecimal, with an optional k or M. A PLACE is an offset, or a name and perhaps +offset:
 * a header field (`cluster_bits`), or a structure the header leads to (`l1`, `l2`; places.ts has them all).
 */

/** The image under study has this name in every recipe's folder. */
export const imageName = 'img.qcow2'

export interface Recipe {
  readonly name: string
  readonly title: string
  readonly steps: readonly string[]
  /** What `qemu-img check` exits with in the end. */
  readonly check: number
  /** Files the image cannot be read without: its backing files, its data file. */
  readonly companions?: readonly string[]
  /** The options with which qemu-img opens the image for its data, where its name is not enough. */
  readonly opts?: string
  /** Why the bytes differ from run to run. Absent where they are always the same. */
  readonly varies?: string
}

/** The step that makes an empty image of this size with these creation options. */
export const fresh = (size: string, options?: string): string =>
  `qemu-img create -q -f qcow2 ${options === undefined ? '' : `-o ${options} `}img.qcow2 ${size}`

/** The step that has qemu-io perform commands on the image, in one run. */
export const io = (...commands: readonly string[]): string =>
  `qemu-io ${commands.map((command) => `-c "${command}" `).join('')}img.qcow2`

/** The steps that make a backing file of 1 MiB full of 0x11. */
export const base: readonly string[] = [
  'qemu-img create -q -f qcow2 base.qcow2 1M',
  'qemu-io -c "write -P 0x11 0 1M" base.qcow2'
]

/** The step that makes an empty overlay of that file. */
export const overBase = 'qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 img.qcow2'

/** The steps that take snapshots. */
export const snapshots = (...names: readonly string[]): readonly string[] =>
  names.map((name) => `qemu-img snapshot -c ${name} img.qcow2`)

export const dated = 'a snapshot carries the time it was taken at'
