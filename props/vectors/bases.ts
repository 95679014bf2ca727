/** The images that those with one feature each start from, made by this package. */
import { imageName } from '../../corpus/recipe.js'
import type { AnyCommand } from '../../src/transition/command.js'
import type { CreateOptions } from '../../src/transition/create/options.js'
import { concat } from '../../src/bytes/octets.js'
import { noise } from '../../src/fuzz/noise.js'
import { newMachine, perhaps, right } from '../transition/model/machine.js'

/** An image by its options and the commands that change it. */
interface Base {
  readonly options: CreateOptions
  readonly backing?: Uint8Array
  readonly commands: readonly AnyCommand[]
  /** The cluster_bits that no reader takes, to which the finished image is scaled. */
  readonly scaledTo?: number
}

/** Bytes that no reader takes for others: each 16 bytes hold their own number. */
const numbered = (length: number, seed: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at + 16 <= length; at += 16) {
    view.setUint32(at, seed)
    view.setUint32(at + 12, at)
  }
  return bytes
}

const write = (at: number, length: number): AnyCommand => ({ _tag: 'Write', at, bytes: numbered(length, at + 1) })
const compressed = (at: number, length: number): AnyCommand => ({
  _tag: 'WriteCompressed',
  at,
  bytes: numbered(length, at + 1)
})
/** Bytes that deflate to little more than half: digits that look drawn. */
const digits = (length: number, seed: number): Uint8Array => noise(seed, length).map((byte) => 48 + (byte & 15))

const compressedDigits = (at: number, length: number): AnyCommand => ({
  _tag: 'WriteCompressed',
  at,
  bytes: digits(length, at + 1)
})
/** A cluster of 64 KiB that deflates to 43 sectors and a part of one. @see CMP-02 */
const example = concat([digits(25_000, 1), new Uint8Array(2 ** 16 - 25_000)])

const zeroes = (at: number, length: number, unmap = true): AnyCommand => ({ _tag: 'WriteZeroes', at, length, unmap })

const small = { size: 16384, clusterBits: 9 } as const
/** Each cluster_bits that an image may have. */
export const bits = [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21] as const

const baseOf = (options: CreateOptions, ...commands: readonly AnyCommand[]): Base => ({ options, commands })

const bases: Readonly<Record<string, Base>> = {
  ...Object.fromEntries(
    bits.flatMap((clusterBits) => [
      [`plain-${2 ** clusterBits}`, baseOf({ size: 2 ** 20, clusterBits }, write(0, 4096), write(2 ** 19, 512))],
      [
        `v2-${2 ** clusterBits}`,
        baseOf({ size: 2 ** 20, clusterBits, version: 2 }, write(0, 4096), write(2 ** 19, 512))
      ]
    ])
  ),
  ...Object.fromEntries(
    [0, 1, 2, 3, 4, 5, 6].map((refcountOrder) => [
      `width-${2 ** refcountOrder}`,
      baseOf({ ...small, refcountOrder }, write(0, 4096))
    ])
  ),
  'clusters-256': { ...baseOf({ size: 4096, clusterBits: 9 }, write(0, 512)), scaledTo: 8 },
  'clusters-4m': { ...baseOf({ size: 2 ** 20, clusterBits: 21 }, write(0, 4096)), scaledTo: 22 },
  zeros: baseOf(small, write(0, 4096), zeroes(512, 1024), zeroes(2048, 512, false)),
  deflate: baseOf(small, compressed(0, 512), write(512, 512), compressed(1024, 2048)),
  'deflate-64k': baseOf({ size: 2 ** 18, clusterBits: 16 }, compressed(0, 2 ** 17), write(2 ** 17, 512)),
  'deflate-crossing': baseOf(small, compressedDigits(0, 8192), write(8192, 512)),
  'deflate-crossing-4k': baseOf({ size: 2 ** 16, clusterBits: 12 }, compressedDigits(0, 2 ** 16)),
  partial: baseOf({ size: 4096 + 512, clusterBits: 10 }, write(4096, 512), write(0, 1024)),
  'partial-deflate': baseOf({ size: 8192 + 512, clusterBits: 12 }, compressed(0, 4096), compressed(8192, 512)),
  tables: baseOf({ size: 2 ** 17, clusterBits: 9 }, write(0, 512), write(2 ** 15, 512), write(2 ** 17 - 512, 512)),
  backing: { options: { size: 8192, clusterBits: 9 }, backing: numbered(8192, 77), commands: [write(512, 512)] },
  'backing-larger': { options: { size: 4096, clusterBits: 9 }, backing: numbered(9000, 78), commands: [write(0, 512)] },
  'backing-shorter': {
    options: { size: 16384, clusterBits: 9 },
    backing: numbered(5000, 79),
    commands: [write(512, 512)]
  },
  'backing-v2': {
    options: { size: 8192, clusterBits: 9, version: 2 },
    backing: numbered(8192, 80),
    commands: [write(512, 512)]
  },
  'backing-4096': { options: { size: 8192, clusterBits: 12 }, backing: numbered(8192, 84), commands: [write(0, 512)] },
  'zeros-over-backing': {
    options: { size: 8192, clusterBits: 9 },
    backing: numbered(8192, 81),
    commands: [write(0, 512), zeroes(1024, 1024)]
  },
  data: baseOf({ size: 16384, clusterBits: 9, dataFile: { name: 'img.raw', raw: false } }, write(0, 4096)),
  'data-raw': baseOf({ size: 16384, clusterBits: 9, dataFile: { name: 'img.raw', raw: true } }, write(0, 4096)),
  'data-backing': {
    options: { size: 16384, clusterBits: 9, dataFile: { name: 'img.raw', raw: false } },
    backing: numbered(16384, 85),
    commands: [write(0, 4096)]
  },
  extended: baseOf(
    { size: 2 ** 18, clusterBits: 14, extendedL2: true },
    write(512, 1024),
    zeroes(16384, 512),
    write(32768, 16384)
  ),
  'extended-tables': baseOf(
    { size: 2 ** 24 + 2 ** 15, clusterBits: 14, extendedL2: true },
    write(2 ** 23, 512),
    write(2 ** 24 + 2 ** 14, 1024)
  ),
  'extended-backing': {
    options: { size: 2 ** 16, clusterBits: 14, extendedL2: true },
    backing: numbered(40_000, 82),
    commands: [write(512, 1024), zeroes(16384, 1024), write(32768, 512)]
  },
  'extended-deflate': baseOf(
    { size: 2 ** 17, clusterBits: 14, extendedL2: true },
    compressed(0, 16384),
    write(16384, 512),
    compressed(49152, 16384)
  ),
  'deflate-example': baseOf({ size: 2 ** 17, clusterBits: 16 }, { _tag: 'WriteCompressed', at: 0, bytes: example }),
  boundary: baseOf({ size: 2 ** 16, clusterBits: 9 }, write(2 ** 15 - 512, 1024)),
  'small-backing-v2': {
    options: { size: 4096, clusterBits: 10, version: 2 },
    backing: numbered(3000, 83),
    commands: [write(1024, 512), compressed(2048, 1024)]
  },
  snapshot: baseOf(small, write(0, 1024), { _tag: 'SnapshotCreate', name: 'a' }, write(512, 1024)),
  bitmap: baseOf(small, { _tag: 'BitmapAdd', name: 'b', granularity: 512, enabled: true }, write(0, 1024)),
  bitmaps: baseOf(
    small,
    { _tag: 'BitmapAdd', name: 'b', granularity: 512, enabled: true },
    { _tag: 'BitmapAdd', name: 'c', granularity: 512, enabled: true },
    write(0, 1024)
  ),
  lazy: baseOf({ ...small, lazyRefcounts: true }, write(0, 1024))
}

/** An image with other clusters than any reader takes: the bytes of each cluster, at its place among longer or shorter ones. */
const scaled = (image: Uint8Array, bits: number, to: number): Uint8Array => {
  const [size, wanted] = [2 ** bits, 2 ** to]
  const clusters = Math.ceil(image.length / size)
  const out = new Uint8Array(clusters * wanted)
  for (let i = 0; i < clusters; i++) out.set(image.subarray(i * size, i * size + Math.min(size, wanted)), i * wanted)
  const view = new DataView(out.buffer)
  const move = (at: number): void => {
    const entry = view.getBigUint64(at)
    const flags = entry & (1n << 63n)
    view.setBigUint64(at, flags | (((entry ^ flags) >> BigInt(bits)) << BigInt(to)))
  }
  view.setUint32(20, to)
  move(40)
  move(48)
  const [l1, table] = [Number(view.getBigUint64(40)), Number(view.getBigUint64(48))]
  move(l1)
  move(table)
  const l2 = Number(view.getBigUint64(l1) & ~(1n << 63n))
  for (let at = l2; at < l2 + Math.min(size, wanted); at += 8) move(at)
  return out
}

const made = new Map<string, { readonly image: Uint8Array; readonly others: ReadonlyMap<string, Uint8Array> }>()

/** The files of a base. */
export const filesOfBase = (name: string) => {
  const known = made.get(name)
  if (known !== undefined) return known
  const base = bases[name]
  if (base === undefined) throw new Error(`there is no base ${name}`)
  const { files } = base.commands.reduce(
    (machine, command) => right(perhaps(machine, command)),
    newMachine(base.options, base.backing)
  )
  const others = new Map([
    ...(files.data.length === 0 ? [] : [['img.raw', files.data] as const]),
    ...(files.backing.length === 0 ? [] : [['backing.raw', files.backing] as const])
  ])
  const { clusterBits = 16 } = base.options
  const image = base.scaledTo === undefined ? files.image : scaled(files.image, clusterBits, base.scaledTo)
  const one = { image, others }
  made.set(name, one)
  return one
}

/** Name of the packed file of a base, below the folder of the corpus. */
export const packedName = (base: string, file: string): string =>
  `vectors/images/${base}${file === imageName ? '.qcow2' : `+${file}`}.gz`

/** The files that the singles start from, by their packed names. */
export const packedBases = (): ReadonlyMap<string, Uint8Array> =>
  new Map(
    Object.keys(bases).flatMap((base) => {
      const { image, others } = filesOfBase(base)
      return [
        [packedName(base, imageName), image] as const,
        ...[...others].map(([file, bytes]) => [packedName(base, file), bytes] as const)
      ]
    })
  )
