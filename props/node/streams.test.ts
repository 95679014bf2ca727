/** Pipes and compressed files: the bytes are those of a conversion to a file, and temporary files are bounded and removed. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { suite } from '../run/suite.js'
import { runHere } from './outcome.js'

const test = suite('streams')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-streams-'))
const at = (name: string): string => join(folder, name)
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** Runs a line of the shell, in which `qcow2` is the command, in the folder; its error output and exit code. */
const shell = (line: string): readonly [code: number | null, errors: string] => {
  const script = `set -o pipefail; qcow2() { '${process.execPath}' '${main}' "$@"; }; ${line}`
  const { status, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: at('spools') }
  })
  assert.equal(readdirSync(at('spools')), [], line)
  return [status, stderr]
}

const succeeds = (line: string): void => {
  assert.equal(shell(line), [0, ''], line)
}

const fails = (line: string, why: string): void => {
  const [code, errors] = shell(line)
  assert.equal([code, errors.includes(why)], [1, true], `${line}: ${errors}`)
}

/** A zstd frame of blocks that are stored, or of one value each. */
const zstdOf = (blocks: readonly (Uint8Array | number)[], header: readonly number[] = [0, 0x38]): Uint8Array => {
  const parts = blocks.map((block, i) => {
    const isLast = i === blocks.length - 1 ? 1 : 0
    const [size, type, bytes] = typeof block === 'number' ? [block, 1, Uint8Array.of(7)] : [block.length, 0, block]
    const head = (size << 3) | (type << 1) | isLast
    return Buffer.concat([Uint8Array.of(head & 255, (head >> 8) & 255, head >> 16), bytes])
  })
  return Buffer.concat([Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...header), ...parts])
}

test.before(async () => {
  mkdirSync(at('spools'))
  await runHere('create', '-q', '-o', 'cluster_size=4k', at('a.qcow2'), '3000k')
  await runHere('io', '-c', 'write -q -P 5 3k 700k', '-c', 'write -q -c -P 6 1M 64k', at('a.qcow2'))
  await runHere('bitmap', '--add', at('a.qcow2'), 'b')
  await runHere('convert', at('a.qcow2'), at('raw'))
  const image = readFileSync(at('a.qcow2'))
  writeFileSync(at('a.gz'), gzipSync(image))
  const count = Math.ceil(image.length / 2 ** 17)
  const blocks = Array.from({ length: count }, (_, i) => image.subarray(i * 2 ** 17, (i + 1) * 2 ** 17))
  writeFileSync(at('a.zst'), zstdOf(blocks))
  const [head, tail] = [blocks.slice(0, 2), blocks.slice(2)]
  const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4)
  writeFileSync(at('frames.zst'), Buffer.concat([skippable, zstdOf(head), skippable, zstdOf(tail)]))
  writeFileSync(at('wide-later.zst'), Buffer.concat([zstdOf(head), zstdOf(tail, [0, 0xf8])]))
  writeFileSync(at('wide-content.zst'), Buffer.concat([zstdOf(head), zstdOf(tail, [0xa4, 0, 0, 0, 9])]))
  writeFileSync(at('bomb.gz'), gzipSync(Buffer.alloc(2 ** 24)))
  writeFileSync(at('bomb.zst'), zstdOf(Array.from({ length: 2 ** 15 }, () => 2 ** 17)))
})

test('a raw disk is written to standard output and to a pipe, front to back', () => {
  succeeds('qcow2 convert a.qcow2 - | cmp - raw')
  succeeds('qcow2 convert -S 0 a.qcow2 /dev/stdout | cmp - raw')
  succeeds('mkfifo fifo && { qcow2 convert a.qcow2 fifo & cmp fifo raw && wait $!; }')
  succeeds('qcow2 dd bs=1000 skip=3 if=a.qcow2 of=- | cmp - <(tail -c +3001 raw; head -c 440 /dev/zero)')
})

const hasPzstd = spawnSync('pzstd', ['--version'], { stdio: 'ignore' }).status === 0

/** Registers a test that runs zstd and pzstd; without them it is skipped. */
const withPzstd = (title: string, work: () => void): void =>
  hasPzstd ? test(title, work) : test.skip(title, 'there is no pzstd on the PATH')

withPzstd('what zstd and pzstd write, in one frame and in several, is read', () => {
  succeeds('head -c 20M /dev/zero | cat - a.qcow2 > long')
  for (const [command, name] of [
    ['pzstd -p 2', 'long'],
    ['zstd --no-check -19', 'raw']
  ])
    succeeds(
      `${command} -qkf ${name} && qcow2 convert -f raw --decompress ${name}.zst - | cmp - <(qcow2 convert -f raw ${name} -)`
    )
})

test('an image is written to a pipe when it is complete', () => {
  for (const options of ['', '-c --bitmaps'])
    succeeds(`qcow2 convert -O qcow2 ${options} a.qcow2 - | cat > out && qcow2 compare -q out a.qcow2`)
  fails('qcow2 convert -O qcow2 -B raw -F raw a.qcow2 - | cat', 'an image in a pipe names no other file')
  fails('qcow2 convert -O qcow2 -o data_file=d a.qcow2 - | cat', 'an image in a pipe names no other file')
})

test('a conversion into a pipe whose reader ends fails', () => {
  fails('qcow2 convert a.qcow2 - | true; (exit ${PIPESTATUS[0]})', "Could not write '-': broken pipe")
})

test('an image on standard input and in a pipe is read as the file is', () => {
  succeeds('cat a.qcow2 | qcow2 compare -q - a.qcow2')
  succeeds('qcow2 info - < a.qcow2 > /dev/null')
  succeeds('cat a.qcow2 | qcow2 convert /dev/stdin - | cmp - raw')
  succeeds('cat raw | qcow2 convert -f raw -O qcow2 - out && qcow2 compare -q out a.qcow2')
  succeeds('mkfifo in && { cat a.qcow2 > in & qcow2 compare -q in a.qcow2; }')
  fails(
    'cat a.qcow2 | qcow2 info --spool-limit 64k -',
    "Could not open '-': it has more than the 65536 bytes of --spool-limit"
  )
  fails('cat a.qcow2 | qcow2 io -c "write 0 512" -', "Could not open '-'")
})

test('gzip and zstd files are read with --decompress, up to the limit', () => {
  for (const name of ['a.gz', 'a.zst', 'frames.zst', 'a.qcow2'])
    succeeds(`qcow2 convert --decompress ${name} - | cmp - raw`)
  succeeds('cat a.gz | qcow2 convert --decompress - - | cmp - raw')
  for (const name of ['bomb.gz', 'bomb.zst'])
    fails(`qcow2 info --decompress --spool-limit 1M ${name}`, 'it has more than the 1048576 bytes of --spool-limit')
  fails('head -c 300 a.gz > cut.gz && qcow2 info --decompress cut.gz', "Could not open 'cut.gz'")
  fails('qcow2 info --decompress http://127.0.0.1:1/a', '--decompress is for files and pipes')
  for (const name of ['wide-later.zst', 'wide-content.zst'])
    fails(`qcow2 info --decompress ${name}`, 'its window has more than 134217728 bytes')
  fails('qcow2 info frames.zst', 'this is a zstd file')
  fails(
    `printf '\\xfd7zXZ\\0' > a.xz; qcow2 info --decompress a.xz`,
    'this is an xz file: decompress it first: xz -d -k'
  )
  fails(
    `printf '\\x28\\xb5\\x2f\\xfd\\x00\\xf8' > wide.zst; qcow2 info --decompress wide.zst`,
    'its window has more than'
  )
})

test.run()
