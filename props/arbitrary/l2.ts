/** L2 entries in every context that an image may give them. */
import fc from 'fast-check'
import { compressedBits } from '../../src/format/compressed.js'
import { type Cluster, type L2Context, type L2Entry, standardBits, type SubclusterBitmap } from '../../src/format/l2.js'
import { hostEnd, maxClusterBits, minClusterBits, minExtendedClusterBits } from '../../src/format/limits.js'
import { bitsValue, type Mode } from './leaf.js'
import { numbers } from './number.js'
import { l2FieldsOf } from '../../src/fuzz/structures.js'
import { structure, type Structure } from './structure.js'

const every = Array.from({ length: maxClusterBits - minClusterBits + 1 }, (_, i) => minClusterBits + i)

/** Each context: both versions, all cluster sizes, with and without extended L2 entries and an external data file. */
export const l2Contexts: readonly L2Context[] = every.flatMap((clusterBits) => [
  { version: 2, clusterBits, extendedL2: false, externalDataFile: false },
  ...[false, true].flatMap((externalDataFile) => [
    { version: 3, clusterBits, extendedL2: false, externalDataFile },
    ...(clusterBits < minExtendedClusterBits ? [] : [{ version: 3, clusterBits, extendedL2: true, externalDataFile }])
  ])
])

/** A context in words. */
export const contextName = (ctx: L2Context): string =>
  [
    `version ${ctx.version}`,
    `cluster_bits ${ctx.clusterBits}`,
    ...(ctx.extendedL2 ? ['extended'] : []),
    ...(ctx.externalDataFile ? ['external data file'] : [])
  ].join(', ')

const compressedFlag = 1n << 62n

type StandardBits = Parameters<typeof standardBits.toWord>[0]

/** What a standard descriptor with these bits is. @see L2-03 */
const standard = (b: StandardBits, ctx: L2Context): Cluster => {
  const { copied, hostClusterOffset } = b
  const kept = b.reserved & ~compressedFlag
  const reserved = ctx.extendedL2 && b.zero ? kept | 1n : kept
  if (b.zero && !ctx.extendedL2)
    return hostClusterOffset === 0n
      ? { _tag: 'ZeroPlain', copied, reserved }
      : { _tag: 'ZeroAllocated', hostClusterOffset, copied, reserved }
  return hostClusterOffset === 0n && !(ctx.externalDataFile && copied)
    ? { _tag: 'Unallocated', copied, reserved }
    : { _tag: 'Normal', hostClusterOffset, copied, reserved }
}

/** The bits with what a standard descriptor must not have taken away. */
const kept = (b: StandardBits, ctx: L2Context): StandardBits => {
  const cluster = 1n << BigInt(ctx.clusterBits)
  const hostClusterOffset = b.hostClusterOffset - (b.hostClusterOffset % cluster)
  const zero = b.zero && ctx.version === 3 && !ctx.extendedL2
  const copied = b.copied && (hostClusterOffset !== 0n || (ctx.externalDataFile && !zero))
  return { zero, hostClusterOffset, copied, reserved: 0n }
}

/** Standard clusters, one in three of them without a host cluster. */
const standardCluster = (ctx: L2Context, mode: Mode): fc.Arbitrary<Cluster> =>
  fc.tuple(bitsValue(standardBits, mode), fc.constantFrom(false, true, true)).map(([drawn, placed]) => {
    const b = placed ? drawn : { ...drawn, hostClusterOffset: 0n }
    return standard(mode === 'any' ? b : kept(b, ctx), ctx)
  })

const compressedCluster = (ctx: L2Context, mode: Mode): fc.Arbitrary<Cluster> =>
  bitsValue(compressedBits(ctx.clusterBits), mode).map((b) => ({
    _tag: 'Compressed',
    hostOffset: mode === 'any' ? b.hostOffset : b.hostOffset % hostEnd,
    additionalSectors: b.additionalSectors,
    copied: b.copied && mode === 'any'
  }))

const half = numbers(0n, 0xffff_ffffn).map(Number)

/** Bitmaps of any bits; or those that the descriptor allows. */
const bitmap = (c: Cluster, mode: Mode): fc.Arbitrary<SubclusterBitmap> =>
  fc.record({ allocated: half, zeros: half }).map(({ allocated, zeros }) => {
    if (mode === 'any') return { allocated, zeros }
    if (c._tag === 'Compressed') return { allocated: 0, zeros: 0 }
    const placed = c._tag === 'Unallocated' ? 0 : allocated
    return { allocated: placed, zeros: (zeros & ~placed) >>> 0 }
  })

const drawn = (ctx: L2Context, mode: Mode): fc.Arbitrary<L2Entry> => {
  const compressed = mode === 'any' || !ctx.externalDataFile ? [compressedCluster(ctx, mode)] : []
  const cluster = fc.oneof(
    { weight: 3, arbitrary: standardCluster(ctx, mode) },
    ...compressed.map((arbitrary) => ({ weight: 1, arbitrary }))
  )
  return ctx.extendedL2 ? cluster.chain((c) => bitmap(c, mode).map((subclusters) => ({ ...c, subclusters }))) : cluster
}

/**
 * L2 entries of a context.
 *
 * @example
 * import fc from 'fast-check'
 * import { l2EntriesOf } from 'qcow2-spec/arbitraries'
 * import { l2Rules } from 'qcow2-spec/format'
 *
 * const context = { version: 3, clusterBits: 16, extendedL2: true, externalDataFile: false }
 * fc.assert(fc.property(l2EntriesOf(context).wellFormed, (entry) => l2Rules.judge(entry, context).length === 0))
 */
export const l2EntriesOf = (ctx: L2Context): Structure<L2Entry> =>
  structure(`L2 entry, ${contextName(ctx)}`, l2FieldsOf(ctx), (mode) => drawn(ctx, mode))

/** L2 entries of every context. */
export const l2Entries: readonly Structure<L2Entry>[] = l2Contexts.map(l2EntriesOf)
