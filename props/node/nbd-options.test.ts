/** `qcow2 nbd`: what each of its options changes for a client, and what is refused. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { cleanUp, json, main, place, qemuIo, serve, servePort, tool } from './nbd-server.js'

const test = suite('nbd options')
const withQemu = needsQemu(test)
test.after(cleanUp)

const refused = (...args: readonly string[]): string => {
  const done = spawnSync(process.execPath, [main, 'nbd', ...args], {
    encoding: 'utf8',
    cwd: place('.'),
    timeout: 20_000
  })
  assert.is(done.status, 1, args.join(' '))
  return done.stderr.replace(/^qcow2: /, '').trimEnd()
}

test('options that exclude each other, are out of range or are not known are refused by name', () => {
  writeFileSync(place('raw'), Buffer.alloc(4096))
  const cases: readonly (readonly [args: string, error: string])[] = [
    ['-k s -p 1 raw', '-k and -b or -p are mutually exclusive'],
    ['-p 0 raw', "Invalid port: '0' is not a number from 1 to 65535"],
    ['-e -1 raw', "Invalid number of clients: '-1' is not a number from 0 to 2147483647"],
    [`-k ${'x'.repeat(104)} raw`, 'the path of a socket has at most 103 bytes'],
    ['-f raw -l one raw', 'a raw file has no snapshots and no bitmaps: -l and -B need -f qcow2'],
    ['-f raw -B b raw', 'a raw file has no snapshots and no bitmaps: -l and -B need -f qcow2'],
    ['-l one -B b raw', '-l and -B are mutually exclusive'],
    [
      '--discard=ignore --detect-zeroes=unmap raw',
      'setting detect-zeroes to unmap is not allowed without setting discard operation to unmap'
    ],
    [`-f raw -x ${'x'.repeat(4097)} raw`, 'the name of an export has at most 4096 bytes'],
    [`-f raw -D ${'x'.repeat(4097)} raw`, 'a description has at most 4096 bytes']
  ]
  for (const [args, error] of cases) assert.is(refused(...args.split(' ')), error)
  assert.match(refused('--fork', 'raw'), "unknown option '--fork'")
})

withQemu('a snapshot, a raw file, a backing file elsewhere and an image by options are served', async () => {
  for (const name of ['else', 'own']) mkdirSync(place(name))
  tool('qemu-img', 'create', '-q', '-f', 'qcow2', 'else/base.qcow2', '1M')
  tool('qemu-io', '-c', 'write -P 1 0 64k', 'else/base.qcow2')
  tool('qemu-img', 'snapshot', '-c', 'one', 'else/base.qcow2')
  tool('qemu-io', '-c', 'write -P 2 0 64k', 'else/base.qcow2')
  tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', '../else/base.qcow2', '-F', 'qcow2', 'own/over.qcow2')
  const cases: readonly (readonly [args: readonly string[], line: string])[] = [
    [['-l', 'one', 'else/base.qcow2'], 'read -P 1 0 64k'],
    [['-f', 'raw', 'else/base.qcow2'], 'read -P 0x51 0 1'],
    [['--allow', 'else', 'own/over.qcow2'], 'read -P 2 0 64k'],
    [['--image-opts', 'driver=qcow2,file.filename=else/base.qcow2,read-only=on'], 'read -P 2 0 64k']
  ]
  for (const [args, line] of cases) {
    const server = await serve(...args)
    tool('qemu-io', '-r', '-f', 'raw', '-c', line, server.uri())
    assert.equal(await server.ended, [0, ''])
  }
  assert.match(refused('-k', 's', 'own/over.qcow2'), "it lies outside the image's folder")
  assert.match(refused('-k', 's', '-B', 'none', 'else/base.qcow2'), "has no bitmap 'none'")
})

withQemu('trims are ignored, and written zeros become zero clusters, where that is asked for', async () => {
  tool('qemu-img', 'create', '-q', '-f', 'qcow2', 'a.qcow2', '1M')
  const ignoring = await serve('-x', 'disk', '--discard', 'ignore', '--detect-zeroes', 'on', 'a.qcow2')
  qemuIo(ignoring.uri('disk'), 'write -P 1 0 128k', 'discard 0 64k', 'write -P 0 256k 64k', 'read -P 1 0 128k')
  await ignoring.ended
  const map = JSON.stringify(json('map', '--output=json', 'a.qcow2'))
  assert.match(map, /"start":0,"length":131072,"depth":0,"present":true,"zero":false,"data":true/)
  assert.match(map, /"start":262144,"length":65536,"depth":0,"present":true,"zero":true,"data":false/)
  const usual = await serve('a.qcow2')
  qemuIo(usual.uri(), 'discard 0 64k', 'read -P 0 0 64k')
  await usual.ended
})

withQemu('a port of the loopback serves as a socket does, and other addresses only if they are named', async () => {
  tool('qemu-img', 'create', '-q', '-f', 'qcow2', 'b.qcow2', '1M')
  const reaches = (host: string, port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, host)
      socket
        .on('error', () => resolve(false))
        .on('connect', () => {
          socket.destroy()
          resolve(true)
        })
    })
  const port = 20_000 + (process.pid % 10_000)
  for (const [args, elsewhere] of [
    [[], false],
    [['-b', '0.0.0.0'], true]
  ] as const) {
    const { child, ended } = servePort(...args, '-p', `${port}`, '-t', 'b.qcow2')
    for (let tries = 0; tries < 500 && !(await reaches('127.0.0.1', port)); tries++) await sleep(20)
    assert.is(await reaches('127.0.0.2', port), elsewhere)
    qemuIo(`nbd://127.0.0.1:${port}`, 'write 0 64k', 'read 0 64k')
    child.kill()
    assert.equal(await ended, [143, ''])
  }
})

test.run()
