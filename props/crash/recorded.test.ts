/** Logs of strace: what they say was written, in which order, and what a sync covers. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { fromText, toHex } from '../../src/bytes/octets.js'
import { ordered } from '../../src/crash/order.js'
import { type Recorded, recordedOf, type WatchedFile } from '../../src/crash/recorded.js'
import { eventsOf } from '../../src/crash/strace.js'
import { suite } from '../run/suite.js'

const test = suite('logs of strace')

const image = { part: 'image', depth: 0 } as const
const data = { part: 'data', depth: 0 } as const
const watched: readonly WatchedFile[] = [
  { path: '/d/a.qcow2', file: image, length: 100 },
  { path: '/d/ü.raw', file: data, length: 0 }
]

/** A string as `strace -xx` writes it. */
const escaped = (text: string): string => toHex(fromText(text)).replace(/../g, '\\x$&')

/** A log in which `'text'` and `<path>` stand for what strace writes of them. */
const log = (...lines: readonly string[]): string =>
  lines
    .map((line) =>
      line
        .replace(/'([^']*)'/g, (_, text: string) => `"${escaped(text)}"`)
        .replace(/(\d)<([^<>]*)>/g, (_, fd: string, path: string) => `${fd}<${escaped(path)}>`)
    )
    .join('\n')

const recording = (...lines: readonly string[]) => recordedOf(eventsOf(log(...lines)), watched)

const recordedIn = (...lines: readonly string[]): readonly Recorded[] => {
  const found = recording(...lines)
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right.recorded
}

const write = (at: number, text: string, file: typeof image | typeof data = image) =>
  ({ _tag: 'Write', file, at, bytes: fromText(text) }) as const
const sync = (file: typeof image | typeof data = image) => ({ _tag: 'Sync', file }) as const

const a = '/d/a.qcow2'

test('the lines of QEMU 7.2 are its writes, its punched range and its flush', () => {
  const path = '\\x2f\\x64\\x2f\\x61\\x2e\\x71\\x63\\x6f\\x77\\x32'
  const lines = [
    `22956 openat(AT_FDCWD<\\x2f\\x64>, "\\x61\\x2e\\x71\\x63\\x6f\\x77\\x32", O_RDWR|O_CLOEXEC) = 4<${path}>`,
    `22960 pwrite64(4<${path}>, "\\x80\\x00\\x00\\x00\\x00\\x00\\x40\\x00", 8, 12288 <unfinished ...>`,
    '22956 <... read resumed>"\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00", 512) = 8',
    '22960 <... pwrite64 resumed>)           = 8',
    `22960 fdatasync(4<${path}>) = 0`,
    `22961 fallocate(4<${path}>, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 20480, 4096) = 0`,
    '22956 exit_group(0)                     = ?'
  ]
  const found = recordedOf(eventsOf(lines.join('\n')), watched)
  assert.equal(
    found,
    E.right({
      recorded: [
        { _tag: 'Write', file: image, at: 12288, bytes: Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0x40, 0) },
        sync(),
        { _tag: 'Punch', file: image, at: 20480, length: 4096 }
      ],
      untraced: []
    })
  )
})

test('a write that returns after a sync began is not covered by it', () => {
  assert.equal(
    recordedIn(
      `1 pwrite64(4<${a}>, 'a', 1, 0) = 1`,
      `1 pwrite64(4<${a}>, 'b', 1, 1 <unfinished ...>`,
      `2 fdatasync(4<${a}> <unfinished ...>`,
      `1 <... pwrite64 resumed>) = 1`,
      `3 pwrite64(4<${a}>, 'c', 1, 2) = 1`,
      `2 <... fdatasync resumed>) = 0`
    ),
    [write(0, 'a'), sync(), write(1, 'b'), write(2, 'c')]
  )
})

test('a write has as many bytes as it returned, one that fails none, and a sync that fails covers nothing', () => {
  assert.equal(
    recordedIn(
      `1 pwrite64(4<${a}>, 'abcd', 4, 7) = 2`,
      `1 pwrite64(4<${a}>, 'abcd', 4, 7) = -1 ENOSPC (No space left on device)`,
      `1 fsync(4<${a}>) = -1 EIO (Input/output error)`,
      `1 pwritev(4<${a}>, [{iov_base='ab', iov_len=2}, {iov_base='cd', iov_len=2}], 2, 512) = 3`,
      `1 pwrite64(5</d/other>, 'abcd', 4, 7) = 4`
    ),
    [write(7, 'ab'), write(512, 'abc')]
  )
})

test('a position follows the calls of its descriptor, and the end of the file where it appends', () => {
  assert.equal(
    recordedIn(
      `1 openat(AT_FDCWD</d>, 'a', O_RDWR) = 4<${a}>`,
      `1 read(4<${a}>, 'xyz', 3) = 3`,
      `1 write(4<${a}>, 'a', 1) = 1`,
      `1 lseek(4<${a}>, -2, SEEK_END) = 98`,
      `1 writev(4<${a}>, [{iov_base='bcd', iov_len=3}], 1) = 3`,
      `1 openat(AT_FDCWD</d>, 'a', O_WRONLY|O_APPEND) = 5<${a}>`,
      `1 write(5<${a}>, 'e', 1) = 1`,
      `1 pwrite64(5<${a}>, 'f', 1, 0) = 1`,
      `1 pwritev2(4<${a}>, [{iov_base='g', iov_len=1}], 1, 0, RWF_APPEND) = 1`
    ),
    [write(3, 'a'), write(98, 'bcd'), write(101, 'e'), write(102, 'f'), write(103, 'g')]
  )
})

test('truncations, and the ways of fallocate', () => {
  const cut = (length: number) => ({ _tag: 'Truncate', file: image, length }) as const
  assert.equal(
    recordedIn(
      `1 ftruncate(4<${a}>, 50) = 0`,
      `1 fallocate(4<${a}>, 0, 0, 40) = 0`,
      `1 fallocate(4<${a}>, 0, 40, 40) = 0`,
      `1 fallocate(4<${a}>, FALLOC_FL_KEEP_SIZE, 0, 400) = 0`,
      `1 fallocate(4<${a}>, FALLOC_FL_ZERO_RANGE, 70, 20) = 0`,
      `1 openat(AT_FDCWD</d>, 'a', O_RDWR|O_CREAT|O_TRUNC, 0644) = 6<${a}>`
    ),
    [cut(50), cut(80), cut(90), { _tag: 'Punch', file: image, at: 70, length: 20 }, cut(0)]
  )
})

test('what is written synchronously is durable, and sync covers every file', () => {
  assert.equal(
    recordedIn(
      `1 openat(AT_FDCWD</d>, 'a', O_RDWR|O_DSYNC) = 4<${a}>`,
      `1 pwrite64(4<${a}>, 'a', 1, 0) = 1`,
      `1 pwritev2(5</d/ü.raw>, [{iov_base='b', iov_len=1}], 1, 9, RWF_SYNC) = 1`,
      '1 sync() = 0'
    ),
    [write(0, 'a'), sync(), write(9, 'b', data), sync(data), { _tag: 'Sync' }]
  )
})

test('a program whose order of writes is not known is refused with the reason, or said to write in other ways too', () => {
  for (const [line, why] of [
    [`1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 4<${a}>, 0) = 0x7f0`, /mmap/],
    [`1 fallocate(4<${a}>, FALLOC_FL_COLLAPSE_RANGE, 0, 4096) = 0`, /fallocate/]
  ] as const) {
    const found = recording(line)
    assert.match(E.isLeft(found) ? found.left : '', why)
  }
  const found = recording('1 io_uring_enter(6<anon_inode:[io_uring]>, 2, 0, 0, NULL, 8) = 2')
  assert.equal(E.isRight(found) && found.right.untraced, ['by io_uring'])
})

test('a sync of one file leaves the changes of the others open', () => {
  const all = [write(0, 'a'), write(0, 'b', data), sync(data), write(1, 'c'), sync()]
  const { periods, views } = ordered([], all)
  assert.equal(
    periods.map(({ count, changes, views: seen }) => [count, changes, seen]),
    [
      [0, [all[0], all[1]], [0, 1]],
      [1, [all[0], all[3]], [0, 2]],
      [3, [], [2, 3]]
    ]
  )
  assert.is(views.length, 4)
})

test.run()
