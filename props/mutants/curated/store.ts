/** Mutants of src/store: bytes that survive, crash states that are missed. */
import type { Mutant } from '../mutant.js'

export const storeMutants: readonly Mutant[] = [
  {
    name: 'a truncation keeps the bytes past it in the last sector',
    file: 'store/store.ts',
    change: { in: 'truncate', find: 'clipped($last, $index, $length)', to: '$last' },
    red: 'props/store/store.test.ts',
    rule: 'truncated bytes are zeros when the file grows again'
  },
  {
    name: 'a punched range includes the whole of its first sector',
    file: 'store/store.ts',
    change: { in: 'punch', find: 'sectorsIn($at)', to: 'sectorOf($at)' },
    red: 'props/store/store.test.ts',
    rule: 'a store equals an array of bytes after the same writes, truncations and punched ranges'
  },
  {
    name: 'a flush does not end an epoch',
    file: 'store/epoch.ts',
    change: {
      in: 'epochsOf',
      find: "if ($each._tag === 'Flush') $close(); else $push",
      to: "if ($each._tag !== 'Flush') $push"
    },
    red: 'props/store/crash.test.ts',
    rule: 'a flush makes the writes before it durable; without flushes a later write may be durable without an earlier one'
  },
  {
    name: 'of a sector written twice only the last version is explored',
    file: 'store/epoch.ts',
    change: { in: 'record', find: '$cell.versions.push($made)', to: '$cell.versions[1] = $made' },
    red: 'props/store/crash.test.ts',
    rule: 'consecutive states differ in one sector'
  },
  {
    name: 'the digest of a sector does not depend on its index',
    file: 'store/digest.ts',
    change: { in: 'sectorDigest', find: 'Math.imul($index | 0, 0x85eb_ca6b)', to: '0' },
    red: 'props/store/crash.test.ts',
    rule: 'a flush makes the writes before it durable; without flushes a later write may be durable without an earlier one'
  },
  {
    name: 'a sector past the end of the file does not extend it',
    file: 'store/disk.ts',
    change: { in: 'epochDisk', find: 'Math.max($lengths[$place] ?? 0, $version.end)', to: '$lengths[$place] ?? 0' },
    red: 'props/store/crash.test.ts',
    rule: 'a write past the end, and a truncation to where it ends: the states of each model are those of its definition'
  }
]
