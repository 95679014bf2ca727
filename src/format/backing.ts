/** Backing file name: bytes that the header points at, wherever in the first cluster they are. */
import { RuleTable } from '../bytes/judgement.js'
import { type Header, headerPlaces } from './header.js'
import { maxBackingName } from './limits.js'

/** Where the backing file name is in the image file, in bytes. */
export interface NamePlace {
  readonly at: bigint
  readonly length: number
}

/** Where the name is; `undefined` without a backing file. @see BACK-01 and BACK-02 */
export const backingNamePlace = (h: Header): NamePlace | undefined =>
  h.backingFileOffset === 0n || h.backingFileSize === 0
    ? undefined
    : { at: h.backingFileOffset, length: h.backingFileSize }

/** Bytes from the name to the end of the first cluster: negative when the name starts after it. */
const room = (h: Header): bigint => (1n << BigInt(h.clusterBits)) - h.backingFileOffset

const named = (h: Header): boolean => h.backingFileOffset !== 0n && room(h) >= 0n

/** The rules for the place of the backing file name: of several that are broken the first is reported. @see BACK-01 and BACK-02 */
export const backingRules = new RuleTable<Header>(headerPlaces, [
  {
    field: 'backingFileOffset',
    clause: 'OPEN-06',
    phase: 'limit',
    source: 'qemu',
    broken: (h) => room(h) < 0n,
    expected: 'at most the cluster size',
    specific: (h) => `at most the cluster size, ${2 ** h.clusterBits}`
  },
  {
    field: 'backingFileSize',
    clause: 'BACK-01',
    refusal: 'OPEN-28',
    broken: (h) => named(h) && h.backingFileSize > maxBackingName,
    expected: `at most ${maxBackingName}`
  },
  {
    field: 'backingFileSize',
    clause: 'BACK-02',
    phase: 'limit',
    source: 'qemu',
    refusal: 'OPEN-28',
    broken: (h) => named(h) && h.backingFileSize <= maxBackingName && BigInt(h.backingFileSize) > room(h),
    expected: 'at most the bytes to the end of the cluster',
    specific: (h) => `at most the ${room(h)} bytes to the end of the cluster`
  }
])
