/** Faults of running plans, and of what is read beside the guest disk. */
import type { Mutant } from './mutant.js'

export const planMutants: readonly Mutant[] = [
  {
    name: 'a window hands out the bytes at its own start',
    file: 'bytes/window.js',
    edits: [['from(found.bytes, found.at)', 'from(found.bytes, at)']],
    red: 'props/bytes/window.test.ts',
    rule: 'every answer is that of the file, zeros past its end'
  },
  {
    name: 'only the last stretch is kept',
    file: 'bytes/window.js',
    edits: [['.slice(0, kept - 1)', '.slice(0, 0)']],
    red: 'props/bytes/window.test.ts',
    rule: 'small requests from front to back ask once for each window, and what is kept is not asked for again'
  },
  {
    name: 'a plan goes on where its world cannot answer',
    file: 'bytes/run-async.js',
    edits: [['return read;', 'continue;']],
    red: 'props/bytes/run-async.test.ts',
    rule: 'a plan ends where its world cannot answer, and asks for nothing more'
  },
  {
    name: 'a backslash parts no segments',
    file: 'image/name-kind.js',
    edits: [['split(/[/\\\\]/)', 'split(/[/]/)']],
    red: 'props/image/name-kind.test.ts',
    rule: '"..\\\\base.qcow2" is escaping for a backing file, escaping for a data file'
  },
  {
    name: 'the name of a data file may be that of a protocol',
    file: 'image/name-kind.js',
    edits: [['(name) => kindOf(name, pathOf)', '(name) => nameKind(name)']],
    red: 'props/image/name-kind.test.ts',
    rule: '" json:{}" is protocol for a backing file, plain for a data file'
  },
  {
    name: 'a run of bits skips one more than the bits of a byte',
    file: 'format/views.js',
    edits: [['=== alike ? 8 : 1', '=== alike ? 9 : 1']],
    red: 'props/format/views.test.ts',
    rule: 'a run of bitmap data goes on as long as the bits are alike, from any bit to any end'
  },
  {
    name: 'the last dirty range ends past the disk',
    file: 'image/guest/bitmap-ranges.js',
    edits: [['Math.min(to * granularity, Number(size))', 'to * granularity']],
    red: 'props/image/guest/bitmap-ranges.test.ts',
    rule: 'any table and any data say what the reference says, also where the disk ends within a bit'
  },
  {
    name: 'VM state begins within the last L1 entry of the disk',
    file: 'image/guest/vm-state.js',
    edits: [['Math.ceil(size / l1Coverage(g))', 'Math.floor(size / l1Coverage(g))']],
    red: 'props/image/guest/vm-state.test.ts',
    rule: 'VM state begins with the first L1 entry that covers no byte of the disk'
  }
]
