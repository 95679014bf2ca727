/** Golden bytes: how they are written down, and the steps that make the images they come from. */
import { fresh, io } from '../../corpus/recipe.js'
import type { Json } from '../../src/bytes/json.js'
import type { Geometry } from '../../src/format/geometry.js'
import type { StructureName } from './readers.js'

export interface Golden {
  readonly structure: StructureName
  readonly title: string
  /** The steps that make the image; see corpus/recipe.ts. */
  readonly recipe: readonly string[]
  /** Byte offset in the image. */
  readonly at: number
  /** The bytes, as notation.ts has it. */
  readonly bytes: string
  readonly json: Json
  /** What the structure is read with beyond the usual. */
  readonly geometry?: Partial<Geometry>
  /** Why QEMU is not asked again: its bytes differ from run to run, or it takes its time. */
  readonly once?: string
}

/** An overlay in the smallest clusters, in version 3 and in version 2. */
const base = 'qemu-img create -q -f qcow2 base.qcow2 1M'
export const overlay = [base, 'qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 -o cluster_size=512 img.qcow2 1M']
export const overlayV2 = [
  base,
  'qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 -o compat=0.10,cluster_size=512 img.qcow2 1M'
]

/** Every feature that creation knows. */
export const features = [
  fresh(
    '1M',
    'data_file=img.raw,data_file_raw=on,extended_l2=on,lazy_refcounts=on,compression_type=zstd,refcount_bits=64,cluster_size=16k'
  )
]

/** An enabled bitmap with a dirty range, and a disabled one. */
export const bitmaps = [
  fresh('8M', 'cluster_size=512'),
  'qemu-img bitmap --add -g 4k img.qcow2 b0',
  'qemu-img bitmap --add -g 64k --disable img.qcow2 disabled',
  io('write 1M 70k')
]

/** Clusters written, zeroed, and zeroed and unmapped. */
export const zeros = [fresh('64k', 'cluster_size=512'), io('write -P 1 0 2k', 'write -z 512 512', 'write -z -u 1k 512')]

/** Subclusters written and zeroed, and a compressed cluster. */
export const subclusters = [
  fresh('1M', 'extended_l2=on,cluster_size=16k'),
  io('write -P 1 0 512', 'write -P 2 1280 256', 'write -z 2k 1k', 'write -z 16k 16k', 'write -c -P 3 32k 16k')
]

/** Two compressed clusters of this size. */
export const compressed = (size: string): readonly string[] => [
  fresh('8M', `cluster_size=${size}`),
  io(`write -c -P 1 0 ${size}`, `write -c -P 2 ${size} ${size}`)
]

/** An encrypted image. */
export const luks =
  'qemu-img create -q -f qcow2 --object secret,id=s0,data=abc ' +
  '-o encrypt.format=luks,encrypt.key-secret=s0,encrypt.iter-time=100,cluster_size=4k img.qcow2 1M'
