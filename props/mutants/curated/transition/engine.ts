/** Mutants of src/transition/engine: the order of stages, refcounts, opening for writing. */
import type { Mutant } from '../../mutant.js'

const inCrashTable = { red: 'props/transition/crash/flushes.test.ts', rule: 'the scripts of the table break nothing' }

export const engineMutants: readonly Mutant[] = [
  {
    name: 'a change of a part of a sector changes what an earlier stage writes',
    file: 'transition/engine/transaction.ts',
    change: { in: 'Transaction.copyOf', find: 'known.slice()', to: 'known' },
    red: 'props/transition/engine/transaction.test.ts',
    rule: 'a change of a part of a sector leaves the bytes of the change before it as they were'
  },
  {
    name: 'new metadata is not durable before it is exposed',
    file: 'transition/engine/stages.ts',
    change: { in: 'waits', find: "$first === 'release'", to: "$first === 'prepare' || $first === 'release'" },
    ...inCrashTable
  },
  {
    name: 'the header names a refcount table without a flush before its use',
    file: 'transition/engine/stages.ts',
    change: { in: 'waits', find: "$first === 'release'", to: "$first === 'cover' || $first === 'release'" },
    ...inCrashTable
  },
  {
    name: 'dirty bits are not durable before the data is exposed',
    file: 'transition/engine/stages.ts',
    change: { in: 'waits', find: "$first === 'release'", to: "$first === 'record' || $first === 'release'" },
    ...inCrashTable
  },
  {
    name: 'refcounts fall before the last reference is durably gone',
    file: 'transition/engine/stages.ts',
    change: { in: 'waits', find: "$first === 'release'", to: "$first === 'expose' || $first === 'release'" },
    ...inCrashTable
  },
  {
    name: 'clusters are released before the second word is durable',
    file: 'transition/engine/stages.ts',
    change: { in: 'waits', find: "$first === 'release'", to: "stageOf(from) === 'settle' || $first === 'release'" },
    ...inCrashTable
  },
  {
    name: 'there is no flush between stages',
    file: 'transition/engine/stages.ts',
    change: { in: 'inOrder', find: '...($n === 0 ? [] : [flush])', operator: 'drop-element' },
    ...inCrashTable
  },
  {
    name: 'there is no flush between rounds',
    file: 'transition/engine/stages.ts',
    change: { in: 'waits', find: "$second !== 'prepare'", operator: 'condition-false' },
    ...inCrashTable
  },
  {
    name: 'the stage release does not wait for the stage settle',
    file: 'transition/engine/stages.ts',
    change: { in: 'waits', find: "$first !== 'settle'", operator: 'drop-operand' },
    ...inCrashTable
  },
  {
    name: 'the stages expose and release are swapped',
    file: 'transition/engine/stages.ts',
    change: [
      { in: 'stages', find: "'expose'", to: "'release'" },
      { in: 'stages', find: "'release'", to: "'expose'" }
    ],
    ...inCrashTable
  },
  {
    name: 'the stages record and expose are swapped',
    file: 'transition/engine/stages.ts',
    change: { in: 'stages', find: "'record'", operator: 'swap-with-next' },
    ...inCrashTable
  },
  {
    name: 'the stages expose and settle are swapped',
    file: 'transition/engine/stages.ts',
    change: { in: 'stages', find: "'expose'", operator: 'swap-with-next' },
    ...inCrashTable
  },
  {
    name: 'the stages cover and expose are swapped',
    file: 'transition/engine/stages.ts',
    change: [
      { in: 'stages', find: "'cover'", to: "'expose'" },
      { in: 'stages', find: "'expose'", to: "'cover'" }
    ],
    ...inCrashTable
  },
  {
    name: 'a compressed payload is counted in its first host cluster only',
    file: 'transition/engine/references.ts',
    change: { in: 'addEntries', find: '$span.last - $span.first', operator: 'drop-operand' },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'clusters that are compressed across host clusters, or keep space for zeros, are shared with a snapshot'
  },
  {
    name: 'the host cluster of a zero cluster is not counted',
    file: 'transition/engine/references.ts',
    change: { in: 'addEntries', find: '$kind === clusterKind.ZeroAllocated', operator: 'drop-operand' },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'creating and deleting a snapshot leaves every allocated cluster unchanged'
  },
  {
    name: 'the shared L2 tables of a snapshot are not counted',
    file: 'transition/engine/references.ts',
    change: { in: 'treeReferences', find: 'yield* refer($w, $references, $at, 1, $times)', operator: 'drop-statement' },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'creating and deleting a snapshot leaves every allocated cluster unchanged'
  },
  {
    name: 'the copied flag is not cleared when a snapshot shares a cluster',
    file: 'transition/engine/references.ts',
    change: { in: 'markTable', find: '$top ^ 0x80', to: '$top' },
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'applying a snapshot restores the size of the disk'
  },
  {
    name: 'the compressed cursor stays in a cluster that has been freed',
    file: 'transition/engine/refcounts.ts',
    change: { in: 'changeBlock', find: '$c === appendable', operator: 'condition-false' },
    red: 'props/transition/guest/compressed.test.ts',
    rule: 'CW-02: nothing is packed after a payload that is gone'
  },
  {
    name: 'a refcount block with refcounts other than 0 is dropped',
    file: 'transition/engine/refcount-table.ts',
    change: { in: 'isEmpty', find: '!($own.table === $index && $i === $own.entry)', to: '!($own.table === $index)' },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'growing over the VM state of the active tree, or shrinking, drops it'
  },
  {
    name: 'refcounts past the end of the file decide where it is cut off',
    file: 'transition/engine/refcount-table.ts',
    change: { in: 'referencedEnd', find: 'Math.min($view.length, $clusters - $first)', to: '$view.length' },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'a refcount past the end of the file does not make the file longer, where a command cuts it off'
  },
  {
    name: 'the file is truncated one cluster too short',
    file: 'transition/engine/refcount-table.ts',
    change: { in: 'referencedEnd', find: '$first + $i + 1', to: '$first + $i' },
    red: 'props/transition/resize/resize.test.ts',
    rule: 'growing over the VM state of the active tree, or shrinking, drops it'
  },
  {
    name: 'a refcount block may lie past the largest file',
    file: 'transition/engine/refcounts.ts',
    change: {
      in: 'offsetIn',
      find: "yield* failOn(beyondFiles('refcount block', $at, $size))",
      operator: 'drop-statement'
    },
    red: 'props/transition/engine/far.test.ts',
    rule: 'a refcount block past the end of any file is refused'
  },
  {
    name: 'bytes are written past the largest file',
    file: 'transition/engine/finish.ts',
    change: {
      in: 'finish',
      find: 'yield* failOn(staged.flat().flatMap(farWrite).slice(0, 1))',
      operator: 'drop-statement'
    },
    red: 'props/transition/repair/damaged.test.ts',
    rule: 'a command on a damaged image ends in writes or in a clause'
  },
  {
    name: 'unknown autoclear bits are not cleared',
    file: 'transition/engine/open.ts',
    change: { in: 'clearAutoclear', find: '$autoclearFeatures !== $kept', operator: 'condition-false' },
    red: 'props/transition/engine/open.test.ts',
    rule: 'unknown autoclear bits are cleared before anything is written, and no others'
  },
  {
    name: 'an image that is dirty or marked corrupt is opened for writing',
    file: 'transition/engine/open.ts',
    change: { in: 'open', find: 'yield* failOn(writableRules.judge($header, undefined))', operator: 'drop-statement' },
    red: 'props/transition/engine/open.test.ts',
    rule: 'an image that is dirty or marked corrupt is not opened'
  },
  {
    name: 'a header may be longer than its cluster',
    file: 'transition/engine/extension-area.ts',
    change: { in: 'tooLong', find: '$size <= $room', operator: 'condition-true' },
    red: 'props/node/losses.test.ts',
    rule: 'an image whose header has no room for more is written, and nothing else in its header changes'
  },
  {
    name: 'the first word of an extension is written before the rest',
    file: 'transition/engine/extensions.ts',
    change: { in: 'replacing', find: '[$at + 8, $b.subarray(8)]', operator: 'swap-with-next' },
    red: 'props/transition/engine/extensions.test.ts',
    rule: 'a crash leaves the first cluster as it was, or as it is to be, or without a part that it names'
  },
  {
    name: 'a hole covers one word too many',
    file: 'transition/engine/extensions.ts',
    change: { in: 'replacing', find: 'hole($aside - $at - 8)', to: 'hole($aside - $at)' },
    red: 'props/transition/engine/extensions.test.ts',
    rule: 'a crash leaves the first cluster as it was, or as it is to be, or without a part that it names'
  },
  {
    name: 'bitmaps stay trusted while their extension is cut off',
    file: 'transition/engine/extensions.ts',
    change: { in: 'changeExtensions', find: '$way !== $safe && $trusted', to: 'false && $trusted' },
    red: 'props/transition/engine/extensions.test.ts',
    rule: 'without room for a copy, a crash may lose extensions, but the image opens'
  },
  {
    name: 'bytes after the end marker are not cleared',
    file: 'transition/engine/extensions.ts',
    change: { in: 'changeExtensions', find: 'yield* clearRest($w)', operator: 'drop-statement' },
    red: 'props/transition/engine/extensions.test.ts',
    rule: 'unknown extensions keep their place and their bytes, and zeros follow the end marker'
  },
  {
    name: 'a backing file name is copied over itself',
    file: 'transition/engine/extensions.ts',
    change: { in: 'besideName', find: 'Math.max($end, $nameEnd)', to: 'Math.max($end) || $nameEnd' },
    red: 'props/transition/engine/extensions.test.ts',
    rule: 'without room for a copy, a crash may lose extensions, but the image opens'
  },
  {
    name: 'a backing file name changes while the header names it',
    file: 'transition/engine/extensions.ts',
    change: { in: 'changeBackingName', find: 'yield* detach($w)', operator: 'drop-statement' },
    red: 'props/transition/amend/rebase.test.ts',
    rule: 'a crash leaves the old backing file, the new one or none, never one with the format of the other'
  },
  {
    name: 'the header names a backing file before its name is durable',
    file: 'transition/engine/extensions.ts',
    change: { in: 'attach', find: 'yield* writeInOrder($w, [[$at, $name]])', operator: 'swap-with-next' },
    red: 'props/transition/amend/rebase.test.ts',
    rule: 'a crash leaves the old backing file, the new one or none, never one with the format of the other'
  },
  {
    name: 'the L2 tables of an earlier command are not protected',
    file: 'transition/engine/sections.ts',
    change: { in: 'tablesNow', find: "isKept('active L1 table')", operator: 'condition-true' },
    red: 'props/transition/engine/overlap.test.ts',
    rule: 'a table that an earlier command has made is protected from the next'
  },
  {
    name: 'the refcount blocks of an earlier command are not protected',
    file: 'transition/engine/sections.ts',
    change: { in: 'tablesNow', find: "isKept('refcount table')", operator: 'condition-true' },
    red: 'props/transition/engine/overlap.test.ts',
    rule: 'a refcount block that an earlier command has made is protected from the next'
  },
  {
    name: 'sectors are asked for again',
    file: 'transition/engine/transaction.ts',
    change: { in: 'Transaction.read', find: '!this.now.has($s)', operator: 'condition-false' },
    red: 'props/transition/engine/requests.test.ts',
    rule: 'a plan requests each sector whole, and once'
  },
  {
    name: 'a write takes invalid subcluster bits for valid ones',
    file: 'transition/guest/write.ts',
    change: { in: 'clusterWrites', find: '$w.g.extendedL2', to: 'false' },
    red: 'props/node/losses.test.ts',
    rule: 'a write to a cluster with invalid subcluster bits fails, and zeroing makes them valid'
  },
  {
    name: 'a read of no bytes asks for bytes past the end of any file',
    file: 'transition/engine/transaction.ts',
    change: { in: 'Transaction.read', find: '$length === 0', to: 'false' },
    red: 'props/transition/engine/far.test.ts',
    rule: 'a repair asks for nothing past the end of any file'
  },
  {
    name: 'a measured image has no refcounts for its refcount blocks',
    file: 'transition/create/refcount-area.ts',
    change: { in: 'refcountClusters', find: '$others + $table + $blocks', to: '$others' },
    red: 'props/transition/create/measure.test.ts',
    rule: 'refcount blocks cover themselves, and data that are stored are added'
  }
]
