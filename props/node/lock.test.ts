/** Locks: an image has one writer, of ours or QEMU's, and readers that do not mind. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { get, using } from '../../src/node/command-error.js'
import { lockImage } from '../../src/node/images/locked-image.js'
import { openChain } from '../../src/node/images/open.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { messageOf, valueOf } from './outcome.js'

const test = suite('lock')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-lock-'))

test.after(() => {
  rmSync(folder, { recursive: true })
})

const write = (name: string): string => {
  const path = join(folder, name)
  writeFileSync(path, load('case-01-empty-v3').image)
  return path
}

/** Why an image cannot be locked; empty where it can. */
const refusal = (path: string): Promise<string> =>
  messageOf(
    using(lockImage(path), function* () {
      yield* get(E.right(undefined))
    })
  )

/** Leaves it open and waits until it is. */
const qemuIo = async (...args: readonly string[]) => {
  const child = spawn('qemu-io', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  await Promise.race([once(child.stdout, 'data'), once(child, 'close')])
  assert.is(child.exitCode, null, `qemu-io ${args.join(' ')} has ended`)
  return async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once('close', resolve))
    child.stdin.end()
    await gone
  }
}

test('an image has one writer at a time, and readers beside it', async () => {
  const path = write('twice.qcow2')
  const first = await valueOf(lockImage(path))
  assert.match(
    await refusal(path),
    /^Could not open '.*twice\.qcow2': Failed to get "write" lock. Is another process using the image \[.*twice\.qcow2\]\?$/
  )
  const reader = await valueOf(openChain(path))
  reader.close()
  assert.match(await refusal(path), /Failed to get "write" lock/)
  first.close()
  assert.is(await refusal(path), '')
})

test('an image that another process uses is not replaced', async () => {
  const path = write('kept.qcow2')
  const first = await valueOf(lockImage(path))
  for (const args of [
    ['create', '-q', path, '1M'],
    ['create', '-q', '-f', 'raw', path, '1M'],
    ['convert', path, path],
    ['convert', '-O', 'qcow2', path, path]
  ]) {
    const done = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
    assert.is(done.status, 1, args.join(' '))
    assert.match(done.stderr, /Failed to get (shared )?"write" lock/)
  }
  first.close()
  assert.equal(readFileSync(path), Buffer.from(load('case-01-empty-v3').image))
  assert.is(spawnSync(process.execPath, [main, 'create', '-q', path, '1M']).status, 0)
  assert.equal(
    readdirSync(folder).filter((name) => name.includes('partial')),
    []
  )
})

test('an external data file is locked with its image', async () => {
  const { files } = load('case-37-data-file')
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
  const [image, other] = [join(folder, 'img.qcow2'), join(folder, 'other.qcow2')]
  copyFileSync(image, other)
  const held = await valueOf(lockImage(image))
  assert.match(await refusal(other), /img\.raw': Failed to get/)
  held.close()
  assert.is(await refusal(other), '')
})

needsQemu(test)('an image that QEMU has open is not changed, unless it reads by force', async () => {
  const path = write('theirs.qcow2')
  const before = readFileSync(path)
  for (const [args, locked] of [
    [[path], true],
    [['-r', path], true],
    [['-U', '-r', path], false]
  ] as const) {
    const close = await qemuIo(...args)
    assert.is((await refusal(path)).includes('Failed to get "write" lock'), locked, args.join(' '))
    await close()
  }
  assert.is(await refusal(path), '')
  assert.ok(before.equals(readFileSync(path)))
})

needsQemu(test)('QEMU neither writes nor reads an image that is being changed, unless by force', async () => {
  const path = write('ours.qcow2')
  const held = await valueOf(lockImage(path))
  const codes = (): readonly (number | null)[] => [
    spawnSync('qemu-io', ['-c', 'write 0 512', path]).status,
    spawnSync('qemu-img', ['info', path]).status,
    spawnSync('qemu-img', ['info', '-U', path]).status
  ]
  assert.equal(codes(), [1, 1, 0])
  const said = String(spawnSync('qemu-io', ['-c', 'write 0 512', path]).stderr)
  assert.match(said, /Is another process using the image/)
  held.close()
  assert.equal(codes(), [0, 0, 0])
})

/** Runs the command as another process. */
const ours = (...args: readonly string[]) => {
  const { status, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
  return { status, stderr }
}

/** An image with a bitmap, one over it, and the commands that read the image, or both; `-U` is left to add to each. */
const readers = (): {
  readonly image: string
  readonly overlay: string
  readonly commands: readonly (readonly string[])[]
} => {
  const [image, overlay] = [join(folder, 'read.qcow2'), join(folder, 'over.qcow2')]
  for (const args of [
    ['create', '-q', image, '1M'],
    ['bitmap', '--add', image, 'b'],
    ['create', '-q', '-b', 'read.qcow2', '-F', 'qcow2', overlay]
  ])
    assert.is(ours(...args).status, 0)
  return {
    image,
    overlay,
    commands: [
      ['info', image],
      ['info', '--backing-chain', overlay],
      ['check', image],
      ['map', image],
      ['map', overlay],
      ['snapshot', '-l', image],
      ['convert', overlay, join(folder, 'copy')],
      ['compare', overlay, image],
      ['map', '--bitmap', 'b', image],
      ['dump', image],
      ['metadump', image, join(folder, 'copy')],
      ['explain', image],
      ['read', overlay, '0', '1'],
      ['io', '-r', '-c', 'read 0 512', overlay]
    ]
  }
}

/** How many of the commands qemu-img has too. */
const shared = 8

const refused = (image: string, lock: string): RegExp =>
  new RegExp(`Could not open '${image}': Failed to get ${lock} lock. Is another process using the image .${image}.\\?`)

test('an image that another process writes is not read, unless by force', async () => {
  const { image, overlay, commands } = readers()
  const held = await valueOf(lockImage(image))
  for (const args of commands) {
    const done = ours(...args)
    assert.match(done.stderr, refused(image, 'shared "write"'), args.join(' '))
    assert.is(done.status, args[0] === 'compare' ? 2 : 1)
    assert.equal(ours(...args, '-U'), { status: 0, stderr: '' }, args.join(' '))
  }
  const other = write('other.qcow2')
  for (const args of [
    ['bitmap', '--add', '--merge', 'b', '-b', image, other, 'c'],
    ['rebase', '-b', image, '-F', 'qcow2', other],
    ['commit', overlay]
  ])
    assert.match(ours(...args).stderr, refused(image, 'shared "write"'), args.join(' '))
  assert.match(ours('check', '-r', 'all', image).stderr, refused(image, '"write"'))
  assert.match(ours('check', '-U', '-r', 'all', image).stderr, 'can only be used without -r')
  for (const args of [
    ['info', '-f', 'raw', image],
    ['info', overlay],
    ['info', '--image-opts', `driver=qcow2,file.filename=${image},force-share=on`]
  ])
    assert.is(ours(...args).status, 0, args.join(' '))
  held.close()
  assert.is(ours('info', image).status, 0)
})

needsQemu(test)('what QEMU writes is refused here where qemu-img refuses it, in its words', async () => {
  const { image, overlay, commands } = readers()
  const close = await qemuIo(image)
  for (const args of [...commands.slice(0, shared), ['info', overlay], ['info', '-f', 'raw', image]]) {
    const there = spawnSync('qemu-img', args, { encoding: 'utf8' })
    const here = ours(...args)
    assert.is(here.status, there.status, `${args.join(' ')}\n${here.stderr}${there.stderr}`)
    for (const words of ['Failed to get shared "write" lock', `Is another process using the image [${image}]?`])
      assert.is(here.stderr.includes(words), there.stderr.includes(words), here.stderr)
    const [command = '', ...rest] = args
    assert.is(ours(command, '-U', ...rest).status, 0, args.join(' '))
  }
  await close()
  assert.is(ours('info', image).status, 0)
})

needsQemu(test)('QEMU does not write what is being read here, unless that is by force', async () => {
  const { image, overlay } = readers()
  const codes = (path: string): readonly (number | null)[] => [
    spawnSync('qemu-io', ['-c', 'write 0 512', path]).status,
    spawnSync('qemu-io', ['-r', '-c', 'read 0 512', path]).status
  ]
  const reader = await valueOf(openChain(overlay))
  assert.equal(
    [codes(image), codes(overlay)],
    [
      [1, 0],
      [1, 0]
    ]
  )
  const said = String(spawnSync('qemu-io', ['-c', 'write 0 512', image]).stderr)
  assert.match(said, 'Failed to get "write" lock')
  reader.close()
  const forced = await valueOf(openChain(overlay, { allow: [], forceShare: true }))
  assert.equal(codes(image), [0, 0])
  forced.close()
})

needsQemu(test)('a data file may be written by QEMU beside its readers, and not resized, as beside QEMU', async () => {
  for (const [name, bytes] of load('case-37-data-file').files) writeFileSync(join(folder, name), bytes)
  const [image, data] = [join(folder, 'img.qcow2'), join(folder, 'img.raw')]
  const codes = () => [
    spawnSync('qemu-io', ['-f', 'raw', '-c', 'write 0 512', data]).status,
    spawnSync('qemu-img', ['resize', '-f', 'raw', data, '+1M']).status
  ]
  const reader = await valueOf(openChain(image))
  assert.equal(codes(), [0, 1])
  reader.close()
})

/** Options of Node by which a package cannot be loaded. */
const without = (name: string): string => {
  const resolve = `export const resolve=(s,c,next)=>{if(s==='${name}')throw new Error('it is missing');return next(s,c)}`
  const hooks = `import{register}from'node:module';register('data:text/javascript,'+encodeURIComponent(${JSON.stringify(resolve)}))`
  return `--import=data:text/javascript,${encodeURIComponent(hooks)}`
}

test('without koffi images are read, with a note that there are no locks, and are not written', () => {
  const { image, overlay, commands } = readers()
  const before = readFileSync(image)
  const node = (...args: readonly string[]) =>
    spawnSync(process.execPath, [without('koffi'), main, ...args], { encoding: 'utf8' })
  const note = 'qcow2: note: the package koffi does not load, so that there are no locks: it is missing\n'
  for (const args of commands) {
    rmSync(join(folder, 'copy'), { force: true })
    const { status, stderr } = node(...args)
    assert.equal([status, stderr], [0, note], args.join(' '))
  }
  for (const args of [
    ['io', '-c', 'write 0 512', image],
    ['snapshot', '-c', 's', image],
    ['resize', image, '2M'],
    ['bitmap', '--remove', image, 'b'],
    ['amend', '-o', 'lazy_refcounts=on', image],
    ['commit', overlay],
    ['check', '-r', 'all', image]
  ]) {
    const { status, stderr } = node(...args)
    assert.is(status, 1)
    assert.match(stderr, `qcow2: Could not lock '${image}': the package koffi does not load: it is missing\n`)
  }
  assert.ok(before.equals(readFileSync(image)))
})

test.run()
