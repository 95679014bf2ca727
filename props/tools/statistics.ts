/** `npm run statistics [-- TEXT]`: prints what the generators draw as shares of each kind, for titles with TEXT. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { isIssue } from '../../src/bytes/issue.js'
import { geometry } from '../../src/format/geometry.js'
import { judgeHeader } from '../../src/format/header-rules.js'
import { type Header, header } from '../../src/format/header.js'
import { snapshotExtra } from '../../src/format/snapshot.js'
import {
  anyBytes,
  bitmapDirectories,
  bitmaps,
  corrupted,
  extensionAreas,
  extensions,
  headers,
  l2Contexts,
  l2EntriesOf,
  refcountBlocks,
  snapshots,
  type Structure
} from '../arbitrary/index.js'
import { corruptions } from '../arbitrary/corruption.js'
import { drawFromEnvironment } from '../run/seed.js'

const { seed, runs } = drawFromEnvironment()
const [, , chosen = ''] = process.argv

const shares = <T>(title: string, drawn: fc.Arbitrary<T>, kinds: (t: T) => string | string[]): void => {
  if (!title.includes(chosen)) return
  process.stdout.write(`\n${title}\n`)
  fc.statistics(drawn, kinds, {
    seed,
    numRuns: Math.ceil(2000 * runs),
    logger: (line) => process.stdout.write(`  ${line}\n`)
  })
}

/** Where a number is among the limits of its kind. */
const sizeClass = (n: number, ...limits: readonly number[]): string => {
  const above = limits.find((limit) => n <= limit)
  return above === undefined ? `above ${limits.at(-1) ?? 0}` : n === above ? `${n}` : `below ${above}`
}

const lengthClass = (h: Header): string =>
  h.version === 2 ? 'no header_length' : `header_length ${sizeClass(h.headerLength, 104, 105, 112, 4096, 0xffff_ffff)}`

shares('header: versions and lengths', headers.anyValue, (h) => [`version ${h.version}`, lengthClass(h)])
shares('header: cluster_bits', headers.anyValue, (h) => `cluster_bits ${sizeClass(h.clusterBits, 8, 9, 21, 22)}`)
shares('header: broken rules of any value', headers.anyValue, (h) => `${judgeHeader(h).length} issues`)
shares('header: features of well-formed values', headers.wellFormed, (h) => [
  `version ${h.version}`,
  ...Object.entries({ ...h.incompatibleFeatures, ...h.compatibleFeatures, ...h.autoclearFeatures }).flatMap(
    ([name, set]) => (set === true ? [name] : [])
  ),
  ...(h.backingFileOffset === 0n ? [] : ['backing file']),
  ...(h.nbSnapshots === 0 ? [] : ['snapshots'])
])
shares('header: geometries of well-formed values', headers.wellFormed, (h) => {
  const g = geometry(h)
  return [`cluster_bits ${g?.clusterBits ?? 'none'}`, `refcount_order ${g?.refcountOrder ?? 'none'}`]
})

shares('extension: kinds', extensions.anyValue, (e) => e._tag)
shares('extension: bytes of padding', extensions.anyValue, (e) => `${e.padding.length}`)
shares('extension area: sizes, ends and repeats', extensionAreas.anyValue, (a) => [
  `${a.extensions.length} extensions`,
  a.end === undefined ? 'no end marker' : a.end === 0 ? 'end marker' : 'end marker with data',
  ...(new Set(a.extensions.map((e) => e._tag)).size < a.extensions.length ? ['a kind twice'] : [])
])

const contexts = fc.constantFrom(...l2Contexts).chain((ctx) => l2EntriesOf(ctx).anyValue)
shares('L2 entry: kinds', contexts, (e) => e._tag)
shares('L2 entry: reserved bits, COPIED and subclusters', contexts, (e) => [
  ...('reserved' in e && e.reserved !== 0n ? ['reserved bits'] : []),
  ...(e.copied ? ['COPIED'] : []),
  e.subclusters === undefined ? 'no subclusters' : 'subclusters'
])

refcountBlocks.forEach((s) =>
  shares(s.name, s.anyValue, (counts) => {
    const different = new Set(counts).size
    return different === 1 ? 'one refcount' : different === 2 ? 'two refcounts' : 'many refcounts'
  })
)

shares('snapshot: bytes of extra data', snapshots.anyValue, ({ extra }) =>
  sizeClass(snapshotExtra.sizeOf(extra), 0, 8, 16, 24, 1024)
)
shares('snapshot: bytes of padding', snapshots.anyValue, (s) => `${s.padding.length}`)
shares('bitmap: flags, granularity and extra data', bitmaps.anyValue, (b) => [
  ...Object.entries(b.flags).flatMap(([name, set]) => (set === true || (set !== false && set !== 0n) ? [name] : [])),
  `granularity_bits ${sizeClass(b.granularityBits, 8, 9, 31, 63)}`,
  b.extra.length === 0 ? 'no extra data' : 'extra data'
])
shares('bitmap directory: entries', bitmapDirectories.anyValue, (list) => `${list.length} entries`)

shares('corruptions', corruptions, (w) => (w._tag === 'Field' ? `${w._tag}: ${w.change}` : w._tag))

const outcome =
  <A>({ type }: Structure<A>) =>
  (bytes: Uint8Array): string => {
    const decoded = type.decode(bytes)
    return E.isRight(decoded) ? 'decodes' : `malformed: ${decoded.left.filter(isIssue)[0]?.clause ?? ''}`
  }
shares('corrupted header: outcome', corrupted(headers), outcome(headers))
shares('any bytes as an extension area: outcome', anyBytes(extensionAreas), outcome(extensionAreas))
shares('any bytes as a snapshot table entry: outcome', anyBytes(snapshots), outcome(snapshots))
shares('corrupted header: broken clauses', corrupted(headers), (bytes) => {
  const decoded = header.decode(bytes)
  return E.isRight(decoded) ? [...new Set(judgeHeader(decoded.right).map((i) => i.clause))] : 'malformed'
})
