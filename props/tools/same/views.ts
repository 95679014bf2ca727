/** The command lines that an image is asked about: a few of each kind by turns, or all. */
import { viewOf } from '../../../src/bytes/octets.js'
import { Random } from '../../../src/fuzz/random.js'
import type { Ask } from './protocol.js'

const image = 'img.qcow2'
const files = [image, 'img.raw', 'data.raw']

const asking = (...lines: readonly string[]): readonly Ask[] =>
  lines.map((line) => ({ words: line.split(' '), makes: [] }))

const changing = (...lines: readonly string[]): readonly Ask[] =>
  lines.map((line) => ({ words: line.split(' '), makes: [...files, 'base.raw', 'base.qcow2', 'backing.raw'] }))

const making = (name: string, line: string): Ask => ({ words: line.split(' '), makes: [name] })

const checks = asking(
  `check ${image}`,
  `check --output=json ${image}`,
  `check --strict ${image}`,
  `check --deep ${image}`,
  `check --deep --strict --output=json ${image}`
)
const maps = asking(`map ${image}`, `map --output=json ${image}`)
const infos = asking(
  `info ${image}`,
  `info --output=json ${image}`,
  `info --backing-chain ${image}`,
  `info --backing-chain --output=json ${image}`
)
const dumps = asking(`dump ${image}`, `dump --data=inline ${image}`)
const repairs = changing(
  `check -r leaks ${image}`,
  `check -r all ${image}`,
  `check -r leaks --output=json ${image}`,
  `check -r all --output=json ${image}`
)

const conversions: readonly Ask[] = [
  making('out.raw', `convert -O raw ${image} out.raw`),
  ...asking(`compare -F raw ${image} out.raw`),
  making('out.qcow2', `convert -O qcow2 ${image} out.qcow2`),
  ...asking(`compare ${image} out.qcow2`, `compare -s ${image} out.qcow2`, `snapshot -l ${image}`),
  making('out.qcow2', `convert -c -O qcow2 ${image} out.qcow2`),
  making('out.qcow2', `convert -O qcow2 -l 1 ${image} out.qcow2`),
  ...asking(`read ${image} 0 4096`, `map --snapshot 1 ${image}`)
]

const alterations = changing(
  `snapshot -c new ${image}`,
  `snapshot -a 1 ${image}`,
  `snapshot -d 1 ${image}`,
  `resize ${image} +1M`,
  `resize --shrink ${image} 512`,
  `resize ${image} 1000`,
  `resize --preallocation=metadata ${image} +64k`,
  `bitmap --add ${image} b0`,
  `bitmap --add --disable -g 512 ${image} new`,
  `bitmap --remove ${image} b0`,
  `bitmap --clear ${image} b1`,
  `bitmap --merge b1 ${image} b0`,
  `amend -o compat=0.10 ${image}`,
  `amend -o compat=1.1 ${image}`,
  `amend -o refcount_bits=64 ${image}`,
  `amend -o lazy_refcounts=on ${image}`,
  `rebase -u -b  ${image}`,
  `rebase -u -b other.raw -F raw ${image}`,
  `rebase -b base.raw -F raw ${image}`,
  `commit ${image}`,
  `commit -d ${image}`
)

/** Lines of qemu-io. */
const ios: readonly Ask[] = [
  ['write -q -P 7 0 512', 'read -q 0 4096'],
  ['write -q -z 512 4096', 'map'],
  ['write -q -c 0 64k', 'flush'],
  ['discard -q 0 1M', 'alloc 0 4096'],
  ['write -q -P 9 1k 8k', 'length', 'truncate 1M'],
  ['info', 'read -v 0 512']
].map((lines) => ({ words: ['io', ...lines.flatMap((line) => ['-c', line]), image], makes: files }))

/** Bytes that a word may refer to, read without any check of them. */
const word = (bytes: Uint8Array, at: number): number =>
  at + 8 <= bytes.length ? Number(viewOf(bytes).getBigUint64(at) & 0x00ff_ffff_ffff_fe00n) : 0

/** Offsets where something is: tables by what the header says of them, what those name, and both ends of the file. */
const placesIn = (bytes: Uint8Array): readonly number[] => {
  const [l1, table, snapshots] = [word(bytes, 40), word(bytes, 48), word(bytes, 64)]
  const [l2, block] = [word(bytes, l1), word(bytes, table)]
  const starts = [0, 20, 104, 112, l1, table, snapshots, l2, block, word(bytes, l2)]
  return [...starts, l1 + 8, table + 3, snapshots + 40, l2 + 16, block + 5, bytes.length - 1, bytes.length]
}

const explains = (bytes: Uint8Array, random: Random, all: boolean): readonly Ask[] => {
  const places = [...new Set([...placesIn(bytes), random.below(Math.max(1, bytes.length))])]
  const chosen = all ? places : [0, 1].map(() => places[random.below(places.length)] ?? 0)
  return chosen.flatMap((at, i) =>
    asking(i % 2 === 0 ? `explain ${image} ${at}` : `explain --output=json ${image} ${at}`)
  )
}

/** Every so many images are also converted and compared. */
const converted = 20

/** Images of more bytes are asked for less. */
const large = 2 ** 20

/** Large images are written to by every so many. */
const changedLarge = 8

/** What is asked about image `id`, by turns or everything. Both sides are asked the same, whatever they answer. */
export const asksOf = (id: number, bytes: Uint8Array, all: boolean): readonly Ask[] => {
  const random = new Random(id)
  const isSmall = all || bytes.length <= large
  const changes = isSmall || random.below(changedLarge) === 0
  const some = (list: readonly Ask[]): readonly Ask[] =>
    all ? list : [list[random.below(list.length)]].flatMap((ask) => ask ?? [])
  const oneIn = (n: number): boolean => random.below(n) === 0 || all
  return [
    ...some(checks),
    ...(oneIn(2) ? some(maps) : []),
    ...(oneIn(2) ? some(infos) : []),
    ...(oneIn(3) ? some(isSmall ? dumps : dumps.slice(0, 1)) : []),
    ...(oneIn(3) ? explains(bytes, random, all) : []),
    ...(changes && oneIn(2) ? some(repairs) : []),
    ...(changes && oneIn(4) ? some([...alterations, ...ios]) : []),
    ...(changes && id % converted === 0 ? conversions : [])
  ]
}
