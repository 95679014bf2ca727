/** The command line: exit codes, one line for what went wrong, and nothing lost when a command fails. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { qemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'

const test = suite('command')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-command-'))
const place = (name: string): string => join(folder, name)

const run = (args: readonly string[], stdout: 'pipe' | number = 'pipe') => {
  const done = spawnSync(process.execPath, [main, ...args], { stdio: ['ignore', stdout, 'pipe'], maxBuffer: 2 ** 28 })
  return { code: done.status, out: String(done.stdout), error: String(done.stderr) }
}

const image = (name: string): string => {
  const path = place(`${name}.qcow2`)
  writeFileSync(path, load(name).image)
  return path
}

/** One line, of the command, with these words in it. */
const refused = (done: ReturnType<typeof run>, ...words: readonly string[]): void => {
  assert.is(done.code, 1, done.error)
  assert.match(done.error, /^qcow2: [^\n]+\n$/)
  for (const word of words) assert.ok(done.error.includes(word), `${word} in ${done.error}`)
}

test.after(() => {
  rmSync(folder, { recursive: true })
})

test('a file that is missing, a folder, a pipe, an empty file and no image are refused in one line', () => {
  const empty = place('empty')
  writeFileSync(empty, '')
  const text = place('text')
  writeFileSync(text, 'not an image\n'.repeat(100))
  refused(run(['info', place('missing')]), 'missing', 'no such file')
  refused(run(['info', folder]), 'is a directory')
  refused(run(['info', empty]), 'OPEN-01')
  refused(run(['info', text]), 'magic', 'OPEN-01')
  refused(run(['dump', place('missing')]), 'no such file')
  const pipe = place('pipe')
  spawnSync('mkfifo', [pipe])
  refused(run(['resize', pipe, '1M']), 'is not a regular file')
  refused(run(['explain', folder, '0']), 'is a directory')
})

test('unknown commands and options are refused', () => {
  refused(run(['frobnicate']), 'frobnicate')
  refused(run(['info']), 'image')
  refused(run(['info', '--output=xml', 'x']), 'xml')
  refused(run(['explain', 'x', 'twelve']), 'Invalid offset specified')
  assert.is(run(['--help']).code, 0)
  assert.match(
    run(['check', '--help']).out,
    /^Usage: qcow2 check [^]*\n\nAccepted for compatibility, ignored: -T, --cache <mode>\n$/
  )
  assert.match(
    run(['--version']).out,
    /^qcow2 \d+\.\d+\.\d+\nlast compared with QEMU 7\.2\.\d+, 10\.\d+\.\d+, 11\.\d+\.\d+\n$/
  )
})

test('an image that is refused is described, and the clause is named', () => {
  const done = run(['info', '--output=json', image('broken-incompatible-bit-5')])
  refused(done, 'FEAT-01')
  assert.match(done.out, '"virtual-size"')
})

test('a full disk prints one error', () => {
  const full = openSync('/dev/full', 'w')
  const commands = [
    ['dump', image('case-01-empty-v3')],
    ['--help'],
    ['--version'],
    ['info', '--help'],
    ['help', 'info']
  ]
  for (const done of commands.map((args) => run(args, full))) refused(done, 'no space left')
  closeSync(full)
})

test('a dump that cannot be assembled leaves the image as it was, and nothing beside it', () => {
  const target = image('case-01-empty-v3')
  const before = readFileSync(target)
  const dump = place('dump.json')
  const text = run(['dump', '--data=inline', target]).out
  const files = readdirSync(folder).length
  const attempt = (edited: string, ...words: readonly string[]): void => {
    writeFileSync(dump, edited)
    refused(run(['assemble', dump, target]), ...words)
    assert.ok(before.equals(readFileSync(target)))
  }
  attempt(text.replace('"cluster_bits":16,"size"', '"cluster_bits":"x","size"'), 'cluster_bits', 'not u32')
  attempt(text.replace('"structure":"L1 table"', '"structure":"L9 table"'), 'L9 table')
  attempt(text.slice(0, 100), 'JSON')
  attempt(text.replace(/"file_length":\d+/, '"file_length":70000'), 'file_length')
  attempt('[]', 'is not a dump')
  const twice = text.replace('"regions":[\n', '"regions":[\n{"at":0,"structure":"backing file name","value":"xyz"},\n')
  attempt(twice, 'another region has a different byte')
  assert.is(readdirSync(folder).length, files + 1)
  writeFileSync(dump, text)
  assert.is(run(['assemble', dump, target]).code, 0)
  assert.ok(before.equals(readFileSync(target)))
})

test('dump and explain of a file that is no qcow2 image name what it is', () => {
  const path = join(folder, 'notes.txt')
  writeFileSync(path, 'no image at all')
  for (const name of ['dump', 'explain']) {
    const { code, error } = run([name, path])
    assert.is(code, 0)
    assert.is(
      error,
      `qcow2: warning: '${path}' is not a qcow2 image [OPEN-01]; this is a text file: if it is a raw disk, convert -f raw takes it as it is\n`
    )
  }
})

test('explain answers for every byte, and says when there is none', () => {
  const path = image('case-45-subclusters-shared')
  assert.match(run(['explain', path, '0x10']).out, 'backing_file_size')
  assert.match(run(['explain', path, '--output=json', '64k']).out, '"refcount table"')
  refused(run(['explain', path, '1G']), 'is past the end of')
})

test('guest bytes are read, copied and compared', () => {
  const path = image('case-45-subclusters-shared')
  const raw = place('disk.raw')
  assert.is(run(['convert', path, raw]).code, 0)
  const again = readFileSync(raw)
  assert.is(run(['read', path, '0', String(again.length)]).out.length > 0, true)
  assert.is(run(['compare', path, path]).code, 0)
  assert.is(run(['compare', path, image('case-01-empty-v3')]).code, 1)
  assert.is(run(['compare', path, place('missing')]).code, 2)
  refused(run(['read', path, '1G', '512']), 'past the end of the disk')
  refused(run(['convert', image('broken-deflate-short'), raw]), 'CMP-09')
  assert.ok(again.equals(readFileSync(raw)))
  refused(run(['convert', '-l', 'nobody', path, raw]), 'no snapshot')
})

test('a backing file is opened only by a plain name in the folder of the image, in a format that is named', () => {
  const { files } = load('case-15-backing-smaller')
  const inner = mkdtempSync(join(folder, 'inner-'))
  for (const [name, bytes] of files) writeFileSync(join(inner, name), bytes)
  const path = join(inner, 'img.qcow2')
  assert.is(run(['map', path]).code, 0)
  const outside = join(mkdtempSync(join(folder, 'other-')), 'img.qcow2')
  const dump = place('overlay.json')
  writeFileSync(
    dump,
    run(['dump', '--data=inline', path]).out.replace('"value":"base.qcow2"', `"value":"../${'b'.repeat(7)}"`)
  )
  assert.is(run(['assemble', dump, outside]).code, 0)
  refused(run(['map', outside]), 'outside')
  refused(run(['map', image('case-17-backing-without-format')]), 'BACK-05')
})

test('a bitmap is printed as ranges: the dirty ones as text, all as JSON', () => {
  const path = image('case-54-bitmaps')
  assert.is(run(['map', '--bitmap', 'b0', path]).out, 'Offset          Length\n0x100000        0x20000\n')
  assert.equal(JSON.parse(run(['map', '--bitmap=b2', '--output=json', path]).out), [
    { start: 0, length: 2 ** 21, dirty: true },
    { start: 2 ** 21, length: 2 ** 23, dirty: false }
  ])
  refused(run(['map', '--bitmap', 'b3', path]), "no bitmap 'b3'")
  refused(run(['map', '--bitmap', 'b0', '--snapshot', 's', path]), 'mutually exclusive')
  refused(run(['map', '--bitmap', 'b0', image('case-56-bitmap-in-use')]), 'BMP-09')
  refused(run(['map', '--bitmap', 'b0', image('broken-bitmap-type-2')]), 'type', 'BMP-02')
})

test('the VM state of a snapshot is read, and --vm-state needs -l', () => {
  const path = image('case-52-vm-state')
  const fd = openSync(path, 'r+')
  const table = Number(new DataView(new Uint8Array(load('case-52-vm-state').image).buffer).getBigUint64(64))
  writeSync(fd, Uint8Array.of(0, 0, 0, 0, 0, 2, 0, 0), 0, 8, table + 40)
  closeSync(fd)
  assert.is(run(['read', '--vm-state', '-l', 'vm', path, '64k', '5']).out, '\x07'.repeat(5))
  refused(run(['read', '--vm-state', '-l', 'vm', path, '0', '131073']), 'past the end of the VM state (131072 bytes)')
  refused(run(['read', '--vm-state', path, '0', '1']), '-l')
})

test('a check needs the data file beside the image, and sees where it ends', () => {
  const { files } = load('case-37-data-file')
  const inner = mkdtempSync(join(folder, 'data-'))
  const path = join(inner, 'img.qcow2')
  const data = join(inner, 'img.raw')
  for (const [name, bytes] of files) writeFileSync(join(inner, name), bytes)
  assert.is(run(['check', path]).code, 0)
  truncateSync(data, 4096)
  const short = run(['check', '--strict', path])
  assert.is(short.code, 2)
  assert.match(short.out, /FLAW L2 entry host_cluster_offset at byte \d+: .* \[DATA-01\], guest bytes \d+ to \d+\n/)
  rmSync(data)
  refused(run(['check', path]), path, 'img.raw', 'no such file')
  refused(run(['check', image('broken-data-file-missing')]), 'DATA-02')
})

test('a check prints a line for each finding, says how many it leaves out, and counts them all', () => {
  const path = image('broken-l2-copied-alone')
  const fd = openSync(path, 'r+')
  const entry = Buffer.from('8000000000100000', 'hex')
  for (let i = 0; i < 120; i++) writeSync(fd, entry, 0, 8, 0x4100 + 8 * i)
  closeSync(fd)
  const { code, out } = run(['check', path])
  assert.is(code, 2)
  const lines = out.split('\n')
  assert.is(lines.filter((line) => line.includes('[CHK-02]') && line.startsWith('ERROR data cluster')).length, 100)
  assert.ok(lines.includes('... and 20 more of [CHK-02]'))
  assert.ok(lines.includes('240 errors were found on the image.'))
  assert.ok(lines.includes('Flaws, which QEMU does not look at and --strict counts as errors: 1'))
  assert.match(run(['check', '--output=json', path]).out, '"CHK-02": 20')
})

test('a deep check decodes compressed clusters, which a plain one leaves alone', () => {
  const path = image('broken-zstd-short')
  assert.is(run(['check', '--strict', path]).code, 0)
  const found = run(['check', '--deep', path])
  assert.is(found.code, 0)
  assert.match(found.out, 'FLAW compressed cluster at byte 20480: found')
  assert.is(run(['check', '--deep', '--strict', path]).code, 2)
})

test('control characters in names are printed as escapes', () => {
  const path = place('steering.qcow2')
  assert.is(run(['create', '-q', '-u', '-b', '\x1b[31mred', '-F', 'qcow2', path, '1M']).code, 0)
  assert.match(run(['info', path]).out, /backing file: \\u001b\[31mred/)
  refused(run(['map', path]), '\\u001b[31mred')
})

test('a dump without an end is refused', () => {
  refused(
    run(['assemble', '/dev/zero', place('endless.qcow2')]),
    "Could not read the dump '/dev/zero': what is no regular file has more than 134217728 characters"
  )
})

test('a file of 2 GiB with holes assembles from its dump', () => {
  const path = place('large.qcow2')
  writeFileSync(path, load('case-01-empty-v3').image)
  truncateSync(path, 2 ** 31)
  const fd = openSync(path, 'r+')
  for (const at of [2 ** 20, 2 ** 30 + 12_345, 2 ** 31 - 1]) writeSync(fd, new Uint8Array(1).fill(0xa5), 0, 1, at)
  closeSync(fd)
  const dump = place('large.json')
  const out = openSync(dump, 'w')
  assert.is(run(['dump', '--data=inline', path], out).code, 0)
  closeSync(out)
  const copy = place('copy.qcow2')
  assert.is(run(['assemble', dump, copy]).code, 0)
  const compared = spawnSync('cmp', [path, copy], { encoding: 'utf8' })
  assert.is(compared.status, 0, compared.stdout)
})

test('a closed pipe is no error, and the command is carried out to its end', () => {
  const path = image('case-01-empty-v3')
  const pipe = place('unread')
  spawnSync('mkfifo', [pipe])
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  const unread = openSync(pipe, constants.O_WRONLY)
  closeSync(reader)
  const withoutReader = (...args: readonly string[]): readonly unknown[] => {
    const { code, error } = run(args, unread)
    return [code, error]
  }
  for (const args of [['info'], ['check'], ['map'], ['dump'], ['read', '0', '512']])
    assert.equal(withoutReader(args[0] ?? '', path, ...args.slice(1)), [0, ''], args[0])
  assert.equal(withoutReader('io', '-c', 'read -v 0 64k', '-c', 'write -P 7 64k 64k', path), [0, ''])
  closeSync(unread)
  assert.is(run(['io', '-r', '-c', 'read -P 7 64k 64k', path]).code, 0)
})

test('a crash or a signal leaves a sound image, and ends the program as it ends qemu-io', () => {
  const path = image('case-01-empty-v3')
  for (const [line, signal] of [
    ['abort', 'SIGABRT'],
    ['sigraise 9', 'SIGKILL']
  ] as const) {
    const args = ['io', '-c', 'write 0 64k', '-c', 'flush', '-c', line, '-c', 'write 64k 64k', path]
    assert.is(spawnSync(process.execPath, [main, ...args]).signal, signal)
    assert.is(run(['io', '-r', '-c', 'read -P 0xcd 0 64k', '-c', 'read -P 0 64k 64k', path]).code, 0)
    assert.ok([0, 3].includes(run(['check', path]).code ?? 1))
  }
  for (const mode of ['writethrough', 'directsync'])
    for (const through of [
      ['-t', mode, path],
      ['-c', `open -t ${mode} ${path}`],
      ['-c', `open ${path}`, '-c', `reopen -c ${mode}`]
    ]) {
      const args = ['io', ...through, '-c', 'write -P 8 0 64k', '-c', 'sigraise 9']
      assert.is(spawnSync(process.execPath, [main, ...args]).signal, 'SIGKILL')
      assert.is(run(['io', '-c', 'read -P 8 0 64k', '-c', 'write -P 9 0 64k', path]).code, 0, through.join(' '))
    }
  assert.is(run(['io', '-c', 'sigraise 0', path]).code, 0)
  assert.is(run(['io', '-c', 'sigraise 99', path]).code, 1)
})

test('what io writes with -s is read there, and is gone at the end', () => {
  const path = image('case-01-empty-v3')
  const before = readFileSync(path)
  const lines = ['-c', 'write -P 8 0 64k', '-c', 'read -P 8 0 64k', '-c', 'read -P 0 64k 64k']
  for (const words of [
    ['-s', ...lines, path],
    ['-c', `open -s ${path}`, ...lines],
    ['-s', '-d', 'ignore', '-c', 'write -P 8 0 64k', '-c', 'discard 0 64k', '-c', 'read -P 8 0 64k', path],
    ['-s', '-f', 'raw', '-c', 'write -P 8 0 64k', '-c', 'read -P 8 0 64k', path]
  ]) {
    const { code, error } = run(['io', ...words])
    assert.equal([code, error], [0, ''], words.join(' '))
    assert.ok(readFileSync(path).equals(before), words.join(' '))
  }
  assert.equal(
    readdirSync(tmpdir()).filter((name) => name.endsWith('.overlay')),
    []
  )
  assert.match(run(['io', '-s', '-c', 'reopen -r', path]).error, 'opened with -s')
})

test('io -C and its line open -C read from writable images only, and write nothing that these hold', () => {
  const path = image('case-01-empty-v3')
  const before = readFileSync(path)
  const refused = "Can't use copy-on-read on read-only device"
  assert.match(run(['io', '-C', '-r', path]).error, refused)
  assert.match(run(['io', '-c', `open -C -r ${path}`]).error, refused)
  assert.match(run(['io', '-C', '-c', 'reopen -r', path]).error, 'to r/o with copy-on-read enabled')
  assert.is(run(['io', '-C', '-s', '-c', 'read 0 512', path]).code, 0)
  assert.is(run(['io', '-C', '-f', 'raw', '-c', 'read 0 512', path]).code, 0)
  assert.ok(readFileSync(path).equals(before))
  const compressed = join(folder, 'compressed.qcow2')
  run(['create', '-q', compressed, '64k'])
  run(['io', '-c', 'write -c -P 5 0 64k', compressed])
  assert.is(run(['io', '-C', '-c', 'read -P 5 0 64k', compressed]).code, 0)
  assert.match(run(['check', compressed]).out, '100.00% compressed clusters')
  assert.match(run(['io', '-c', `open -C ${path}`, '-c', 'read 0 512', '-c', 'alloc 0 64k']).out, '65536/65536 bytes')
})

test('SIGUSR1 has no effect, whoever sends it, as in qemu-io, and no debugger listens', async () => {
  const path = image('case-01-empty-v3')
  const raised = ['-c', 'sigraise 10', '-c', 'length', path]
  const done = run(['io', ...raised])
  assert.equal([done.code, done.error], [0, ''])
  if (qemu !== undefined) assert.is(done.out, spawnSync('qemu-io', raised, { encoding: 'utf8' }).stdout)
  const child = spawn(process.execPath, [main, 'io', path], { stdio: 'pipe' })
  const error: Buffer[] = []
  child.stderr.on('data', (bytes: Buffer) => error.push(bytes))
  const answer = async (line: string): Promise<void> => {
    child.stdin.write(`${line}\n`)
    await once(child.stdout, 'data')
  }
  await answer('length')
  child.kill('SIGUSR1')
  await answer('length')
  // What Node says when it opens the port comes from another thread, at the end at the latest.
  child.stdin.end()
  assert.equal(await once(child, 'close'), [0, null])
  assert.is(Buffer.concat(error).toString(), '')
})

test.run()
