/** The L2 entries that zeroing, discarding and writing leave behind: what the clauses say, bit for bit. */
import type { ClauseId } from '../../../spec/clauses/index.js'
import type { Command } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'

/** Commands to a disk of four clusters of 64 KiB and a half one, and entries in hexadecimal by guest cluster. */
export interface Golden {
  readonly clause: ClauseId
  readonly says: string
  readonly options?: Omit<CreateOptions, 'size'>
  /** Whether there is a backing file, as long as three clusters and a half. */
  readonly backed?: true
  readonly commands: readonly (Command | 'snapshot')[]
  readonly entries: Readonly<Record<number, string>>
}

const size = 65_536
/** Bytes of the disk. */
export const diskSize = 4.5 * size

const at = (from: number, to: number): { readonly at: number; readonly length: number } => ({
  at: from * size,
  length: (to - from) * size
})

/** Ranges in clusters. */
const write = (from: number, to = from + 1): Command => ({
  _tag: 'Write',
  at: from * size,
  bytes: new Uint8Array((to - from) * size).fill(0xee)
})
const compress = (from: number, to = from + 1): Command => ({
  _tag: 'WriteCompressed',
  at: from * size,
  bytes: new Uint8Array((to - from) * size).fill(0xcc)
})
const zero = (from: number, to = from + 1): Command => ({ _tag: 'WriteZeroes', ...at(from, to), unmap: false })
const unmap = (from: number, to = from + 1): Command => ({ _tag: 'WriteZeroes', ...at(from, to), unmap: true })
const discard = (from: number, to = from + 1): Command => ({ _tag: 'Discard', ...at(from, to) })

const v2 = { version: 2 } as const
const extended = { extendedL2: true } as const
/** The size of a subcluster, in clusters. */
const sub = 1 / 32

const none = '0000000000000000'
const plain = '0000000000000001'
/** Header, refcount table, refcount block and L1 table come first, then the L2 table, then the first data cluster. */
const own = '8000000000050000'
const zeros = 'ffffffff00000000'

const zeroing: readonly Golden[] = [
  { clause: 'ZD-01', says: 'keeps a host cluster', commands: [write(0), zero(0)], entries: { 0: '8000000000050001' } },
  { clause: 'ZD-01', says: 'is plain without one', commands: [zero(1)], entries: { 0: none, 1: plain } },
  { clause: 'ZD-02', says: 'frees with unmap', commands: [write(0), unmap(0, 2)], entries: { 0: plain, 1: plain } },
  { clause: 'ZD-02', says: 'frees kept space', commands: [write(0), zero(0), unmap(0)], entries: { 0: plain } },
  { clause: 'ZD-03', says: 'frees', commands: [write(0), discard(0, 2)], entries: { 0: plain, 1: none } },
  {
    clause: 'ZD-03',
    says: 'hides the backing file',
    backed: true,
    commands: [write(0), discard(0, 2)],
    entries: { 0: plain, 1: plain, 2: none }
  },
  {
    clause: 'ZD-04',
    says: 'frees a payload',
    commands: [compress(0, 3), zero(0), unmap(1), discard(2)],
    entries: { 0: plain, 1: plain, 2: plain }
  },
  {
    clause: 'ZD-05',
    says: 'keeps',
    options: extended,
    commands: [write(0), zero(0)],
    entries: { 0: `${own} ${zeros}` }
  },
  {
    clause: 'ZD-05',
    says: 'has no host cluster with unmap, after a payload and where there was nothing',
    options: extended,
    commands: [write(0), compress(1), unmap(0), zero(1, 3)],
    entries: { 0: `${none} ${zeros}`, 1: `${none} ${zeros}`, 2: `${none} ${zeros}`, 3: `${none} ${none}` }
  },
  {
    clause: 'ZD-06',
    says: 'frees',
    options: extended,
    commands: [write(0), discard(0, 2)],
    entries: { 0: `${none} ${zeros}`, 1: `${none} ${none}` }
  },
  {
    clause: 'ZD-06',
    says: 'hides the backing file',
    options: extended,
    backed: true,
    commands: [discard(0)],
    entries: { 0: `${none} ${zeros}` }
  },
  {
    clause: 'ZD-07',
    says: 'unallocates',
    options: v2,
    commands: [write(0, 3), zero(0), discard(1), zero(3)],
    entries: { 0: none, 1: none, 2: '8000000000070000', 3: none }
  },
  {
    clause: 'ZD-08',
    says: 'is data',
    options: v2,
    backed: true,
    commands: [zero(0, 1.5)],
    entries: { 0: own, 1: '8000000000060000' }
  },
  {
    clause: 'ZD-09',
    says: 'is ignored',
    options: v2,
    backed: true,
    commands: [write(0), discard(0, 2)],
    entries: { 0: own, 1: none }
  },
  {
    clause: 'ZD-10',
    says: 'is in the entry where the rest reads as zeros',
    commands: [zero(0.25, 1.5), zero(4, 4.25)],
    entries: { 0: plain, 1: plain, 4: plain }
  },
  {
    clause: 'ZD-10',
    says: 'is in the entry past the end of the backing file',
    backed: true,
    commands: [zero(3.5, 3.75), zero(3.25, 4), zero(4.25, 4.5)],
    entries: { 3: own, 4: plain }
  },
  {
    clause: 'ZD-10',
    says: 'keeps and frees like that of a whole cluster',
    commands: [write(0, 2), zero(0, 2), zero(0.5, 0.75), unmap(1.5, 1.75)],
    entries: { 0: '8000000000050001', 1: plain }
  },
  { clause: 'ZD-10', says: 'is data beside data', commands: [write(0), zero(0.5, 1.5)], entries: { 0: own, 1: plain } },
  {
    clause: 'ZD-10',
    says: 'reaches to the end of the disk',
    commands: [write(4, 4.5), zero(4, 4.5)],
    entries: { 4: '8000000000050001' }
  },
  {
    clause: 'ZD-11',
    says: 'is for whole clusters and the last part of the disk',
    commands: [write(0, 4.5), discard(0.5, 2.5), discard(3.25, 4.25), discard(4, 4.5)],
    entries: { 0: own, 1: plain, 2: '8000000000070000', 3: '8000000000080000', 4: plain }
  },
  {
    clause: 'ZD-12',
    says: 'keeps a shared one',
    commands: [write(0), 'snapshot', zero(0)],
    entries: { 0: '0000000000050001' }
  },
  {
    clause: 'ZD-12',
    says: 'is written to elsewhere',
    commands: [write(0), 'snapshot', zero(0), write(0.5, 0.75)],
    entries: { 0: '8000000000090000' }
  },
  {
    clause: 'DATA-06',
    says: 'keeps the place in the data file, or not',
    options: { dataFile: { name: 'data.raw', raw: true } },
    commands: [write(0, 4), zero(0, 2), unmap(2), discard(3)],
    entries: { 0: '8000000000000001', 1: '8000000000010001', 2: plain, 3: plain }
  }
]

const subclusters: readonly Golden[] = [
  {
    clause: 'SUB-07',
    says: 'data and zeros in one cluster',
    options: extended,
    commands: [write(0, sub), write(2.5 * sub, 3 * sub), zero(4 * sub, 6 * sub)],
    entries: { 0: `${own} 0000003000000005` }
  },
  {
    clause: 'SW-01',
    says: 'allocates what it touches',
    options: extended,
    commands: [zero(0), write(1.5 * sub, 3.5 * sub), write(1 + 30.5 * sub, 2 + 0.5 * sub)],
    entries: {
      0: `${own} fffffff10000000e`,
      1: '8000000000060000 00000000c0000000',
      2: '8000000000070000 0000000000000001'
    }
  },
  {
    clause: 'SW-02',
    says: 'copies from the lowest to the highest',
    options: extended,
    commands: [
      write(2 * sub, 3 * sub),
      zero(3 * sub, 4 * sub),
      write(8 * sub, 9 * sub),
      'snapshot',
      write(5 * sub, 6 * sub)
    ],
    entries: { 0: '8000000000090000 00000000000001fc' }
  },
  {
    clause: 'SW-02',
    says: 'reaches as far as what is written',
    options: extended,
    commands: [write(2 * sub, 3 * sub), 'snapshot', zero(30 * sub, 31 * sub), write(20.5 * sub, 21 * sub)],
    entries: { 0: '8000000000090000 40000000001ffffc' }
  },
  {
    clause: 'SW-03',
    says: 'changes nothing over data',
    options: extended,
    commands: [write(0, 4 * sub), write(0.5 * sub, 3.5 * sub)],
    entries: { 0: `${own} 000000000000000f` }
  },
  {
    clause: 'SW-03',
    says: 'fills up the first and the last',
    options: extended,
    commands: [zero(0), write(0, sub), zero(4 * sub, 8 * sub), write(3.5 * sub, 4.5 * sub)],
    entries: { 0: `${own} ffffffe600000019` }
  },
  {
    clause: 'SW-04',
    says: 'is whole',
    options: extended,
    commands: [compress(0), write(sub, 2 * sub)],
    entries: { 0: '8000000000060000 00000000ffffffff' }
  },
  {
    clause: 'SW-05',
    says: 'clears what was allocated, and frees nothing',
    options: extended,
    commands: [write(0), zero(0, 0.5), zero(0.5, 1)],
    entries: { 0: `${own} ${zeros}` }
  },
  {
    clause: 'SW-05',
    says: 'is data in a compressed cluster',
    options: extended,
    commands: [compress(0), zero(2 * sub, 4 * sub)],
    entries: { 0: '8000000000060000 00000000ffffffff' }
  }
]

export const golden: readonly Golden[] = [...zeroing, ...subclusters]
