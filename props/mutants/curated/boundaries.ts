/** Mutants at the boundaries of tables, chunks and parts: faults that show only in an image that reaches past the first one. */
import type { Mutant } from '../mutant.js'

const onBitmapTables = {
  red: 'props/transition/bitmaps/tables.test.ts',
  rule: 'a table that ends at the end of a cluster, or next to it, marks the last byte, is merged, cleared and removed'
}

export const boundaryMutants: readonly Mutant[] = [
  {
    name: 'a number is found in the chunk that was looked at before',
    file: 'image/cluster-set.ts',
    change: { in: 'ClusterSet.lookAt', find: 'this.chunk = this.chunks.get(key)', operator: 'drop-statement' },
    red: 'props/image/cluster-set.test.ts',
    rule: 'a number is in the set once it was added, and is new only then'
  },
  {
    name: 'unknown additional fields begin where the known ones do',
    file: 'image/dump/explain-parts.ts',
    change: { in: 'inHeader', find: 'Math.max($start, ...$ends)', to: '$start' },
    red: 'props/image/dump/parts.test.ts',
    rule: 'every byte of a structure is of one part, which holds it, and all bytes of the part are explained alike'
  },
  {
    name: 'an L2 table that trees share is a region for each of them',
    file: 'image/dump/regions.ts',
    change: { in: 'l2Tables', find: 'isNew($w, $l2)', to: 'true' },
    red: 'props/image/dump/parts.test.ts',
    rule: 'no two structures of a sound image overlap'
  },
  {
    name: 'a deleted snapshot leaves the second cluster of its L1 table',
    file: 'transition/snapshots/snapshot.ts',
    change: { in: 'deleteSnapshot', find: '$w.release($at, 8 * $size)', to: '$w.release($at, 7 * $size)' },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a deleted snapshot leaves nothing behind, wherever in its clusters its L1 table ends'
  },
  {
    name: 'an empty refcount block goes while a crash may leave references to its clusters',
    file: 'transition/resize/resize.ts',
    change: { in: 'shrink', find: 'yield* endRound($w)', nth: 2, operator: 'drop-statement' },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'after a crash no cluster that a shrinking disk has used lacks its refcount block'
  },
  {
    name: 'a finding is at the start of its structure',
    file: 'bytes/judgement.ts',
    change: { in: 'RuleTable.issue', find: 'at + $place.at', to: 'at' },
    red: 'props/image/check/places.test.ts',
    rule: 'each finding on the corpus is in the structure and the field that it names'
  },
  {
    name: 'a FAT12 file system is looked for one byte early',
    file: 'image/file-kind.ts',
    change: { in: 'magics', find: "magic('FAT12   ', 54)", to: "magic('FAT12   ', 53)" },
    red: 'props/image/file-kind.test.ts',
    rule: 'a magic number of another format at its offset is recognised, and nowhere else'
  },
  {
    name: 'a gap ends where the range after it ends',
    file: 'image/dump/gaps.ts',
    change: { in: 'gaps', find: 'Math.max($done, $at + $size)', to: '$at + $size' },
    red: 'props/image/dump/gaps.test.ts',
    rule: 'the gaps are the bytes of no range, in runs as long as possible'
  },
  {
    name: 'a removed bitmap leaves the second cluster of its table',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: { in: 'releaseBitmap', find: '$w.release($at, 8 * $size)', to: '$w.release($at, 7 * $size)' },
    ...onBitmapTables
  },
  {
    name: 'an added extension makes bitmaps trusted that were not',
    file: 'transition/engine/extensions.ts',
    change: { in: 'changeExtensions', find: '$writes !== $safe && $trusted', to: '$writes !== $safe' },
    red: 'props/transition/bitmaps/tables.test.ts',
    rule: 'no command but those of bitmaps makes bitmaps trusted that are not'
  },
  {
    name: 'the refcount table of an image that is written front to back has one cluster',
    file: 'transition/create/sequential-allocator.ts',
    change: { in: 'SequentialAllocator.endLayout', find: 'Math.ceil((8 * $blocks) / $size)', to: '1' },
    red: 'props/transition/create/image-writer.test.ts',
    rule: 'an image whose refcount table has several clusters reads as its input'
  }
]
