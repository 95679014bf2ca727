/** Faults of zeroing, discarding and writing: entries that lie, counts that stay, bytes of somebody else. */
import type { Mutant } from './mutant.js'

const zero = (
  name: string,
  rule: string,
  find: string,
  replace: string,
  file = 'transition/guest/zero.js'
): Mutant => ({
  name,
  file,
  edits: [[find, replace]],
  red: 'props/transition/guest/zero.test.ts',
  rule
})

const compressed = (
  name: string,
  rule: string,
  find: string,
  replace: string,
  file = 'transition/guest/compressed.js'
): Mutant => ({
  name,
  file,
  edits: [[find, replace]],
  red: 'props/transition/guest/compressed.test.ts',
  rule
})

const codec = (name: string, rule: string, file: string, find: string, replace: string): Mutant => ({
  name,
  file,
  edits: [[find, replace]],
  red: 'props/compression/compress.test.ts',
  rule
})

const zeroing: readonly Mutant[] = [
  zero(
    'zeroing frees a cluster that is to be kept',
    'ZD-10: reaches to the end of the disk',
    '(unmap && isAllocated(e))',
    'isAllocated(e)'
  ),
  zero(
    'zeroing looks at a payload as at a cluster',
    'ZD-05: has no host cluster with unmap, after a payload and where there was nothing',
    "e._tag === 'Compressed' || (unmap",
    '(unmap'
  ),
  zero(
    'a shared cluster that is zeroed becomes an own one',
    'ZD-12: is written to elsewhere',
    "{ ...e, _tag: 'ZeroAllocated' }",
    "{ ...e, _tag: 'ZeroAllocated', copied: true }"
  ),
  zero(
    'a discard lets the backing file show through',
    'ZD-03: hides the backing file',
    'isAllocated(e) || hasBacking(w) ? plain(w) : e',
    'isAllocated(e) ? plain(w) : e'
  ),
  zero(
    'a discard cannot reach the last part of the disk',
    'ZD-11: is for whole clusters and the last part of the disk',
    'const to = end === w.disk.size ? end : end - (end % size);',
    'const to = end - (end % size);'
  ),
  zero(
    'a discard takes parts of clusters',
    'ZD-11: is for whole clusters and the last part of the disk',
    'const from = Math.ceil(at / size) * size;',
    'const from = Math.floor(at / size) * size;'
  ),
  zero(
    'the rest of a cluster is zeroed unseen',
    'ZD-10: is data beside data',
    "zeros &&= e.kind === 'zero' || e.kind === 'absent';",
    ''
  ),
  zero(
    'version 2 discards over a backing file',
    'ZD-09: is ignored',
    'from >= to || (w.g.version === 2 && hasBacking(w))',
    'from >= to'
  ),
  zero(
    'what an entry referred to keeps its count',
    'ZD-15: a hole is punched when the change of the entry is durable, or with it in an external data file',
    'releaseEntry(w, e);',
    ''
  ),
  zero(
    'a shared cluster is punched',
    'a payload is not punched, nor is what a snapshot holds',
    '=== 1n ? host',
    '>= 1n ? host'
  ),
  zero(
    'a hole is punched before the entry changes',
    'ZD-15: a hole is punched when the change of the entry is durable, or with it in an external data file',
    'w.tx.schedule(stage',
    "w.tx.schedule('prepare'"
  ),
  zero('a range of subclusters has one too many', 'SUB-07: data and zeros in one cluster', '/ size) - 1)', '/ size))'),
  zero(
    'a subcluster that is zeroed stays allocated',
    'SW-05: clears what was allocated, and frees nothing',
    'allocated: (allocated & ~mask) >>> 0',
    'allocated'
  ),
  zero(
    'an entry changes twice between two flushes',
    'the zeros of a part of a subcluster, behind those of whole ones, show nothing that was never there',
    'if (changed && !keeps && from % clusterSize(w.g) !== 0)\n            yield* endRound(w);',
    ''
  ),
  zero(
    'the raw disk is not zeroed',
    'DATA-07: the raw disk has its zeros before the entries say so',
    'if (!isRaw(w))\n        return;',
    'return;'
  )
]

const writing: readonly Mutant[] = [
  zero(
    'a copy leaves out what is allocated above',
    'SW-02: copies from the lowest to the highest',
    'Math.max(last, 31 - Math.clz32(kept))',
    'last',
    'transition/guest/write.js'
  ),
  zero(
    'a copy leaves out what is allocated below',
    'SW-02: reaches as far as what is written',
    'Math.min(first, 31 - Math.clz32(kept & -kept))',
    'first',
    'transition/guest/write.js'
  ),
  zero(
    'the bytes after those of a write are lost',
    'an image stands for the disk of the abstract machine after every command, and nothing is wrong with it',
    'concat([head, bytes, tail])',
    'concat([head, bytes, new Uint8Array(tail.length)])',
    'transition/guest/write.js'
  )
]

const packing: readonly Mutant[] = [
  compressed(
    'a payload is packed behind the most that its cluster can count',
    'CW-02: a count of two bits is three payloads',
    'count < maxRefcount(w.g.refcountOrder)',
    'true'
  ),
  compressed(
    'a payload crosses into a cluster somewhere else',
    'CW-02: nothing crosses into a cluster that does not follow',
    'p === 0 || taken.cluster !== cluster + 1',
    'p === 0'
  ),
  compressed(
    'a payload is packed behind the end of its cluster',
    'CW-02: a payload fills up its cluster to the last byte',
    'end % clusterSize(w.g) === 0 ? 0 : end',
    'end'
  ),
  compressed(
    'a payload that crosses is counted once',
    'CW-02: a payload ends with the cluster that it crosses into',
    "return taken.cluster * size;\n    yield* addToCounts(w, cluster, 1, 1, 'prepare');",
    'return taken.cluster * size;'
  ),
  compressed(
    'a payload goes on behind one that is gone',
    'CW-02: nothing is packed behind a payload that is gone',
    'c === packing',
    'false',
    'transition/engine/refcounts.js'
  ),
  compressed(
    'a cluster that is allocated is overwritten by a payload',
    'CW-01: a cluster that is allocated is refused, with nothing written',
    "entry._tag !== 'Unallocated' && entry._tag !== 'ZeroPlain'",
    'false'
  ),
  compressed(
    'sectors are counted from the payload, not from the file',
    'CW-02: a payload ends with the cluster that it crosses into',
    'additionalSectors(host, payload.length)',
    'additionalSectors(0n, payload.length)'
  )
]

const codecs: readonly Mutant[] = [
  codec(
    'a match reaches back too far',
    'bytes that repeat after 4096 are matched, and after 4097 they are not',
    'compression/deflate.js',
    'const window = 4096;',
    'const window = 8192;'
  ),
  codec(
    'the block is not the last',
    'bytes that repeat after 4096 are matched, and after 4097 they are not',
    'compression/deflate.js',
    'out.put(1, 1);',
    'out.put(0, 1);'
  ),
  codec(
    'a length of 258 has the symbol below',
    'bytes that repeat after 4096 are matched, and after 4097 they are not',
    'compression/deflate.js',
    'base: maxMatch, extra: 0, ...fixedCode(285)',
    'base: maxMatch, extra: 0, ...fixedCode(284)'
  ),
  codec(
    'the last block is not the last',
    'a cluster in a zstd frame comes back',
    'compression/zstd-runs.js',
    'end === bytes.length)',
    'false)'
  )
]

export const zeroMutants: readonly Mutant[] = [...zeroing, ...writing, ...packing, ...codecs]
