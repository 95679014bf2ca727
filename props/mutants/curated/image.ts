/** Mutants of src/image. Most are found on damaged images for which QEMU's verdict is kept. */
import type { Mutant } from '../mutant.js'

const onDamagedImages = {
  red: 'props/damage/damaged.test.ts',
  rule: 'every answer is that of qemu-img, but for differences that have a row, and every row is needed'
}

export const imageMutants: readonly Mutant[] = [
  {
    name: 'compressed clusters are joined in every walk',
    file: 'image/guest/extents.ts',
    change: { in: 'tableExtents', find: 'walk.joinsCompressed', to: 'true' },
    red: 'props/image/guest/requests.test.ts',
    rule: 'neighbouring compressed clusters are one extent where that is asked for, and each its own elsewhere'
  },
  {
    name: 'the corrupt mark is judged after all opening checks',
    file: 'image/metadata.ts',
    change: { in: 'writeRefusal', find: 'writableRules.judge($h, undefined)', to: '[]' },
    red: 'props/transition/engine/open.test.ts',
    rule: 'an image that fails several opening checks is refused by the first of them'
  },
  {
    name: 'two bitmaps may share a cluster whatever its refcount is',
    file: 'image/check/owners.ts',
    change: { in: 'findOwners', find: '$sharing !== undefined && $counted', to: '$sharing !== undefined' },
    red: 'props/image/check/findings.test.ts',
    rule: 'two bitmaps with one table, and one counted'
  },
  {
    name: 'a check takes two bitmaps that share a table for structures of different kinds',
    file: 'image/check/owners.ts',
    change: { in: 'findOwners', find: 'shareable.get($kind)', to: 'undefined' },
    red: 'props/image/check/findings.test.ts',
    rule: 'two bitmaps with one table, and both counted'
  },
  {
    name: 'a metadump keeps names',
    file: 'image/dump/redact.ts',
    change: { in: 'redactRecords', find: "$as === 'name' ? rename($part) : $part", to: '$part' },
    red: 'props/image/metadump.test.ts',
    rule: 'names are replaced at equal length, and kept where that is asked for'
  },
  {
    name: 'a metadump leaves out a lost L2 table',
    file: 'image/metadump.ts',
    change: { in: 'checked', find: "$clause === 'CHK-17'", to: 'false' },
    red: 'props/image/metadump.test.ts',
    rule: 'a leaked cluster that a check takes for an L2 table is in the copy, no other one'
  },
  {
    name: 'a metadump leaves out tables that break a rule',
    file: 'image/metadump.ts',
    change: {
      in: 'checked',
      find: 'yield* emittingReads(tables($m, $g, $length))',
      to: 'yield* tables($m, $g, $length)'
    },
    red: 'props/image/metadump.test.ts',
    rule: 'check and map of the copy are those of the image'
  },
  {
    name: 'a metadump keeps key material that lies under a table',
    file: 'image/metadump.ts',
    change: { in: 'metadump.putPublic', find: 'without(bytes, at, hidden)', to: 'bytes' },
    red: 'props/image/metadump.test.ts',
    rule: 'no key material, digest or salt of a LUKS header is in the copy'
  },
  {
    name: 'the LUKS header of an encrypted image is not judged',
    file: 'image/luks-area.ts',
    change: { in: 'judgeArea', find: 'luksHeaderRules.judge($header, $pointer, $at)', to: '[]' },
    red: 'props/image/luks.test.ts',
    rule: 'a LUKS header that breaks a rule makes the image one that cannot be opened, by the field'
  },
  {
    name: 'a cluster that begins at the end of the file is not past it',
    file: 'image/past-end.ts',
    change: {
      in: 'refcountStructuresPastEnd',
      find: '$counted === undefined || $cluster < $length',
      to: '$counted === undefined || $cluster <= $length'
    },
    red: 'props/node/cut-off.test.ts',
    rule: 'info finds the tables and the clusters that a file ends before'
  },
  {
    name: 'a magic number at the end of a file is looked for at its start',
    file: 'image/file-kind.ts',
    change: { in: 'kindOf.has', find: '$at < 0', to: '$at > 0' },
    red: 'props/image/file-kind.test.ts',
    rule: 'a magic number of another format at its offset is recognised, and nowhere else'
  },
  {
    name: 'a bitmap in use counts as one that QEMU writes at a repair',
    file: 'image/check/qemu-losses.ts',
    change: { in: 'rewriteCause', find: '!$flags.inUse', to: 'true' },
    red: 'props/image/qemu-losses.test.ts',
    rule: 'snapshots beside a bitmap, an unknown autoclear bit or bitmaps that are not valid have a note'
  },
  {
    name: 'a raw data file that is longer than the disk has a note within the last cluster too',
    file: 'image/check/qemu-losses.ts',
    change: { in: 'endOfClusters', find: '(presentedSize($h) + $size - 1n) / $size * $size', to: 'presentedSize($h)' },
    red: 'props/image/qemu-losses.test.ts',
    rule: 'a raw data file that ends with the last cluster, as QEMU makes it, has no note'
  },
  {
    name: 'a zero entry in a table that is shared as a whole has a note',
    file: 'image/check/l2-entries.ts',
    change: {
      in: 'checkEntry',
      find: '($state.refcounts.at($host) ?? 0) > $use.all',
      to: '($state.refcounts.at($host) ?? 0) > 1'
    },
    red: 'props/image/qemu-losses.test.ts',
    rule: 'a check notes a zero entry whose cluster a snapshot has too'
  },
  {
    name: 'the extension area runs to the end of the first cluster, over the backing file name',
    file: 'format/extension-area.ts',
    change: { in: 'extensionRange', find: 'Math.min($backing, $size)', to: '$size' },
    red: 'props/format/extension.test.ts',
    rule: 'the area ends at the backing file name, or at the end of the first cluster without one'
  },
  {
    name: 'an invalid bitmaps extension without its autoclear bit prevents opening',
    file: 'image/metadata.ts',
    change: { in: 'extensionsOf', find: '$h.autoclearFeatures.bitmaps', operator: 'condition-true' },
    ...onDamagedImages
  },
  {
    name: 'a backslash is no path separator',
    file: 'image/name-kind.ts',
    change: { in: 'highest', find: '/[/\\\\]/', to: '/[/]/' },
    red: 'props/image/name-kind.test.ts',
    rule: '"..\\\\base.qcow2" is escaping for a backing file, escaping for a data file'
  },
  {
    name: 'one letter before a colon is a drive whatever follows',
    file: 'image/name-kind.ts',
    change: { in: 'nameKind', find: '/^[A-Za-z]:[/\\\\]/', to: '/^[A-Za-z]:/' },
    red: 'props/image/name-kind.test.ts',
    rule: '"c:base.qcow2" is protocol for a backing file, absolute for a data file'
  },
  {
    name: 'a data file name may start with a protocol',
    file: 'image/name-kind.ts',
    change: { in: 'pathKind', find: 'kindOf($name, pathOf)', to: 'nameKind($name)' },
    red: 'props/image/name-kind.test.ts',
    rule: '" json:{}" is protocol for a backing file, plain for a data file'
  },
  {
    name: 'a backing file is read past its end',
    file: 'image/guest/chain.ts',
    change: { in: 'orBelow', find: 'Math.max($e.start, Math.min($end, layerSize($next)))', to: '$end' },
    ...onDamagedImages
  },
  {
    name: 'the size of a raw backing file is not rounded up to a sector',
    file: 'image/guest/chain.ts',
    change: { in: 'layerSize', find: 'Math.ceil($layer.size / sectorSize) * sectorSize', to: '$layer.size' },
    ...onDamagedImages
  },
  {
    name: 'map reports host offsets for an encrypted image',
    file: 'image/guest/map.ts',
    change: {
      in: 'entryOf',
      find: "$e.kind === 'compressed' || $encrypted",
      to: "$e.kind === 'compressed' || ($e.kind === 'absent' && ($encrypted))"
    },
    ...onDamagedImages
  },
  {
    name: 'an extent that is cut keeps the host offset of its start',
    file: 'image/guest/extents.ts',
    change: { in: 'cut', find: '$e.host + $start - $e.start', to: '$e.host' },
    ...onDamagedImages
  },
  {
    name: 'extents of different kinds are joined',
    file: 'image/guest/extents.ts',
    change: { in: 'joins', find: '$a.kind === $b.kind', operator: 'drop-operand' },
    ...onDamagedImages
  },
  {
    name: 'extents whose host clusters are not adjacent are joined',
    file: 'image/guest/extents.ts',
    change: { in: 'joins', find: '$a.host + $a.length === $b.host', to: '$b.host !== undefined' },
    ...onDamagedImages
  },
  {
    name: 'a host cluster that is not aligned is read',
    file: 'format/l2-rules.ts',
    change: { in: 'l2ReadRules', find: "field === 'hostClusterOffset'", operator: 'condition-false' },
    ...onDamagedImages
  },
  {
    name: 'an external data file is read at another offset than the guest offset',
    file: 'image/guest/extents.ts',
    change: { in: 'issuesOf', find: '$none && g.externalDataFile && view.isPlaced(i)', operator: 'condition-false' },
    ...onDamagedImages
  },
  {
    name: 'an unallocated subcluster of an allocated cluster reads as zeros',
    file: 'format/subcluster.ts',
    change: {
      in: 'subclusterOf',
      find: "$placed ? 'unallocated-allocated' : 'unallocated-plain'",
      to: "$placed ? 'zero-allocated' : 'unallocated-plain'"
    },
    ...onDamagedImages
  },
  {
    name: 'an invalid subcluster leaves the rest of its cluster readable',
    file: 'format/l2-rules.ts',
    change: { in: 'l2ReadRules', find: "['L2-05', 'DATA-05', 'SUB-04']", to: "['L2-05', 'DATA-05']" },
    ...onDamagedImages
  },
  {
    name: 'every part of a compressed cluster is its first part',
    file: 'image/guest/extents.ts',
    change: { in: 'cut', find: '($e.skipped ?? 0) + $start - $e.start', to: '$e.skipped ?? 0' },
    red: 'props/image/guest/guest.test.ts',
    rule: 'a read through an overlay with smaller clusters takes only its part of a compressed cluster of the backing file'
  },
  {
    name: 'the last dirty range ends past the end of the disk',
    file: 'image/guest/bitmap-ranges.ts',
    change: { in: 'dirtyRanges', find: 'Math.min($to * $granularity, Number($size))', to: '$to * $granularity' },
    red: 'props/image/guest/bitmap-ranges.test.ts',
    rule: 'the dirty ranges of any table and data are those of the reference, also where the disk ends within a bit'
  },
  {
    name: 'VM state begins within the last L1 entry of the disk',
    file: 'image/guest/vm-state.ts',
    change: { in: 'diskEntries', find: 'Math.ceil($x)', to: 'Math.floor($x)' },
    red: 'props/image/guest/vm-state.test.ts',
    rule: 'VM state begins with the first L1 entry that covers no byte of the disk'
  },
  {
    name: 'check ignores the copied flag of L2 entries',
    file: 'image/check/copied.ts',
    change: { in: 'copiedIsChecked', find: '$use.active > 0', operator: 'condition-false' },
    ...onDamagedImages
  },
  {
    name: 'check ignores the copied flag of L1 entries',
    file: 'image/check/copied.ts',
    change: { in: 'l1Copied', find: '!$tree.active || $l2 === 0', to: '!$tree.active || $l2 >= 0' },
    ...onDamagedImages
  },
  {
    name: 'check counts a compressed range in its first host cluster only',
    file: 'image/check/references.ts',
    change: { in: 'referenceOf', find: '$view.availableBytes($i)', to: '1' },
    ...onDamagedImages
  },
  {
    name: 'check counts the clusters of a shared L2 table once',
    file: 'image/check/walk.ts',
    change: { in: 'l1Table', find: '$use.all++', to: '$use.all' },
    ...onDamagedImages
  },
  {
    name: 'check ignores reserved bits of L1 entries',
    file: 'image/check/counting.ts',
    change: { in: 'checkL1Entry', find: '$view.hasAny($index, $faults)', operator: 'condition-false' },
    ...onDamagedImages
  },
  {
    name: 'check accepts a subcluster with both bits set',
    file: 'format/l2-rules.ts',
    change: { in: 'l2Rules', find: "$e._tag !== 'Compressed' && clashOf($e) !== 0", operator: 'condition-false' },
    ...onDamagedImages
  },
  {
    name: 'check accepts more references than a refcount holds',
    file: 'image/check/compare.ts',
    change: { in: 'overflow', find: '$references <= $state.max', operator: 'condition-true' },
    ...onDamagedImages
  },
  {
    name: 'check does not count the reference to a refcount block',
    file: 'image/check/counting.ts',
    change: { in: 'checkBlock', find: 'claim($$rest)', operator: 'drop-statement' },
    ...onDamagedImages
  },
  {
    name: 'check rounds a host offset above 2^62 before it looks whether it is aligned',
    file: 'image/check/refcounts.ts',
    change: { in: 'readRefcounts', find: '$table.view.hasAny($i, withinCluster)', to: 'block % size !== 0' },
    red: 'props/image/check/check.test.ts',
    rule: 'a refcount block above 2^62 that is not aligned cannot be read'
  },
  {
    name: 'check reads a refcount block that is not aligned',
    file: 'image/check/refcounts.ts',
    change: {
      in: 'readRefcounts',
      find: '$table.view.hasAny($i, withinCluster) || $block >= maxReadable',
      operator: 'condition-false'
    },
    ...onDamagedImages
  },
  {
    name: 'check rejects a last cluster that is cut off by the end of the file',
    file: 'image/check/visitor.ts',
    change: { in: 'reachesPastEnd', find: '$at + $size - fileLength >= clusterSize', to: '$at + $size > fileLength' },
    ...onDamagedImages
  },
  {
    name: 'check does not round the file length up to a sector',
    file: 'image/check/check.ts',
    change: { in: 'examine', find: 'Math.ceil($end / sectorSize) * sectorSize', to: '$end' },
    ...onDamagedImages
  },
  {
    name: 'check does not count the references to bitmap data',
    file: 'image/check/walk.ts',
    change: { in: 'bitmapData', find: '$offset !== 0', operator: 'condition-false' },
    ...onDamagedImages
  },
  {
    name: 'a report on a refused image lists what lies past the end of its file',
    file: 'image/info.ts',
    change: { in: 'infoReport', find: '$info.refused === undefined', operator: 'condition-true' },
    red: 'props/image/info.test.ts',
    rule: 'a report on a refused image is in proportion to its file, and lists nothing past its end'
  },
  {
    name: 'a walk reads as many L1 entries as a header asks for',
    file: 'image/guest/extents.ts',
    change: { in: 'extents', find: 'Math.min($size, limits.maxL1Entries)', to: '$size' },
    red: 'props/image/guest/guest.test.ts',
    rule: 'a walk ends soon whatever a disk is said to be: no more entries are read than an L1 table may have'
  },
  {
    name: 'a refcount above 2^53 is rounded in findings',
    file: 'image/check/counts.ts',
    change: { in: 'Counts.load', find: 'Number.isSafeInteger($count) ? $count : $block.entry($i)', to: '$count' },
    red: 'props/node/messages.test.ts',
    rule: 'refcounts in findings are exact to the last digit'
  },
  {
    name: 'all issues of the entries of a table are kept',
    file: 'image/entry-issues.ts',
    change: { in: 'EntryIssues.hasRoom', find: '$n <= mostOfClause', operator: 'condition-true' },
    red: 'props/image/info.test.ts',
    rule: 'a report on a refused image is in proportion to its file, and lists nothing past its end'
  },
  {
    name: 'a leaked cluster that names one in use is taken for a lost L2 table',
    file: 'image/check/lost-tables.ts',
    change: { in: 'namesIn', find: '!isLeaked($state, $r)', operator: 'condition-false' },
    red: 'props/transition/repair/destroys.test.ts',
    rule: 'leaked clusters of anything else are not noted'
  },
  {
    name: 'a leaked cluster with a damaged entry is taken for a lost L2 table',
    file: 'image/check/lost-tables.ts',
    change: { in: 'namesIn', find: '!l2Rules.allows($entry, $g)', to: 'false' },
    red: 'props/transition/repair/destroys.test.ts',
    rule: 'leaked clusters of anything else are not noted'
  },
  {
    name: 'a repair says nothing of the snapshots that it keeps',
    file: 'image/check/check.ts',
    change: { in: 'unrepairable', find: 'snapshotLimits.includes($row)', operator: 'condition-false' },
    red: 'props/transition/repair/destroys.test.ts',
    rule: 'a repair deletes no snapshots past the limits of QEMU, and leaves the image alone'
  },
  {
    name: 'an explanation has all bytes that an entry states',
    file: 'image/dump/explain-parts.ts',
    change: { in: 'inEntry', find: 'Math.min(place.size, mostShown)', to: 'place.size' },
    red: 'props/image/dump/dump.test.ts',
    rule: 'an explanation does not grow with a length that only a damaged entry states'
  }
]
