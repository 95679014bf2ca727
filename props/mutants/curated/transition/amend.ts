/** Mutants of src/transition/amend and src/transition/repair. */
import type { Mutant } from '../../mutant.js'

const inAmendCrash = {
  red: 'props/transition/amend/amend.test.ts',
  rule: 'a crash leaves an image of either version or width, with its disk and its backing file name'
}
const onDirtyImage = {
  red: 'props/transition/repair/repair.test.ts',
  rule: 'clusters past the end of a dirty image get refcounts and read as zeros'
}

export const amendMutants: readonly Mutant[] = [
  {
    name: 'the version changes before the first word of the extension area',
    file: 'transition/amend/version.ts',
    change: { in: 'upgrade', find: '[headerV2.size, endMarker]', operator: 'swap-with-next' },
    ...inAmendCrash
  },
  {
    name: 'zeros are written into a cluster that a snapshot shares',
    file: 'transition/amend/expand.ts',
    change: {
      in: 'expandTable',
      find: 'Number(yield* refcountOf($w, $host / $size)) === $sharers',
      to: '$sharers > 0'
    },
    red: 'props/transition/amend/amend.test.ts',
    rule: 'a zero cluster whose host cluster holds data of a snapshot leaves it alone'
  },
  {
    name: 'the header names a refcount table that is not durable',
    file: 'transition/amend/refcount-width.ts',
    change: {
      in: 'changeRefcountOrder',
      find: "$w.changeHeader('cover', $$rest)",
      to: "$w.changeHeader('prepare', $$rest)"
    },
    red: 'props/transition/crash/flushes.test.ts',
    rule: 'the scripts of the table break nothing'
  },
  {
    name: 'the dirty bit is not set while the refcount width changes',
    file: 'transition/amend/refcount-width.ts',
    change: { in: 'changeRefcountOrder', find: '{ ...$features, dirty: true }', to: '$features' },
    ...inAmendCrash
  },
  {
    name: 'the new refcounts include the old refcount structures',
    file: 'transition/amend/refcount-width.ts',
    change: { in: 'converted', find: '$own.has($cluster) ? 1n : 0n', to: '0n' },
    ...inAmendCrash
  },
  {
    name: 'an L1 entry without an offset leads a repair to a table in the header',
    file: 'transition/repair/entries.ts',
    change: { in: 'eachReference', find: '$at === 0', nth: 2, operator: 'condition-false' },
    red: 'props/node/losses.test.ts',
    rule: 'a repair keeps the disk beside an L1 entry of COPIED alone, and the range of the entry can be written'
  },
  {
    name: 'the file of a dirty image is not extended',
    file: 'transition/repair/entries.ts',
    change: { in: 'extendFile', find: '$end > $fileLength', operator: 'condition-false' },
    ...onDirtyImage
  },
  {
    name: 'short snapshot extra data is not extended',
    file: 'transition/snapshots/snapshot-table.ts',
    change: { in: 'repairSnapshots', find: '$w.g.version === 3', operator: 'condition-false' },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'extra data of a snapshot are extended to the required length and cut to the greatest allowed one'
  },
  {
    name: 'snapshot extra data of the maximum size is cut',
    file: 'transition/snapshots/snapshot-table.ts',
    change: { in: 'withShortExtra', find: '$tooMuch <= 0', operator: 'boundary' },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'extra data of a snapshot are extended to the required length and cut to the greatest allowed one'
  },
  {
    name: 'a leaked refcount is raised',
    file: 'transition/repair/repair.ts',
    change: {
      in: 'repairRefcounts',
      find: "addToRefcounts($w, $cluster, $n, $by, 'release')",
      to: "addToRefcounts($w, $cluster, $n, -$by, 'release')"
    },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'a repair of leaks leaves no leak'
  },
  {
    name: 'a repair lowers refcounts before it raises others',
    file: 'transition/repair/repair.ts',
    change: {
      in: 'repairRefcounts',
      find: "for ($each of raised) yield* addToRefcounts($w, $cluster, $n, $by, 'prepare')",
      operator: 'swap-with-next'
    },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'a refcount is raised also where one in the same byte, of a cluster before it, is lowered'
  },
  {
    name: 'the dirty bit is not cleared',
    file: 'transition/repair/repair.ts',
    change: { in: 'clearMarks', find: 'dirty: false', operator: 'drop-element' },
    ...onDirtyImage
  },
  {
    name: 'the copied flag of a shared cluster is not cleared',
    file: 'transition/repair/entries.ts',
    change: { in: 'repairCopied', find: '~$copied', operator: 'drop-operand' },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'a COPIED flag beside a refcount of two is cleared'
  },
  {
    name: 'rebuilt refcounts omit the new refcount blocks',
    file: 'transition/repair/rebuild.ts',
    change: { in: 'rebuild', find: '$cluster >= $start && $cluster < $end', operator: 'condition-false' },
    ...onDirtyImage
  },
  {
    name: 'a repair frees clusters of a tree that it does not follow',
    file: 'transition/repair/repair.ts',
    change: { in: 'repairRefcounts', find: '$e.state.knowsAll ? $lowered : []', to: '$lowered' },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'a repair frees nothing of a snapshot whose L1 table it cannot follow'
  },
  {
    name: 'refcounts are rebuilt without those of a tree that is not followed',
    file: 'transition/repair/repair.ts',
    change: { in: 'repairRefcounts', find: '!$e.state.knowsAll', operator: 'condition-false' },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'refcounts are not rebuilt beside a table that cannot be followed'
  },
  {
    name: 'a table past the end of the file is taken for one that names nothing',
    file: 'image/check/counting.ts',
    change: { in: 'noteUnread', find: '$at + $size > $state.end', operator: 'condition-false' },
    red: 'props/transition/repair/destroys.test.ts',
    rule: 'a repair frees nothing that a table past the end of the file may name, and leaves the way to it'
  },
  {
    name: 'a repair does not follow a snapshot table whose last entry ends past the end of the file',
    file: 'image/metadata.ts',
    change: { in: 'hasSnapshotTable', find: 'snapshotFixed.size', to: 'snapshotEntry.sizeOf(final)' },
    red: 'props/transition/repair/destroys.test.ts',
    rule: 'a repair cuts the extra data of a snapshot that ends past the end of the file'
  },
  {
    name: 'a snapshot table past the end of the file is rewritten',
    file: 'transition/repair/repair.ts',
    change: { in: 'rounds', find: 'all && hasSnapshotTable($m, $end)', to: 'all' },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'a snapshot table past the end of the file is not rewritten as one without snapshots'
  },
  {
    name: 'a repair leaves an image that is refused',
    file: 'transition/repair/repair.ts',
    change: { in: 'repair', find: 'lasting($first)', to: '[]' },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'a repair that cannot cut extra data, in a table past the end of the file, is refused'
  },
  {
    name: 'a repair frees the payload of a compressed entry with a subcluster bitmap',
    file: 'image/check/l2-entries.ts',
    change: { in: 'judge', find: 'return $state.beforeRepair', to: 'return false' },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'a repair keeps the payload of a compressed entry with a subcluster bitmap'
  },
  {
    name: 'the copied flag of an L1 entry past the end of the file stays',
    file: 'transition/repair/entries.ts',
    change: { in: 'eachReference', find: 'at === 0', to: 'at === 0 || at >= e.state.fileLength' },
    red: 'props/transition/repair/like-qemu.test.ts',
    rule: 'an L1 entry past the end of the file loses its COPIED flag'
  },
  {
    name: 'reserved bits cleared in L1 entries are not reported as fixed',
    file: 'transition/repair/entries.ts',
    change: {
      in: 'repairEntries',
      find: 'corruptionsOf(l1Rules, $entry, $w.g) - corruptionsOf(l1Rules, $repaired, $w.g)',
      to: '0'
    },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'reserved bits that are cleared in L1 and L2 entries are reported as fixed'
  },
  {
    name: 'a repair drops an unaligned host cluster with allocated subclusters',
    file: 'format/l2-rules.ts',
    change: { in: 'isUnalignedReserve', find: '$e.subclusters.allocated === 0', operator: 'condition-true' },
    red: 'props/transition/repair/like-qemu.test.ts',
    rule: 'an unaligned entry with an allocation bit stays'
  },
  {
    name: 'a repair goes on beside a bitmap that cannot be read',
    file: 'image/check/walk.ts',
    change: { in: 'bitmapData', find: "'error'", to: "'corruption'" },
    red: 'props/transition/repair/like-qemu.test.ts',
    rule: 'beside a bitmap in use that cannot be read, a repair of leaks writes nothing'
  },
  {
    name: 'a repair of leaks asks for a rebuild because of a block outside the file',
    file: 'transition/repair/repair.ts',
    change: { in: 'needsRebuild', find: "$mode === 'all' || $phase === 'invalid'", operator: 'condition-true' },
    red: 'props/transition/repair/like-qemu.test.ts',
    rule: 'a repair of leaks does without a refcount block outside the file'
  },
  {
    name: 'guest data is written though bitmaps are missing that the header promises',
    file: 'transition/engine/finish.ts',
    change: { in: 'missingBitmaps', find: "$section === 'main header'", operator: 'condition-true' },
    red: 'props/transition/engine/open.test.ts',
    rule: 'where bitmaps are missing that the header promises, the header alone may be written'
  },
  {
    name: 'a repair frees the clusters of a payload that ends past the file',
    file: 'transition/repair/repair.ts',
    change: { in: 'deviations', find: '$counted + $uncounted.get($c)', to: '$counted' },
    red: 'props/transition/repair/repair.test.ts',
    rule: 'a repair keeps the clusters of a payload that ends past the file'
  },
  {
    name: 'a refcount above 2^53 is lowered by a rounded number',
    file: 'transition/repair/repair.ts',
    change: { in: 'deviations', find: 'BigInt($wanted) - $stored', to: 'BigInt($wanted) - BigInt(Number($stored))' },
    red: 'props/transition/repair/like-qemu.test.ts',
    rule: 'a leaked refcount above 2^53 is lowered'
  },
  {
    name: 'a refcount table at byte 0 keeps a repair from writing the header',
    file: 'transition/engine/sections.ts',
    change: { in: 'refcountTableBytes', find: '$h.refcountTableOffset === 0n', operator: 'condition-false' },
    red: 'props/transition/repair/destroys.test.ts',
    rule: 'refcounts are rebuilt where the header says that the refcount table is at byte 0'
  },
  {
    name: 'a snapshot entry that is too short keeps a repair of leaks from correcting COPIED',
    file: 'transition/repair/repair.ts',
    change: { in: 'hasOnlyCopied', find: "$findings.countOf('SNAP-02')", to: '0' },
    red: 'props/transition/repair/like-qemu.test.ts',
    rule: 'a repair of leaks corrects COPIED beside an incomplete snapshot'
  }
]
