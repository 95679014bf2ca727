/** Faults of the shell that writes: what waits is not seen, comes too late or not at all. */
import type { Mutant } from './mutant.js'

export const sessionMutants: readonly Mutant[] = [
  {
    name: 'guest writes that wait are not read',
    file: 'node/images/session.js',
    edits: [['this.see(done.writes);\n        this.state', 'this.state']],
    red: 'props/node/session.test.ts',
    rule: 'random commands leave on a real file what they leave on the abstract disk'
  },
  {
    name: 'guest writes wait until after a command of another kind',
    file: 'node/images/session.js',
    edits: [['take(done) {\n        this.settle();', 'take(done) {']],
    red: 'props/node/session.test.ts',
    rule: 'random commands leave on a real file what they leave on the abstract disk'
  },
  {
    name: 'guest writes that waited are done again with the next ones',
    file: 'node/images/session.js',
    edits: [
      ['this.perform(this.group.writes());\n        this.group = new Group();', 'this.perform(this.group.writes());']
    ],
    red: 'props/node/session.test.ts',
    rule: 'random commands leave on a real file what they leave on the abstract disk'
  },
  {
    name: 'what waits at the end of a session is lost',
    file: 'node/images/session.js',
    edits: [['end() {\n        this.settle();', 'end() {']],
    red: 'props/node/session.test.ts',
    rule: 'random commands leave on a real file what they leave on the abstract disk'
  },
  {
    name: 'a page of a file that is written in part loses the rest',
    file: 'node/files/disk-file.js',
    edits: [['if (page * pageSize < kept)', 'if (page * pageSize > kept)']],
    red: 'props/node/session.test.ts',
    rule: 'random commands leave on a real file what they leave on the abstract disk'
  },
  {
    name: 'a file ends with the last write instead of the last byte',
    file: 'node/files/disk-file.js',
    edits: [['if (used.length > 0)\n            ftruncateSync(fd, end);', '']],
    red: 'props/node/session.test.ts',
    rule: 'random commands leave on a real file what they leave on the abstract disk'
  },
  {
    name: 'a line writes zeros in place of the bytes of a file',
    file: 'node/io/io-run.js',
    edits: [['Buffer.alloc(length, bytes)', 'Buffer.alloc(length)']],
    red: 'props/node/io.test.ts',
    rule: 'what a line compresses is as short as zstd makes it'
  },
  {
    name: 'a line compresses as if there were no better encoder',
    file: 'node/images/open-writing.js',
    edits: [[', compressor: await compressorOf(type)', '']],
    red: 'props/node/io.test.ts',
    rule: 'what a line compresses is as short as zstd makes it'
  },
  {
    name: 'a turn of writes is over before they are done',
    file: 'node/files/behind.js',
    edits: [['this.turns.length < mostTurns ? undefined : this.turns.shift()', 'undefined']],
    red: 'props/node/behind.test.ts',
    rule: 'everything is in its place when it ends'
  },
  {
    name: 'a failure of a write that is waited for is lost',
    file: 'node/files/behind.js',
    edits: [['if (failed !== undefined)', 'if (failed === undefined)']],
    red: 'props/node/behind.test.ts',
    rule: 'what the system throws is told by the end of all turns'
  },
  {
    name: 'a longer backing file shows behind the end of the old one',
    file: 'node/commands/rebase.js',
    edits: [['!piece.absent', '!(piece.absent && image.chain.length === 1)']],
    red: 'props/node/rebase.test.ts',
    rule: 'a disk stays the same over any other backing file, and over none'
  },
  {
    name: 'a disk that is put over nothing keeps nothing of its backing file',
    file: 'node/commands/rebase.js',
    edits: [['return await keepDisk(session, open.right, undefined);', 'return undefined;']],
    red: 'props/node/rebase.test.ts',
    rule: 'a disk stays the same over any other backing file, and over none'
  },
  {
    name: 'zeros of the old backing file are not kept over the new one',
    file: 'node/commands/rebase.js',
    edits: [
      [
        'const done = session.command(isZeros(old, from, to)',
        'if (isZeros(old, from, to)) continue;\n            const done = session.command(isZeros(old, from, to)'
      ]
    ],
    red: 'props/node/rebase.test.ts',
    rule: 'a disk stays the same over any other backing file, and over none'
  },
  {
    name: 'a raw base is made longer to the end of its last sector',
    file: 'node/commands/commit.js',
    edits: [["chainSize([{ _tag: 'Raw', size: file.length() }])", 'file.length()']],
    red: 'props/node/commit.test.ts',
    rule: 'a raw base that ends within a sector is not made longer by an overlay that holds nothing there'
  },
  {
    name: 'bytes whose place is no exact number go where the file stands',
    file: 'node/files/sparse.js',
    edits: [['if (!Number.isSafeInteger(end))', 'if (false)']],
    red: 'props/node/behind.test.ts',
    rule: 'bytes whose place is no exact number are not written, now or later'
  },
  {
    name: 'of disks that are compared the one that goes on first is passed over',
    file: 'node/images/used.js',
    edits: [['b[0] < a[0]', 'b[0] > a[0]']],
    red: 'props/node/used.test.ts',
    rule: 'a byte lies in exactly one of the ranges that are told if a disk has it, else in none'
  },
  {
    name: 'VM state is written onto the guest disk',
    file: 'transition/guest/vm-state.js',
    edits: [['vmStateOffset(w.g, w.disk.size) + position', 'position']],
    red: 'props/transition/guest/vm-state.test.ts',
    rule: 'it reads back, the guest disk stays, and a crash leaves each byte old or new'
  }
]
