/** Faults of snapshots and resizes: references that are missed, flags that are believed, and writes in the wrong order. */
import type { Mutant } from './mutant.js'

const references: readonly Mutant[] = [
  {
    name: 'a compressed payload counts for the cluster of its first byte only',
    file: 'transition/engine/tree.js',
    edits: [['span.last - span.first + 1, times', '1, times']],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'clusters that are compressed across host clusters, or keep space for zeros, are shared with a snapshot'
  },
  {
    name: 'the space that a zero cluster keeps is not counted',
    file: 'transition/engine/tree.js',
    edits: [['(kind === clusterKind.Normal || kind === clusterKind.ZeroAllocated)', '(kind === clusterKind.Normal)']],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a snapshot that is taken and deleted leaves every cluster in use as it was'
  },
  {
    name: 'a snapshot does not count the L2 tables it shares',
    file: 'transition/engine/tree.js',
    edits: [['yield* tallyRun(w, tally, at, 1, times);', '']],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a snapshot that is taken and deleted leaves every cluster in use as it was'
  },
  {
    name: 'what only the tree that is left refers to stays counted',
    file: 'transition/snapshots/snapshot.js',
    edits: [["yield* changeCounts(w, surplus(leaving, -1, coming), 'release');", '']],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a disk gets back the size that it had'
  },
  {
    name: "a deleted entry's clusters at the end of the table are not released",
    file: 'transition/snapshots/snapshot-table.js',
    edits: [['releaseTable(w, at + needed,', 'releaseTable(w, at + needed + size,']],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a count of 64 bits is exact, and does not wrap'
  },
  {
    name: 'version 2 does not grow over a longer backing file where zeros are written as data',
    file: 'transition/resize/resize.js',
    edits: [['hidden && !written &&', 'hidden &&']],
    red: 'props/transition/resize/resize.test.ts',
    rule: 'version 2 grows over a longer backing file by any size where zeros are written'
  },
  {
    name: 'VM state that the disk grows over is seen',
    file: 'transition/resize/resize.js',
    edits: [['const gone = yield* drop(w, from, to);', 'const gone = yield* drop(w, from, from);']],
    red: 'props/transition/resize/resize.test.ts',
    rule: 'VM state of the active tree goes where the disk grows over it, and where it gets smaller'
  },
  {
    name: 'a block that counts something is dropped with those that do not',
    file: 'transition/engine/refcounts.js',
    edits: [['!(home === table && i === entry)', '!(home === table)']],
    red: 'props/transition/resize/resize.test.ts',
    rule: 'VM state of the active tree goes where the disk grows over it, and where it gets smaller'
  },
  {
    name: 'the file ends a cluster before the last one that counts',
    file: 'transition/engine/refcounts.js',
    edits: [['(table * view.length + i + 1) * clusterSize', '(table * view.length + i) * clusterSize']],
    red: 'props/transition/resize/resize.test.ts',
    rule: 'VM state of the active tree goes where the disk grows over it, and where it gets smaller'
  }
]

const flags: readonly Mutant[] = [
  {
    name: 'a disk goes on writing in place to clusters that its new snapshot shares',
    file: 'transition/engine/tree.js',
    edits: [['marked[e] = top ^ 0x80;', 'marked[e] = top;']],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a disk gets back the size that it had'
  },
  {
    name: "the COPIED flags in a snapshot's tables are believed",
    file: 'transition/snapshots/snapshot.js',
    edits: [["yield* markCopied(w, 'prepare', l1, () => false);", '']],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'what a snapshot of another writer has is shared, whatever its COPIED flags say'
  },
  {
    name: 'what only the disk has left after a deletion is not marked as its own',
    file: 'transition/snapshots/snapshot.js',
    edits: [['copied || own.has(cluster)', 'copied']],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a snapshot that is taken and deleted leaves every cluster in use as it was'
  }
]

const contents: readonly Mutant[] = [
  {
    name: 'the next id is the number of snapshots',
    file: 'transition/snapshots/snapshot.js',
    edits: [['id > most ? id : most', 'most + 1n']],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a number is an id first where the disk goes back, and a name where it is deleted; a new one is the next'
  },
  {
    name: 'a disk goes back by name before id',
    file: 'transition/snapshots/snapshot.js',
    edits: [
      ['idToo ? snapshots.find((s) => equal(s.id, wanted))', 'idToo ? snapshots.find((s) => equal(s.name, wanted))']
    ],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a number is an id first where the disk goes back, and a name where it is deleted; a new one is the next'
  },
  {
    name: 'a disk that goes back keeps its size',
    file: 'transition/snapshots/snapshot.js',
    edits: [['if (size > oldSize)', 'if (size > oldSize && size < 0)']],
    red: 'props/transition/snapshots/snapshot.test.ts',
    rule: 'a disk gets back the size that it had'
  },
  {
    name: 'what was cut off comes back with the tail of the last cluster',
    file: 'transition/resize/resize.js',
    edits: [['if (!always && was.every((b) => b === 0))', 'if (!always)']],
    red: 'props/transition/resize/resize.test.ts',
    rule: 'a disk that was full, got smaller and grows again has zeros where it was cut off'
  },
  {
    name: 'a longer backing file shows where the disk has grown',
    file: 'transition/resize/resize.js',
    edits: [['to, mode, hidden);', 'to, mode, false);']],
    red: 'props/transition/resize/resize.test.ts',
    rule: 'a script of resizes, writes and snapshots does to an image what it does to the abstract disk'
  },
  {
    name: 'preallocated clusters show what they held',
    file: 'transition/guest/preallocate.js',
    edits: [["w.tx.schedule('prepare', { _tag: 'Punch', file, at, length });", '']],
    red: 'props/transition/resize/resize.test.ts',
    rule: 'preallocated clusters are in the file, and hold zeros whatever was there'
  },
  {
    name: 'preallocated clusters all have one host cluster',
    file: 'transition/guest/guest-range.js',
    edits: [["'hostClusterOffset' in entry ? BigInt(size) : 0n", '0n']],
    red: 'props/transition/resize/resize.test.ts',
    rule: 'a script of resizes, writes and snapshots does to an image what it does to the abstract disk'
  }
]

const orders: readonly Mutant[] = [
  {
    name: 'a disk is marked as sharing nothing that its snapshot has already',
    file: 'transition/snapshots/snapshot.js',
    edits: [
      ["yield* markCopied(w, 'prepare', w.l1, () => false);", "yield* markCopied(w, 'release', w.l1, () => false);"]
    ],
    red: 'props/transition/engine/order.test.ts',
    rule: 'snapshots and sizes: one script, many crashes'
  },
  {
    name: 'a table has one entry more before it is there',
    file: 'transition/snapshots/snapshot-table.js',
    edits: [["'settle', { nbSnapshots: snapshots.length + 1 }", "'prepare', { nbSnapshots: snapshots.length + 1 }"]],
    red: 'props/transition/engine/order.test.ts',
    rule: 'snapshots and sizes: drawn scripts'
  },
  {
    name: 'counts fall before the snapshot is out of the table',
    file: 'transition/snapshots/snapshot.js',
    edits: [['surplus(tally, -1), w.releaseStage', "surplus(tally, -1), 'prepare'"]],
    red: 'props/transition/engine/order.test.ts',
    rule: 'snapshots and sizes: one script, many crashes'
  },
  {
    name: 'the tree that is left loses its counts before the other one is in its place',
    file: 'transition/snapshots/snapshot.js',
    edits: [["surplus(leaving, -1, coming), 'release'", "surplus(leaving, -1, coming), 'expose'"]],
    red: 'props/transition/engine/order.test.ts',
    rule: 'snapshots and sizes: one script, many crashes'
  },
  {
    name: 'a disk that gets smaller loses its clusters before its size',
    file: 'transition/resize/resize.js',
    edits: [
      ['yield* putSize(w, size);\n    yield* endRound(w);\n    const sized', 'const sized'],
      [
        'const changed = w.tx.claims.length;',
        "yield* w.changeHeader('expose', { size: BigInt(size) });\n    const changed = w.tx.claims.length;"
      ]
    ],
    red: 'props/transition/engine/order.test.ts',
    rule: 'snapshots and sizes: one script, many crashes'
  }
]

/** Each turns one test file red. */
export const snapshotMutants: readonly Mutant[] = [...references, ...flags, ...contents, ...orders]
