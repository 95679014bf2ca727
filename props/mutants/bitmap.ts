/** Faults of dirty bitmaps, of the first cluster, of amend and of rebase. */
import type { Mutant } from './mutant.js'

const bitmaps = 'props/transition/bitmaps/bitmap.test.ts'
const extensions = 'props/transition/engine/extensions.test.ts'
const amend = 'props/transition/amend/amend.test.ts'
const rebase = 'props/transition/amend/rebase.test.ts'

export const bitmapMutants: readonly Mutant[] = [
  {
    name: 'the last granule that a write touches is not recorded',
    file: 'transition/bitmaps/bitmap-data.js',
    edits: [['Math.ceil(end / granularity)', 'Math.floor(end / granularity)']],
    red: bitmaps,
    rule: 'bitmaps record every write, and every command on them comes to what the abstract disk says'
  },
  {
    name: 'bits are recorded after the data',
    file: 'transition/bitmaps/bitmap-data.js',
    edits: [["'prepare', host + start", "'settle', host + start"]],
    red: bitmaps,
    rule: 'what a crash leaves of a write is recorded, and of another command all or nothing'
  },
  {
    name: 'a new cluster of bits is seen after the data',
    file: 'transition/bitmaps/bitmap-data.js',
    edits: [["put('bitmap table', 'record'", "put('bitmap table', 'settle'"]],
    red: bitmaps,
    rule: 'what a crash leaves of a write is recorded, and of another command all or nothing'
  },
  {
    name: 'a disabled bitmap records',
    file: 'transition/bitmaps/bitmap-data.js',
    edits: [['flags.auto && !flags.inUse', '!flags.inUse']],
    red: bitmaps,
    rule: 'bitmaps record every write, and every command on them comes to what the abstract disk says'
  },
  {
    name: 'a bitmap in use records',
    file: 'transition/bitmaps/bitmap-data.js',
    edits: [['flags.auto && !flags.inUse', 'flags.auto']],
    red: bitmaps,
    rule: 'a bitmap in use is left alone until it is removed'
  },
  {
    name: 'bits that are all 1 are taken for bits that are all 0',
    file: 'transition/bitmaps/bitmap-data.js',
    edits: [['else if (!entry.allOnes(0)) {', 'else {']],
    red: bitmaps,
    rule: 'where all bits are 1, a write has nothing to record'
  },
  {
    name: 'of a range that is marked the last granule is missing',
    file: 'transition/bitmaps/bitmap-data.js',
    edits: [['Math.ceil(Math.min(to, w.disk.size) /', 'Math.floor(Math.min(to, w.disk.size) /']],
    red: bitmaps,
    rule: 'ranges that are marked are those of a bitmap that is merged'
  },
  {
    name: 'a merge takes the granularities the wrong way round',
    file: 'transition/bitmaps/bitmap-data.js',
    edits: [['2 ** (from.granularityBits - to.granularityBits)', '2 ** (to.granularityBits - from.granularityBits)']],
    red: bitmaps,
    rule: 'bitmaps have the bits that QEMU gives them, and QEMU takes them over',
    byQemu: true
  },
  {
    name: 'a bitmap that is resized keeps the bits past the end',
    file: 'transition/bitmaps/bitmap-data.js',
    edits: [['runsOf(old, kept % per)', 'runsOf(old, per)']],
    red: bitmaps,
    rule: 'bitmaps are as long as their disk, or not trusted while it changes'
  },
  {
    name: 'bits that are merged anew leave the old ones behind',
    file: 'transition/bitmaps/bitmap-data.js',
    edits: [['(i >= entries || changed.has(i))', 'i >= entries']],
    red: bitmaps,
    rule: 'bitmaps are as long as their disk, or not trusted while it changes'
  },
  {
    name: 'bitmaps are trusted while their disk changes its size',
    file: 'transition/bitmaps/bitmaps.js',
    edits: [['{ ...trusted, bitmaps: false }', 'trusted']],
    red: bitmaps,
    rule: 'bitmaps are as long as their disk, or not trusted while it changes'
  },
  {
    name: 'a bitmap that is cleared leaks its bits',
    file: 'transition/bitmaps/bitmaps.js',
    edits: [['() => 0)));\n    yield* releaseBitmap(w, entry);', '() => 0)));']],
    red: bitmaps,
    rule: 'bitmaps record every write, and every command on them comes to what the abstract disk says'
  },
  {
    name: 'a bitmap is enabled by the wrong word',
    file: 'transition/bitmaps/bitmaps.js',
    edits: [['at + 8, bytes.subarray(8, 16)', 'at + 16, bytes.subarray(16, 24)']],
    red: bitmaps,
    rule: 'bitmaps record every write, and every command on them comes to what the abstract disk says'
  },
  {
    name: 'the word that shows an extension is written first',
    file: 'transition/engine/extensions.js',
    edits: [
      ['[at + 8, b.subarray(8)],\n        [at, part(b, 0)]', '[at, part(b, 0)],\n        [at + 8, b.subarray(8)]']
    ],
    red: extensions,
    rule: 'a crash leaves the first cluster as it was, or as it is to be, or without a part that it names'
  },
  {
    name: 'a hole hides a word too many',
    file: 'transition/engine/extensions.js',
    edits: [['hole(aside - at - 8)], ...shown]', 'hole(aside - at)], ...shown]']],
    red: extensions,
    rule: 'a crash leaves the first cluster as it was, or as it is to be, or without a part that it names'
  },
  {
    name: 'bitmaps stay trusted while their extension is cut off',
    file: 'transition/engine/extensions.js',
    edits: [['const untrusted = way !== safe && ', 'const untrusted = false && ']],
    red: extensions,
    rule: 'without room for a copy, a crash may leave less, but what it leaves opens'
  },
  {
    name: 'the end marker has bytes behind it',
    file: 'transition/engine/extensions.js',
    edits: [['yield* sweep(w);', '']],
    red: extensions,
    rule: 'unknown extensions keep their place and their bytes, and nothing stands behind the end marker'
  },
  {
    name: 'a backing file name moves over itself',
    file: 'transition/engine/extensions.js',
    edits: [['const free = Math.max(end, ', 'const free = Math.max(end) || (']],
    red: extensions,
    rule: 'without room for a copy, a crash may leave less, but what it leaves opens'
  },
  {
    name: 'a backing file name changes while it is named',
    file: 'transition/engine/extensions.js',
    edits: [
      [
        '    yield* detach(w);\n    yield* changeExtensions(w, change, name.length);',
        '    yield* changeExtensions(w, change, name.length);'
      ]
    ],
    red: rebase,
    rule: 'a crash leaves the old backing file, the new one or none, never one with the format of the other'
  },
  {
    name: 'a backing file is named before its name is there',
    file: 'transition/engine/extensions.js',
    edits: [
      [
        'yield* inOrder(w, [[at, name]]);\n    yield* alone(w, { backingFileOffset: BigInt(at), backingFileSize: name.length });',
        'yield* alone(w, { backingFileOffset: BigInt(at), backingFileSize: name.length });\n    yield* inOrder(w, [[at, name]]);'
      ]
    ],
    red: rebase,
    rule: 'a crash leaves the old backing file, the new one or none, never one with the format of the other'
  },
  {
    name: 'the version changes before the first word of the extensions',
    file: 'transition/amend/version.js',
    edits: [
      [
        '[headerV2.size, endMarker],\n            versionWord(next)',
        'versionWord(next),\n            [headerV2.size, endMarker]'
      ]
    ],
    red: amend,
    rule: 'a crash leaves an image of either version or width, with its disk and its backing file name'
  },
  {
    name: 'zeros are written over the data of a snapshot',
    file: 'transition/amend/expand.js',
    edits: [['Number(yield* countOf(w, host / size)) === sharers', 'sharers > 0']],
    red: amend,
    rule: 'a zero cluster whose host cluster holds data of a snapshot leaves it alone'
  },
  {
    name: 'nothing says that the counts are wrong while their width changes',
    file: 'transition/amend/refcount-width.js',
    edits: [['{ ...features, dirty: true }', 'features']],
    red: amend,
    rule: 'a crash leaves an image of either version or width, with its disk and its backing file name'
  },
  {
    name: 'the old counts are counted in the new ones',
    file: 'transition/amend/refcount-width.js',
    edits: [['own.has(cluster) ? 1n : 0n', '0n']],
    red: amend,
    rule: 'a crash leaves an image of either version or width, with its disk and its backing file name'
  }
]
