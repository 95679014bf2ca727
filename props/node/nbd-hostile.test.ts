/** `qcow2 nbd` with clients that do not keep to the protocol, and servers that are killed. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { suite } from '../run/suite.js'
import { Client } from './nbd-client.js'
import { cleanUp, main, place, serve, serveAt, type Server, stop } from './nbd-server.js'
import { needsStrace } from './strace.js'

const test = suite('nbd hostile')
test.after(cleanUp)

const [read, write, flush, trim, writeZeroes] = [0, 1, 3, 4, 6]

const qcow2 = (...args: readonly string[]): string => {
  const done = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: place('.') })
  assert.ok(done.status === 0 || done.status === 3, `${args.join(' ')}: ${done.stdout}${done.stderr}`)
  return done.stdout
}

test.before(() => void qcow2('create', '-q', '-o', 'cluster_size=4k', 'new.qcow2', '64M'))

/** Makes an image of 64 MiB in which nothing is written. */
const create = (name: string): void => {
  copyFileSync(place('new.qcow2'), place(name))
}

/** Whether a client that keeps to the protocol is served. */
const isServed = async ({ socket }: Server): Promise<boolean> => {
  const client = await (await Client.open(socket)).enter()
  const error = await client.ask(read, 0, 512)
  const bytes = await client.take(512)
  client.leave()
  return error === 0 && bytes.length === 512
}

needsStrace(test)('a connection that cannot be accepted ends no server', async () => {
  create('a.qcow2')
  const socket = place('accept.sock')
  const traced = ['-f', '-o', '/dev/null', '-e', 'trace=accept4', '-e', 'inject=accept4:error=EPERM:when=1']
  const child = spawn('strace', [...traced, process.execPath, main, 'nbd', '-k', socket, place('a.qcow2')])
  const ended = once(child, 'exit')
  while (child.exitCode === null && !existsSync(socket)) await sleep(5)
  const client = await (await Client.open(socket)).enter()
  assert.is(await client.ask(flush, 0, 0), 0)
  client.leave()
  await ended
  assert.is(child.exitCode, 0)
})

test('a client that does not keep to the protocol is disconnected or gets an error; others are served', async () => {
  create('a.qcow2')
  const server = await serve('-t', '-e', '0', 'a.qcow2')
  const began = performance.now()
  const stalled = await Client.open(server.socket)
  const silent = await Client.open(server.socket)
  await silent.greet()
  silent.option(7, Buffer.alloc(4), 100)

  const disconnected: readonly (readonly [why: string, flags: number, act: (client: Client) => unknown])[] = [
    ['unknown flags', 0xffffffff, () => undefined],
    ['noise', 0xa5a5a5a5, (client) => client.socket.write(Buffer.alloc(100_000, 0xa5))],
    ['another magic', 3, (client) => client.option(3, Buffer.alloc(0), 0, 1n)],
    ['an option of 4 GiB', 3, (client) => client.option(6, Buffer.alloc(9), 2 ** 32 - 1)],
    ['another export', 3, (client) => client.option(1, Buffer.from('x'))],
    ['options without the fixed newstyle', 0, (client) => client.option(3)]
  ]
  for (const [why, flags, act] of disconnected) {
    const client = await Client.open(server.socket)
    await client.greet(flags)
    act(client)
    assert.ok(await client.isClosed(), why)
  }

  const client = await (await Client.open(server.socket)).enter()
  const size = 64 * 2 ** 20
  const errors: readonly (readonly [error: number, ...Parameters<Client['ask']>])[] = [
    [22, read, 0, 2 ** 32 - 1],
    [22, read, size - 511, 512],
    [22, read, 2n ** 64n - 1n, 2 ** 25],
    [28, write, size, 512, Buffer.alloc(512)],
    [28, writeZeroes, 1, size],
    [22, trim, size, 2 ** 32 - 1],
    [22, 7, 0, 4096],
    [22, 8, 0, 0],
    [22, 42, 0, 0],
    [22, flush, 0, 0, Buffer.alloc(0), 0x8000],
    [0, read, 0, 0],
    [0, flush, 0, 0]
  ]
  for (const [error, ...request] of errors) assert.is(await client.ask(...request), error, String(request[0]))
  client.request(write, 0, 2 ** 32 - 1)
  assert.is(await client.reply(), 22)
  assert.ok(await client.isClosed())
  const cut = await (await Client.open(server.socket)).enter()
  cut.request(write, 0, 2 ** 20, Buffer.alloc(1000, 1))
  cut.socket.end()
  assert.ok(await cut.isClosed())
  assert.ok(await isServed(server))

  // Two GiB of replies that nobody reads.
  const deaf = await (await Client.open(server.socket)).enter()
  deaf.socket.pause()
  for (let i = 0; i < 64; i++) deaf.request(read, 0, 2 ** 25)
  assert.ok(await isServed(server))
  const status = readFileSync(`/proc/${server.child.pid ?? 0}/status`, 'latin1')
  assert.ok(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) < 400_000, status)

  await silent.take(18)
  assert.ok((await stalled.take(18)).length === 18)
  assert.ok((await stalled.isClosed()) && (await silent.isClosed()))
  const waited = performance.now() - began
  assert.ok(waited > 9_000 && waited < 25_000, String(waited))
  assert.equal(await stop(server), [143, ''])
  assert.is(qcow2('read', 'a.qcow2', '0', '1M'), '\0'.repeat(2 ** 20))
})

test('further clients wait for their turn, which comes when one leaves', async () => {
  create('b.qcow2')
  const server = await serve('-t', '-e', '2', 'b.qcow2')
  const [one, two, three] = [
    await (await Client.open(server.socket)).enter(),
    await (await Client.open(server.socket)).enter(),
    await Client.open(server.socket)
  ]
  assert.is(await one.ask(write, 0, 512, Buffer.alloc(512, 5)), 0)
  assert.is(await two.ask(read, 0, 512), 0)
  assert.is((await two.take(512)).at(-1), 5)
  await sleep(50)
  assert.not.ok(three.hasMore)
  two.leave()
  await three.enter()
  assert.is(await three.ask(read, 0, 512), 0)
  three.leave()
  one.leave()
  await stop(server)
})

test('a server ends with its last client, which is one that has negotiated', async () => {
  create('c.qcow2')
  const server = await serve('c.qcow2')
  const knocking = await Client.open(server.socket)
  await knocking.take(18)
  knocking.leave()
  const client = await (await Client.open(server.socket)).enter()
  assert.is(await client.ask(write, 4096, 512, Buffer.alloc(512, 6)), 0)
  client.leave()
  assert.equal(await server.ended, [0, ''])
  assert.is(Buffer.from(qcow2('read', 'c.qcow2', '4096', '1')).at(0), 6)
})

test('the socket of a server that listens is not taken, that of one that is gone is, and a file stays', async () => {
  create('d.qcow2')
  create('e.qcow2')
  const server = await serve('-t', 'd.qcow2')
  const attempt = (path: string): string => {
    const args = [main, 'nbd', '-k', path, 'e.qcow2']
    const done = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: place('.') })
    assert.is(done.status, 1)
    return done.stderr
  }
  assert.is(attempt(server.socket), `qcow2: Could not listen on '${server.socket}': another server listens there\n`)
  assert.ok(await isServed(server))
  await stop(server, 'SIGKILL')
  const next = await serveAt(server.socket, '-t', 'd.qcow2')
  assert.ok(await isServed(next))
  await stop(next)
  writeFileSync(place('file'), 'kept')
  assert.is(attempt('file'), "qcow2: Could not listen on 'file': the file exists, and is not a socket\n")
  assert.is(readFileSync(place('file'), 'latin1'), 'kept')
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const args = [main, 'nbd', '-p', `${port}`, place('e.qcow2')]
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  other.close()
  assert.is(stderr, `qcow2: Could not listen on '127.0.0.1:${port}': another server listens there\n`)
})

test('after kill -9 at any moment the image has every write before an answered flush, and is sound', async () => {
  const blockSize = 6000
  for (const answers of [6, 13, 77]) {
    create('k.qcow2')
    const server = await serve('-t', 'k.qcow2')
    const client = await (await Client.open(server.socket)).enter()
    const block = (i: number): Buffer => Buffer.alloc(blockSize, 1 + i)
    const at = (i: number): number => ((i * 37) % 101) * 65_432
    // Requests 0 to 4 write, request 5 flushes, and so on; some writes are durable by themselves.
    const isFlush = (i: number): boolean => i % 6 === 5
    for (let i = 0; i < 100; i++)
      if (isFlush(i)) client.request(flush, 0, 0)
      else client.request(write, at(i), blockSize, block(i), i % 7 === 3 ? 1 : 0)
    let flushed = 0
    for (let i = 0; i < answers; i++) {
      assert.is(await client.reply(), 0)
      if (isFlush(i) || i % 7 === 3) flushed = i
    }
    await stop(server, 'SIGKILL')
    const check = qcow2('check', '--output=json', 'k.qcow2')
    assert.not.ok(/"corruptions": [1-9]/.test(check), check)
    qcow2('convert', '-O', 'raw', 'k.qcow2', 'k.raw')
    const disk = readFileSync(place('k.raw'))
    for (let i = 0; i < 100; i++) {
      if (isFlush(i)) continue
      const found = disk.subarray(at(i), at(i) + blockSize)
      if (i < flushed) assert.ok(found.equals(block(i)), `${answers} answers: write ${i} is lost`)
      else
        assert.ok(
          found.every((byte) => byte === 0 || byte === 1 + i),
          `${answers} answers: write ${i}`
        )
    }
  }
})

test.run()
