/** Mutants of src/transition/bitmaps. */
import type { Mutant } from '../../mutant.js'

const onAbstractBitmaps = {
  red: 'props/transition/bitmaps/bitmap.test.ts',
  rule: 'bitmaps record every write, and every bitmap command has the outcome of the abstract disk'
}
const onResize = {
  red: 'props/transition/bitmaps/bitmap.test.ts',
  rule: 'bitmaps are as long as their disk, or not trusted while it changes'
}

export const bitmapMutants: readonly Mutant[] = [
  {
    name: 'a cluster of bits that two bitmaps share is changed in place',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: { in: 'mayChange', find: '$refcount > 1n', to: '$refcount > 2n' },
    red: 'props/transition/bitmaps/shared.test.ts',
    rule: 'a write is refused where it would mark a bitmap that shares a cluster, and done where all is marked'
  },
  {
    name: 'a write does not mark its last granule',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: { in: 'recordRange', find: 'Math.ceil($x)', to: 'Math.floor($x)' },
    ...onAbstractBitmaps
  },
  {
    name: 'dirty bits are written after the data',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: { in: 'record', find: "$w.tx.put($what, 'prepare', $$rest)", to: "$w.tx.put($what, 'settle', $$rest)" },
    red: 'props/transition/bitmaps/bitmap.test.ts',
    rule: 'after a crash bitmaps record every byte that a write changed; other commands are all or nothing'
  },
  {
    name: 'a new cluster of dirty bits is exposed after the data',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: {
      in: 'record',
      find: "$w.tx.putWord('bitmap table', 'record', $$rest)",
      to: "$w.tx.putWord('bitmap table', 'settle', $$rest)"
    },
    red: 'props/transition/bitmaps/bitmap.test.ts',
    rule: 'after a crash bitmaps record every byte that a write changed; other commands are all or nothing'
  },
  {
    name: 'a disabled bitmap records writes',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: { in: 'recordRange', find: '$flags.auto', operator: 'drop-operand' },
    ...onAbstractBitmaps
  },
  {
    name: 'a bitmap in use records writes',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: { in: 'recordRange', find: '!$flags.inUse', operator: 'drop-operand' },
    red: 'props/transition/bitmaps/bitmap.test.ts',
    rule: 'a bitmap in use is left alone until it is removed'
  },
  {
    name: 'an all-ones bitmap table entry is handled as all zeros',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: { in: 'record', find: 'if (!$entry.allOnes(0)) $then', to: '$then' },
    red: 'props/transition/bitmaps/bitmap.test.ts',
    rule: 'where all bits are 1, a write has nothing to record'
  },
  {
    name: 'marking a range skips its last granule',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: { in: 'markedTable', find: 'Math.ceil($x)', to: 'Math.floor($x)' },
    red: 'props/transition/bitmaps/bitmap.test.ts',
    rule: 'a merge marks the ranges of the merged bitmap'
  },
  {
    name: 'a merge swaps the granularities',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: {
      in: 'mergedTable',
      find: '$a.granularityBits - $b.granularityBits',
      to: '$b.granularityBits - $a.granularityBits'
    },
    red: 'props/transition/bitmaps/bitmap.test.ts',
    rule: 'bitmaps have the bits that QEMU gives them, and QEMU takes them over',
    byQemu: true
  },
  {
    name: 'a resized bitmap keeps the bits past its end',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: { in: 'resized', find: '$kept % $per', to: '$per' },
    ...onResize
  },
  {
    name: 'a merge leaks the old bitmap data',
    file: 'transition/bitmaps/bitmap-data.ts',
    change: { in: 'changedTable', find: '$changed.has($i)', operator: 'drop-operand' },
    ...onResize
  },
  {
    name: 'bitmaps stay trusted while the disk size changes',
    file: 'transition/bitmaps/bitmaps.ts',
    change: { in: 'resizeBitmaps', find: '{ ...$trusted, bitmaps: false }', to: '$trusted' },
    ...onResize
  },
  {
    name: 'clearing a bitmap leaks its data',
    file: 'transition/bitmaps/bitmaps.ts',
    change: { in: 'clearBitmap', find: 'yield* releaseBitmap($w, $entry)', operator: 'drop-statement' },
    ...onAbstractBitmaps
  },
  {
    name: 'enabling a bitmap writes the wrong word of its entry',
    file: 'transition/bitmaps/bitmaps.ts',
    change: {
      in: 'setEnabled',
      find: '$w.tx.put($structure, $stage, $at + 8, $bytes.subarray(8, 16))',
      to: '$w.tx.put($structure, $stage, $at + 16, $bytes.subarray(16, 24))'
    },
    ...onAbstractBitmaps
  }
]
