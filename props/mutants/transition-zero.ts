/** Faults of zeroing, discarding and writing: entries that lie, counts that stay, bytes of somebody else. */
import type { Mutant } from './mutant.js'

const zero = (name: string, find: string, replace: string, file = 'transition/zero.js'): Mutant => ({
  name,
  file,
  edits: [[find, replace]],
  red: 'props/transition/zero.test.ts'
})

const compressed = (name: string, find: string, replace: string, file = 'transition/compressed.js'): Mutant => ({
  name,
  file,
  edits: [[find, replace]],
  red: 'props/transition/compressed.test.ts'
})

const codec = (name: string, file: string, find: string, replace: string): Mutant => ({
  name,
  file,
  edits: [[find, replace]],
  red: 'props/compression/compress.test.ts'
})

const zeroing: readonly Mutant[] = [
  zero('zeroing frees a cluster that is to be kept', '(unmap && isAllocated(e))', 'isAllocated(e)'),
  zero('zeroing looks at a payload as at a cluster', "e._tag === 'Compressed' || (unmap", '(unmap'),
  zero(
    'a shared cluster that is zeroed becomes an own one',
    "{ ...e, _tag: 'ZeroAllocated' }",
    "{ ...e, _tag: 'ZeroAllocated', copied: true }"
  ),
  zero(
    'a discard lets the backing file show through',
    'isAllocated(e) || hasBacking(w) ? plain(w) : e',
    'isAllocated(e) ? plain(w) : e'
  ),
  zero(
    'a discard cannot reach the last part of the disk',
    'const to = end === w.disk.size ? end : end - (end % size);',
    'const to = end - (end % size);'
  ),
  zero(
    'a discard takes parts of clusters',
    'const from = Math.ceil(at / size) * size;',
    'const from = Math.floor(at / size) * size;'
  ),
  zero('the rest of a cluster is zeroed unseen', "zeros &&= e.kind === 'zero' || e.kind === 'absent';", ''),
  zero('version 2 discards over a backing file', 'from >= to || (w.g.version === 2 && hasBacking(w))', 'from >= to'),
  zero('what an entry referred to keeps its count', 'releaseEntry(w, e);', ''),
  zero('a shared cluster is punched', '=== 1n ? host', '>= 1n ? host'),
  zero('a hole is punched before the entry changes', 'w.tx.also(stage', "w.tx.also('prepare'"),
  zero('a range of subclusters has one too many', '/ size) - 1)', '/ size))'),
  zero('a subcluster that is zeroed stays allocated', 'allocated: (allocated & ~mask) >>> 0', 'allocated'),
  zero(
    'an entry changes twice between two flushes',
    'if (from > at && from % size !== 0)\n            yield* endRound(w);',
    ''
  ),
  zero('the raw disk is not zeroed', 'if (!isRaw(w))\n        return;', 'return;')
]

const writing: readonly Mutant[] = [
  zero(
    'a copy leaves out what is allocated above',
    'Math.max(last, 31 - Math.clz32(kept))',
    'last',
    'transition/write.js'
  ),
  zero(
    'a copy leaves out what is allocated below',
    'Math.min(first, 31 - Math.clz32(kept & -kept))',
    'first',
    'transition/write.js'
  ),
  zero(
    'the bytes after those of a write are lost',
    'concat([head, bytes, tail])',
    'concat([head, bytes, new Uint8Array(tail.length)])',
    'transition/write.js'
  )
]

const packing: readonly Mutant[] = [
  compressed(
    'a payload is packed behind the most that its cluster can count',
    'count < maxRefcount(w.g.refcountOrder)',
    'true'
  ),
  compressed('a payload crosses into a cluster somewhere else', 'p === 0 || taken.cluster !== cluster + 1', 'p === 0'),
  compressed('a payload is packed behind the end of its cluster', 'end % clusterSize(w.g) === 0 ? 0 : end', 'end'),
  compressed(
    'a payload that crosses is counted once',
    "return taken.cluster * size;\n    yield* addToCounts(w, cluster, 1, 1, 'prepare');",
    'return taken.cluster * size;'
  ),
  compressed('a payload goes on behind one that is gone', 'c === packing', 'false', 'transition/refcounts.js'),
  compressed(
    'a cluster that is allocated is overwritten by a payload',
    "entry._tag !== 'Unallocated' && entry._tag !== 'ZeroPlain'",
    'false'
  ),
  compressed(
    'sectors are counted from the payload, not from the file',
    'additionalSectors(host, payload.length)',
    'additionalSectors(0n, payload.length)'
  )
]

const codecs: readonly Mutant[] = [
  codec('a match reaches back too far', 'compression/deflate.js', 'const window = 4096;', 'const window = 8192;'),
  codec('the block is not the last', 'compression/deflate.js', 'out.put(1, 1);', 'out.put(0, 1);'),
  codec(
    'a length of 258 has the symbol below',
    'compression/deflate.js',
    'base: maxMatch, extra: 0, ...fixedCode(285)',
    'base: maxMatch, extra: 0, ...fixedCode(284)'
  ),
  codec('the last block is not the last', 'compression/zstd-runs.js', 'end === bytes.length)', 'false)')
]

export const zeroMutants: readonly Mutant[] = [...zeroing, ...writing, ...packing, ...codecs]
