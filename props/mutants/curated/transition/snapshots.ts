/** Mutants of src/transition/snapshots and src/transition/resize. */
import type { Mutant } from '../../mutant.js'

const inCrashScript = {
  red: 'props/transition/engine/order.test.ts',
  rule: 'snapshots and sizes: one script, many crashes'
}

export const snapshotMutants: readonly Mutant[] = [
  {
    name: 'a new image ends with zeros up to a whole sector',
    file: 'transition/create/create.ts',
    change: { in: 'sized', find: 'endingIn($writes, $header)', to: '$writes' },
    red: 'props/transition/create/create.test.ts',
    rule: 'an image is the one that qemu-img creates, to the last byte',
    byQemu: true
  },
  {
    name: 'the refcount area of a preallocated image covers what lies before it',
    file: 'transition/create/refcount-area.ts',
    change: { in: 'putArea', find: 'refcountClusters($w.g, $start + $more)', to: 'refcountClusters($w.g, $start)' },
    red: 'props/transition/create/create.test.ts',
    rule: 'an image is the one that qemu-img creates, to the last byte',
    byQemu: true
  },
  {
    name: 'applying a snapshot leaks the clusters of the old active tree',
    file: 'transition/snapshots/snapshot.ts',
    change: {
      in: 'applySnapshot',
      find: "yield* changeRefcounts($w, surplus($leaving, -1, $coming), 'release')",
      operator: 'drop-statement'
    },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'applying a snapshot restores the size of the disk'
  },
  {
    name: 'applying a snapshot keeps the copied flags of its tables',
    file: 'transition/snapshots/snapshot.ts',
    change: {
      in: 'applySnapshot',
      find: "yield* markCopied($w, 'prepare', $l1, () => false)",
      operator: 'drop-statement'
    },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'clusters of a snapshot made by another writer are shared, whatever its COPIED flags'
  },
  {
    name: 'applying a snapshot releases the old tree before the header names the new one',
    file: 'transition/snapshots/snapshot.ts',
    change: {
      in: 'applySnapshot',
      find: "changeRefcounts($w, surplus($leaving, -1, $coming), 'release')",
      to: "changeRefcounts($w, surplus($leaving, -1, $coming), 'expose')"
    },
    ...inCrashScript
  },
  {
    name: 'applying a snapshot keeps the disk size',
    file: 'transition/snapshots/snapshot.ts',
    change: { in: 'applySnapshot', find: '$size > $oldSize', to: '$size > $oldSize && $size < 0' },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'applying a snapshot restores the size of the disk'
  },
  {
    name: 'deleting a snapshot does not set the copied flag',
    file: 'transition/snapshots/snapshot.ts',
    change: { in: 'deleteSnapshot', find: '$own.has($cluster)', operator: 'drop-operand' },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'creating and deleting a snapshot leaves every allocated cluster unchanged'
  },
  {
    name: 'deleting a snapshot releases its clusters before its table entry is gone',
    file: 'transition/snapshots/snapshot.ts',
    change: {
      in: 'deleteSnapshot',
      find: 'changeRefcounts($w, surplus($gone, -1), $w.releaseStage)',
      to: "changeRefcounts($w, surplus($gone, -1), 'prepare')"
    },
    ...inCrashScript
  },
  {
    name: 'deleting a snapshot leaks the last clusters of the snapshot table',
    file: 'transition/snapshots/snapshot-table.ts',
    change: {
      in: 'removeSnapshot',
      find: '$w.release($at + $needed, $$rest)',
      to: '$w.release($at + $needed + size, $$rest)'
    },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a refcount of 64 bits is exact, and does not wrap'
  },
  {
    name: 'creating a snapshot clears the copied flags too late',
    file: 'transition/snapshots/snapshot.ts',
    change: {
      in: 'createSnapshot',
      find: "markCopied($w, 'prepare', $$rest)",
      to: "markCopied($w, 'release', $$rest)"
    },
    ...inCrashScript
  },
  {
    name: 'nb_snapshots is written before the snapshot table',
    file: 'transition/snapshots/snapshot-table.ts',
    change: {
      in: 'addSnapshot',
      find: "$w.changeHeader('settle', { nbSnapshots: $n })",
      to: "$w.changeHeader('prepare', { nbSnapshots: $n })"
    },
    red: 'props/transition/engine/order.test.ts',
    rule: 'snapshots and sizes: drawn scripts'
  },
  {
    name: 'the next snapshot id is the number of snapshots',
    file: 'transition/snapshots/snapshot.ts',
    change: { in: 'nextId', find: '$id > $most ? $id : $most', to: '$most + 1n' },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'apply looks up the id before the name, delete only the name; a new id is the next number'
  },
  {
    name: 'a snapshot to apply is found by name before id',
    file: 'transition/snapshots/snapshot.ts',
    change: {
      in: 'find',
      find: '$snapshots.find(($s) => equal($s.id, $wanted))',
      nth: 1,
      to: '$snapshots.find(($s) => equal($s.name, $wanted))'
    },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'apply looks up the id before the name, delete only the name; a new id is the next number'
  },
  {
    name: 'version 2 does not grow over a longer backing file even where zeros are written',
    file: 'transition/resize/resize.ts',
    change: { in: 'grow', find: '!$written', operator: 'drop-operand' },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'version 2 grows over a longer backing file by any size where zeros are written'
  },
  {
    name: 'a growing disk exposes VM state',
    file: 'transition/resize/resize.ts',
    change: { in: 'grow', find: 'drop($w, $from, $to)', to: 'drop($w, $from, $from)' },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'growing over the VM state of the active tree, or shrinking, drops it'
  },
  {
    name: 'a growing disk exposes a longer backing file',
    file: 'transition/resize/resize.ts',
    change: {
      in: 'grow',
      find: 'preallocate($w, $first, $to, $mode, $hidden)',
      to: 'preallocate($w, $first, $to, $mode, false)'
    },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'resizes, writes and snapshots have the same effect on an image as on the abstract disk'
  },
  {
    name: 'the tail of the last cluster is not zeroed',
    file: 'transition/resize/resize.ts',
    change: { in: 'zero', find: '$was.every(($b) => $b === 0)', operator: 'drop-operand' },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'a disk that was full, got smaller and grows again has zeros where it was cut off'
  },
  {
    name: 'a shrinking disk frees its clusters before its size changes',
    file: 'transition/resize/resize.ts',
    change: {
      in: 'shrink',
      find: '{ yield* putSize($w, $size); yield* endRound($w); const $sized = $claims; $drop; $release; yield* endRound($w); $$rest }',
      to: "{ const $sized = $claims; $drop; $release; yield* endRound($w); yield* $w.changeHeader('expose', { size: BigInt($size) }); $$rest }"
    },
    ...inCrashScript
  }
]
