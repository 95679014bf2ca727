/** Disks of 8 PiB and more: what numbers do not hold exactly is refused, and everything else is exact. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { qemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { runHere } from './outcome.js'
import { runLines } from './run-lines.js'

const test = suite('far disks')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-far-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** Makes an image with 2 MiB clusters whose disk has this size, a multiple of 2^39 bytes. */
const farImage = async (name: string, size: bigint): Promise<void> => {
  const path = join(folder, name)
  await runHere('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=2M', path, '1T')
  const fd = openSync(path, 'r+')
  const field = Buffer.alloc(8)
  field.writeBigUInt64BE(size)
  writeSync(fd, field, 0, 8, 24)
  field.writeUInt32BE(Number(size >> 39n))
  writeSync(fd, field, 0, 4, 36)
  closeSync(fd)
}

const run = async (...lines: readonly (readonly string[])[]) =>
  (await runLines(lines.map((each) => ({ cwd: folder, words: each })))).map(({ status, stdout, stderr }) =>
    `${status} ${stdout}${stderr}`.replace(/ops; .*/, '').trim()
  )

const io = (image: string, ...lines: readonly string[]): readonly string[] => [
  'io',
  ...lines.flatMap((line) => ['-c', line]),
  image
]

const why = 'past 9007199254740991 bytes only multiples of 512 are supported'

test('an offset or a length that no number holds exactly is refused, and nothing is written', async () => {
  await farImage('a.qcow2', 2n ** 55n)
  const found = await run(
    io('a.qcow2', 'write -P 1 36028797018963001 10'),
    io('a.qcow2', 'write -P 1 9007199254740993 1'),
    io('a.qcow2', 'write -P 1 9007199254740990 512'),
    io('a.qcow2', 'write -P 1 36028797018963456 10'),
    io('a.qcow2', 'read 18014398509481985 512'),
    io('a.qcow2', 'alloc 18014398509481984 3'),
    ['read', 'a.qcow2', '36028797018963001', '10'],
    ['map', '-s', '36028797018963001', 'a.qcow2'],
    ['map', '-s', '36028797018963456', '-l', '10', 'a.qcow2']
  )
  assert.equal(found, [
    `1 36028797018963001: ${why}`,
    `1 9007199254740993: ${why}`,
    `1 9007199254740990 and 512 bytes: ${why}`,
    `1 36028797018963456 and 10 bytes: ${why}`,
    `1 18014398509481985: ${why}`,
    `1 18014398509481984 and 3 bytes: ${why}`,
    `1 qcow2: 36028797018963001 and 10 bytes: ${why}`,
    `1 qcow2: 36028797018963001: ${why}`,
    `1 qcow2: 36028797018963456 and 10 bytes: ${why}`
  ])
  const [mapped] = await run(['map', 'a.qcow2'])
  assert.is(mapped, '0 Offset          Length          Mapped to       File')
})

test('whole sectors are written, read and mapped with all digits of their offsets, as by QEMU', async () => {
  const size = 2n ** 57n
  await farImage('b.qcow2', size)
  const last = size - 2n ** 22n
  const found = await run(
    io(
      'b.qcow2',
      `write -P 7 ${last} 512`,
      `read -P 7 ${last} 512`,
      `write -P 3 ${2n ** 56n} 2M`,
      `discard ${2n ** 56n} 2M`
    ),
    ['map', '--output=json', 'b.qcow2']
  )
  const [lines = '', map = ''] = found
  assert.ok(lines.includes(`wrote 512/512 bytes at offset ${last}`), lines)
  assert.ok(lines.includes(`read 512/512 bytes at offset ${last}`), lines)
  assert.ok(map.includes(`"start": ${last}, "length": `), map)
  if (qemu === undefined) return
  const path = join(folder, 'b.qcow2')
  assert.is(execFileSync('qemu-img', ['map', '--output=json', path], { encoding: 'utf8' }).trim(), map.slice(2))
  const read = execFileSync('qemu-io', ['-c', `read -P 7 ${last} 512`, path], { encoding: 'utf8' })
  assert.match(read, 'read 512/512')
  assert.not.match(read, 'failed')
})

test('a write takes as many bytes of a file as it needs, also of one without an end', async () => {
  await runHere('create', '-q', '-f', 'qcow2', join(folder, 'c.qcow2'), '1M')
  const [found] = await run(
    io('c.qcow2', 'write -s /dev/urandom 0 64k', 'write -c -s /dev/zero 128k 64k', 'read -P 0 128k 64k')
  )
  assert.match(found ?? '', /^0 wrote 65536\/65536 bytes at offset 0\n[^]*wrote[^]*read 65536/)
})

test.run()
