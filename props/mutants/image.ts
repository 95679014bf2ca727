/** Faults of the reader, the map, the chain and the checker. Damaged images, of which QEMU's verdict is kept, show them. */
import type { Mutant } from './mutant.js'

type Fault = Omit<Mutant, 'red' | 'rule'> & Partial<Pick<Mutant, 'red' | 'rule'>>

const chain: readonly Fault[] = [
  {
    name: 'a backing file is read past its end',
    file: 'image/guest/chain.js',
    edits: [['Math.max(e.start, Math.min(end, sizeOf(next)))', 'end']]
  },
  {
    name: 'a raw backing file ends with its last byte, within a sector',
    file: 'image/guest/chain.js',
    edits: [['Math.ceil(layer.size / sectorSize) * sectorSize', 'layer.size']]
  },
  {
    name: 'what an encrypted image maps has a place in its file',
    file: 'image/guest/map.js',
    edits: [["e.kind === 'compressed' || ", "e.kind === 'compressed' || e.kind === 'absent' && "]]
  }
]

const disk: readonly Fault[] = [
  {
    name: 'an extent that is cut keeps the host offset of its start',
    file: 'image/guest/extents.js',
    edits: [['e.host + start - e.start', 'e.host']]
  },
  {
    name: 'extents of different kinds are joined',
    file: 'image/guest/extents.js',
    edits: [['a.kind === b.kind &&', '']]
  },
  {
    name: 'extents are joined whose host clusters are apart',
    file: 'image/guest/extents.js',
    edits: [['a.host + a.length === b.host', 'b.host !== undefined']]
  },
  {
    name: 'a cluster that is not aligned is read',
    file: 'image/guest/extents.js',
    edits: [['host % size !== 0', 'false']]
  },
  {
    name: 'an entry that is not at its guest offset is read from the external data file',
    file: 'image/guest/extents.js',
    edits: [['host !== start', 'false']]
  },
  {
    name: 'an unallocated subcluster of an allocated cluster reads as zeros',
    file: 'image/guest/extents.js',
    edits: [["{ kind: 'absent', placed: true }", "{ kind: 'zero', placed: true }"]]
  },
  {
    name: 'an invalid subcluster spoils only itself',
    file: 'image/guest/extents.js',
    edits: [["states.includes('invalid')", 'false']]
  },
  {
    name: 'of a compressed cluster under smaller ones every part is the first',
    file: 'image/guest/extents.js',
    edits: [['(e.skipped ?? 0) + start - e.start', 'e.skipped ?? 0']],
    red: 'props/image/guest/guest.test.ts',
    rule: 'parts of a compressed cluster are seen between smaller ones of an overlay, and nothing else of it'
  }
]

const trees: readonly Fault[] = [
  {
    name: 'COPIED is not looked at in L2 entries',
    file: 'image/check/trees.js',
    edits: [['const checkCopied = ', 'const checkCopied = false && ']]
  },
  {
    name: 'COPIED is not looked at in L1 entries',
    file: 'image/check/trees.js',
    edits: [['if (active && l2 !== 0)', 'if (false)']]
  },
  {
    name: 'a compressed range is counted in its first cluster only',
    file: 'image/check/trees.js',
    edits: [['[view.hostOffset(i), availableBytes(entry)]', '[view.hostOffset(i), 1]']]
  },
  {
    name: 'the clusters of an L2 table that is shared are counted once',
    file: 'image/check/trees.js',
    edits: [['all: (use?.all ?? 0) + 1', 'all: 1']]
  },
  {
    name: 'reserved bits of L1 entries are not looked at',
    file: 'image/check/trees.js',
    edits: [['if (l1Reserved(view, i))', 'if (false)']]
  },
  {
    name: 'a bitmap with both bits of a subcluster set is sound',
    file: 'image/check/trees.js',
    edits: [['if (bitmapClash(t, i))', 'if (false)']]
  }
]

const counts: readonly Fault[] = [
  {
    name: 'counts below a byte are read most significant bits first',
    file: 'format/views.js',
    edits: [['>> (bit & 7)) &', '>> (8 - (1 << this.order) - (bit & 7))) &']]
  },
  {
    name: 'more references than a count holds are no corruption',
    file: 'image/check/refcounts.js',
    edits: [['if (references <= state.max)', 'if (true)']]
  },
  {
    name: 'a refcount block is not counted as used by its table',
    file: 'image/check/refcounts.js',
    edits: [["state.claim('refcount block', block, state.size, { entry: spot });", '']]
  },
  {
    name: 'a refcount block that is not aligned counts nothing',
    file: 'image/check/refcounts.js',
    edits: [['if (block % state.size !== 0 || block >= maxReadable)', 'if (false)']]
  },
  {
    name: 'a reference may not reach behind the end of the file at all',
    file: 'image/check/state.js',
    edits: [['at + size - this.fileLength >= this.size', 'at + size > this.fileLength']]
  },
  {
    name: 'the length of a file that ends within a sector is not rounded up',
    file: 'image/check/state.js',
    edits: [['Math.ceil(end / sectorSize) * sectorSize', 'end']]
  },
  {
    name: 'bitmap data is not counted',
    file: 'image/check/check.js',
    edits: [["state.claim('bitmap data', offset, state.size, { entry });", ';']]
  }
]

const streams: readonly Fault[] = [
  {
    name: 'what a deflate stream yields before its fault is lost',
    file: 'compression/inflate.js',
    edits: [['coarse.fault === undefined ? coarse', 'true ? coarse']],
    red: 'props/compression/inflate.test.ts',
    rule: 'a fault behind more than a cluster is not met, and one behind a cluster is'
  },
  {
    name: 'a bitmaps extension that nobody trusts keeps an image from being opened',
    file: 'image/metadata.js',
    edits: [['h.autoclearFeatures.bitmaps ? issues', 'true ? issues']]
  }
]

/** Faults of src/image, and of what only whole images show. */
export const imageMutants: readonly Mutant[] = [...chain, ...disk, ...trees, ...counts, ...streams].map((fault) => ({
  red: 'props/damage/damaged.test.ts',
  rule: 'every answer is that of qemu-img, but for differences that have a row, and every row is needed',
  ...fault
}))
