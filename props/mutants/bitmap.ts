/** Faults of dirty bitmaps, of the first cluster, of amend and of rebase. */
import type { Mutant } from './mutant.js'

const bitmaps = 'props/transition/bitmap.test.ts'
const extensions = 'props/transition/extensions.test.ts'
const amend = 'props/transition/amend.test.ts'
const rebase = 'props/transition/rebase.test.ts'

export const bitmapMutants: readonly Mutant[] = [
  {
    name: 'the last granule that a write touches is not recorded',
    file: 'transition/bitmap-data.js',
    edits: [['Math.ceil(end / granularity)', 'Math.floor(end / granularity)']],
    red: bitmaps
  },
  {
    name: 'bits are recorded after the data',
    file: 'transition/bitmap-data.js',
    edits: [["'prepare', host + start", "'settle', host + start"]],
    red: bitmaps
  },
  {
    name: 'a new cluster of bits is seen after the data',
    file: 'transition/bitmap-data.js',
    edits: [["put('bitmap table', 'record'", "put('bitmap table', 'settle'"]],
    red: bitmaps
  },
  {
    name: 'a disabled bitmap records',
    file: 'transition/bitmap-data.js',
    edits: [['flags.auto && !flags.inUse', '!flags.inUse']],
    red: bitmaps
  },
  {
    name: 'a bitmap in use records',
    file: 'transition/bitmap-data.js',
    edits: [['flags.auto && !flags.inUse', 'flags.auto']],
    red: bitmaps
  },
  {
    name: 'bits that are all 1 are taken for bits that are all 0',
    file: 'transition/bitmap-data.js',
    edits: [['else if (!entry.allOnes(0)) {', 'else {']],
    red: bitmaps
  },
  {
    name: 'a merge takes the granularities the wrong way round',
    file: 'transition/bitmap-data.js',
    edits: [['2 ** (from.granularityBits - to.granularityBits)', '2 ** (to.granularityBits - from.granularityBits)']],
    red: bitmaps
  },
  {
    name: 'a bitmap that is resized keeps the bits past the end',
    file: 'transition/bitmap-data.js',
    edits: [['runsOf(old, kept % per)', 'runsOf(old, per)']],
    red: bitmaps
  },
  {
    name: 'bits that are merged anew leave the old ones behind',
    file: 'transition/bitmap-data.js',
    edits: [['(i >= entries || changed.has(i))', 'i >= entries']],
    red: bitmaps
  },
  {
    name: 'bitmaps are trusted while their disk changes its size',
    file: 'transition/bitmaps.js',
    edits: [['{ ...trusted, bitmaps: false }', 'trusted']],
    red: bitmaps
  },
  {
    name: 'a bitmap that is cleared leaks its bits',
    file: 'transition/bitmaps.js',
    edits: [['() => 0)));\n    yield* releaseBitmap(w, entry);', '() => 0)));']],
    red: bitmaps
  },
  {
    name: 'a bitmap is enabled by the wrong word',
    file: 'transition/bitmaps.js',
    edits: [['at + 8, bytes.subarray(8, 16)', 'at + 16, bytes.subarray(16, 24)']],
    red: bitmaps
  },
  {
    name: 'the word that shows an extension is written first',
    file: 'transition/extensions.js',
    edits: [
      ['[at + 8, b.subarray(8)],\n        [at, part(b, 0)]', '[at, part(b, 0)],\n        [at + 8, b.subarray(8)]']
    ],
    red: extensions
  },
  {
    name: 'a hole hides a word too many',
    file: 'transition/extensions.js',
    edits: [['hole(aside - at - 8)], ...shown]', 'hole(aside - at)], ...shown]']],
    red: extensions
  },
  {
    name: 'bitmaps stay trusted while their extension is cut off',
    file: 'transition/extensions.js',
    edits: [['const untrusted = way !== safe && ', 'const untrusted = false && ']],
    red: extensions
  },
  {
    name: 'the end marker has bytes behind it',
    file: 'transition/extensions.js',
    edits: [['yield* sweep(w);', '']],
    red: extensions
  },
  {
    name: 'a backing file name moves over itself',
    file: 'transition/extensions.js',
    edits: [['const free = Math.max(end, ', 'const free = Math.max(end) || (']],
    red: extensions
  },
  {
    name: 'a backing file name changes while it is named',
    file: 'transition/extensions.js',
    edits: [
      [
        '    yield* detach(w);\n    yield* changeExtensions(w, change, name.length);',
        '    yield* changeExtensions(w, change, name.length);'
      ]
    ],
    red: rebase
  },
  {
    name: 'a backing file is named before its name is there',
    file: 'transition/extensions.js',
    edits: [
      [
        'yield* inOrder(w, [[at, name]]);\n    yield* alone(w, { backingFileOffset: BigInt(at), backingFileSize: name.length });',
        'yield* alone(w, { backingFileOffset: BigInt(at), backingFileSize: name.length });\n    yield* inOrder(w, [[at, name]]);'
      ]
    ],
    red: rebase
  },
  {
    name: 'the version changes before the first word of the extensions',
    file: 'transition/version.js',
    edits: [
      [
        '[headerV2.size, endMarker],\n            versionWord(next)',
        'versionWord(next),\n            [headerV2.size, endMarker]'
      ]
    ],
    red: amend
  },
  {
    name: 'zeros are written over the data of a snapshot',
    file: 'transition/expand.js',
    edits: [['Number(yield* countOf(w, host / size)) === sharers', 'sharers > 0']],
    red: amend
  },
  {
    name: 'nothing says that the counts are wrong while their width changes',
    file: 'transition/refcount-width.js',
    edits: [['{ ...features, dirty: true }', 'features']],
    red: amend
  },
  {
    name: 'the old counts are counted in the new ones',
    file: 'transition/refcount-width.js',
    edits: [['own.has(cluster) ? 1n : 0n', '0n']],
    red: amend
  }
]
