/** Mutants of src/transition/guest: writes, zeroing, discarding, compressed payloads, VM state. */
import type { Mutant } from '../../mutant.js'

export const guestMutants: readonly Mutant[] = [
  {
    name: 'an in-place write goes to the start of its host cluster',
    file: 'transition/guest/write.ts',
    change: {
      in: 'placeInPlace',
      find: 'place($w, $stage, $host + $at, $$rest)',
      to: 'place($w, $stage, $host, $$rest)'
    },
    red: 'props/transition/guest/laws.test.ts',
    rule: 'a write split in two equals the whole write'
  },
  {
    name: 'copy-on-write skips allocated subclusters after the write',
    file: 'transition/guest/write.ts',
    change: { in: 'inNew', find: 'Math.max($last, 31 - Math.clz32($kept))', to: '$last' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'SW-02: copies from the lowest to the highest'
  },
  {
    name: 'copy-on-write skips allocated subclusters before the write',
    file: 'transition/guest/write.ts',
    change: { in: 'inNew', find: 'Math.min($first, 31 - Math.clz32($kept & -$kept))', to: '$first' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'SW-02: reaches as far as what is written'
  },
  {
    name: 'copy-on-write zeroes the cluster after the write',
    file: 'transition/guest/write.ts',
    change: { in: 'writeCluster', find: '[$head, $bytes, $tail]', to: '[$head, $bytes, new Uint8Array($tail.length)]' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'after every command an image has the disk of the abstract machine and no findings'
  },
  {
    name: 'zeroing frees a host cluster without unmap',
    file: 'transition/guest/zero.ts',
    change: { in: 'zeroed', find: '$unmap && isAllocated($e)', to: 'isAllocated($e)' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'ZD-10: reaches to the end of the disk'
  },
  {
    name: 'zeroing keeps the host cluster of a compressed payload',
    file: 'transition/guest/zero.ts',
    change: { in: 'zeroed', find: 'return plain($w)', to: 'return unmap ? plain($w) : e' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'ZD-05: has no host cluster with unmap, after a payload and where there was nothing'
  },
  {
    name: 'zeroing sets the copied flag of a shared cluster',
    file: 'transition/guest/zero.ts',
    change: {
      in: 'zeroed',
      find: "{ ...$e, _tag: 'ZeroAllocated' }",
      to: "{ ...$e, _tag: 'ZeroAllocated', copied: true }"
    },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'ZD-12: is written to elsewhere'
  },
  {
    name: 'a discard exposes the backing file',
    file: 'transition/guest/zero.ts',
    change: { in: 'discarded', find: 'hasBacking($w)', operator: 'drop-operand' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'ZD-03: hides the backing file'
  },
  {
    name: 'a discard skips the last partial cluster of the disk',
    file: 'transition/guest/zero.ts',
    change: {
      in: 'discard',
      find: '$end === $w.disk.size ? $end : $end - ($end % $size)',
      to: '$end - ($end % $size)'
    },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'ZD-11: is for whole clusters and the last part of the disk'
  },
  {
    name: 'a discard includes a partial first cluster',
    file: 'transition/guest/zero.ts',
    change: { in: 'discard', find: 'Math.ceil($at / $size)', to: 'Math.floor($at / $size)' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'ZD-11: is for whole clusters and the last part of the disk'
  },
  {
    name: 'the rest of a cluster is zeroed whatever it holds',
    file: 'transition/guest/zero.ts',
    change: { in: 'readsAsZeros', find: '$zeros &&= $kind', operator: 'drop-statement' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'ZD-10: is data beside data'
  },
  {
    name: 'version 2 discards over a backing file',
    file: 'transition/guest/zero.ts',
    change: { in: 'discard', find: '$w.g.version === 2 && hasBacking($w)', operator: 'drop-operand' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'ZD-09: is ignored'
  },
  {
    name: 'the refcount of a discarded cluster does not fall',
    file: 'transition/guest/zero.ts',
    change: { in: 'changeClusters', find: 'releaseEntry($w, $e)', operator: 'drop-statement' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'ZD-15: a hole is punched when the change of the entry is durable, or with it in an external data file'
  },
  {
    name: 'a hole is punched into a shared cluster',
    file: 'transition/guest/zero.ts',
    change: { in: 'freedBy', find: '$count === 1n', to: '$count >= 1n' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'a payload is not punched, nor is what a snapshot holds'
  },
  {
    name: 'a hole is punched before the L2 entry changes',
    file: 'transition/guest/zero.ts',
    change: { in: 'punch', find: '$w.tx.schedule($stage, $$rest)', to: "$w.tx.schedule('prepare', $$rest)" },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'ZD-15: a hole is punched when the change of the entry is durable, or with it in an external data file'
  },
  {
    name: 'a range of subclusters is one too long',
    file: 'transition/guest/zero.ts',
    change: { in: 'zeroSubclusters', find: 'maskOf($first, $last - 1)', to: 'maskOf($first, $last)' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'SUB-07: data and zeros in one cluster'
  },
  {
    name: 'a zeroed subcluster stays allocated',
    file: 'transition/guest/zero.ts',
    change: { in: 'zeroSubclusters', find: '($allocated & ~$mask) >>> 0', to: '$allocated' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'SW-05: clears what was allocated, and frees nothing'
  },
  {
    name: 'an L2 entry changes twice between two flushes',
    file: 'transition/guest/zero.ts',
    change: { in: 'writeZeroes', find: 'if ($changed && $x && $y) yield* endRound($w)', operator: 'drop-statement' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'zeroing a part of a subcluster after whole ones exposes no other data'
  },
  {
    name: 'a raw external data file is not zeroed',
    file: 'transition/guest/zero.ts',
    change: { in: 'zeroRawDisk', find: 'if (!isRaw($w)) return', to: 'return' },
    red: 'props/transition/guest/zero.test.ts',
    rule: 'DATA-07: the raw disk has its zeros before the entries say so'
  },
  {
    name: 'a payload is appended to a host cluster whose refcount is at its maximum',
    file: 'transition/guest/compressed.ts',
    change: { in: 'usableCursor', find: '$refcount < maxRefcount($w.g.refcountOrder)', operator: 'condition-true' },
    red: 'props/transition/guest/compressed.test.ts',
    rule: 'CW-02: a count of two bits is three payloads'
  },
  {
    name: 'a payload continues in a host cluster that is not the next one',
    file: 'transition/guest/compressed.ts',
    change: { in: 'placeFor', find: '$taken.cluster !== $cluster + 1', operator: 'drop-operand' },
    red: 'props/transition/guest/compressed.test.ts',
    rule: 'CW-02: nothing crosses into a cluster that does not follow'
  },
  {
    name: 'the compressed cursor points past the end of its cluster',
    file: 'transition/guest/compressed.ts',
    change: { in: 'appendPayload', find: '$end % clusterSize($w.g) === 0 ? 0 : $end', to: '$end' },
    red: 'props/transition/guest/compressed.test.ts',
    rule: 'CW-02: a payload fills up its cluster to the last byte'
  },
  {
    name: 'a payload in two host clusters is counted once',
    file: 'transition/guest/compressed.ts',
    change: {
      in: 'placeFor',
      find: "yield* addToRefcounts($w, $cluster, 1, 1, 'prepare')",
      nth: 2,
      operator: 'drop-statement'
    },
    red: 'props/transition/guest/compressed.test.ts',
    rule: 'CW-02: a payload ends with the cluster that it crosses into'
  },
  {
    name: 'a compressed write overwrites an allocated cluster',
    file: 'transition/guest/compressed.ts',
    change: {
      in: 'writeCluster',
      find: "$entry._tag !== 'Unallocated' && $entry._tag !== 'ZeroPlain'",
      operator: 'condition-false'
    },
    red: 'props/transition/guest/compressed.test.ts',
    rule: 'CW-01: a cluster that is allocated is refused, with nothing written'
  },
  {
    name: 'the entry of a compressed cluster is written before its payload',
    file: 'transition/guest/compressed.ts',
    change: {
      in: 'writeCluster',
      find: "$w.tx.write('guest data', 'prepare', $$rest)",
      to: "$w.tx.write('guest data', 'settle', $$rest)"
    },
    red: 'props/transition/guest/compressed.test.ts',
    rule: 'a payload is on the disk before an entry names it'
  },
  {
    name: 'the sector count of a payload ignores its host offset',
    file: 'transition/guest/compressed.ts',
    change: {
      in: 'writeCluster',
      find: 'additionalSectors($host, $payload.length)',
      to: 'additionalSectors(0n, $payload.length)'
    },
    red: 'props/transition/guest/compressed.test.ts',
    rule: 'CW-02: a payload ends with the cluster that it crosses into'
  },
  {
    name: 'preallocated clusters are not zeroed',
    file: 'transition/guest/preallocate.ts',
    change: { in: 'clear', find: "$w.tx.schedule('prepare', { _tag: 'Punch', $$rest })", operator: 'drop-statement' },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'preallocated clusters are in the file, and hold zeros whatever was there'
  },
  {
    name: 'a raw disk that grows cuts its file',
    file: 'transition/guest/preallocate.ts',
    change: { in: 'growDataFile', find: '$w.header.autoclearFeatures.rawExternalData', operator: 'condition-false' },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'a raw disk that grows gains zeros, and its file keeps the bytes past them'
  },
  {
    name: 'preallocated clusters share one host cluster',
    file: 'transition/engine/active-tree.ts',
    change: { in: 'encodeRun', find: "'hostClusterOffset' in $first ? $size : 0n", to: '0n' },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'resizes, writes and snapshots have the same effect on an image as on the abstract disk'
  },
  {
    name: 'VM state is written onto the guest disk',
    file: 'transition/guest/write.ts',
    change: { in: 'writeVmState', find: 'vmStateOffset($w.g, $w.disk.size)', operator: 'drop-operand' },
    red: 'props/transition/guest/vm-state.test.ts',
    rule: 'it reads back, the guest disk stays, and a crash leaves each byte old or new'
  }
]
