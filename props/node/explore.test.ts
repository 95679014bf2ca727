/** `qcow2 explore` serves the page and ranges of one image, to those who know the URL. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { askedFor, rangeOf } from '../../src/node/explore/access.js'
import { lockImage } from '../../src/node/images/locked-image.js'
import { suite } from '../run/suite.js'
import { serve } from './option-scene.js'
import { valueOf } from './outcome.js'

const test = suite('explore')
const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-explore-'))
const disk = join(folder, 'disk.qcow2')
const { image } = load('case-01-empty-v3')
writeFileSync(disk, image)

const running = new Set<ChildProcess>()
const servers: Server[] = []
test.after(() => {
  for (const server of servers) server.close()
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

interface Started {
  readonly child: ChildProcess
  /** The URL that was printed; empty where there is none. */
  readonly url: string
  readonly error: string
}

const start = async (...args: readonly string[]): Promise<Started> => {
  const child = spawn(process.execPath, [main, 'explore', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let [out, error] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text))
  const listening = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      if (out.includes('\n')) resolve()
    })
  })
  await Promise.race([listening, once(child, 'close')])
  return { child, url: out.split('\n', 1).join(), error }
}

const stop = async ({ child }: Started, signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> => {
  const closed = once(child, 'close')
  child.kill(signal)
  await closed
  running.delete(child)
  return child.exitCode
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

const ask = async (url: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> => {
  const asked = request(url, { headers, method, agent: false })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }
}

test('the page is served with the name of its image, and the image in ranges', async () => {
  const started = await start(disk)
  assert.match(started.url, /^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/)
  const page = await ask(started.url)
  assert.is(page.status, 200)
  assert.match(page.body.toString(), /id="image">\{"name":"disk\.qcow2","url":"image"\}</)
  const part = await ask(`${started.url}image`, { range: 'bytes=4-99' })
  assert.is(part.status, 206)
  assert.is(part.headers['content-range'], `bytes 4-99/${image.length}`)
  assert.equal([...part.body], [...image.subarray(4, 100)])
  const all = await ask(`${started.url}image`, { range: 'bytes=0-' })
  assert.ok(all.body.equals(image))
  assert.is((await ask(`${started.url}image`)).status, 416)
  assert.is((await ask(`${started.url}image`, {}, 'HEAD')).headers['content-length'], String(image.length))
  assert.is((await ask(`${started.url}other`)).status, 404)
  assert.is((await ask(started.url, { host: 'example.org' })).status, 403)
  assert.is((await ask(started.url, { origin: 'https://example.org' })).status, 403)
  assert.is((await ask(started.url.replace(/[0-9a-f]{32}/, '0'.repeat(32)))).status, 404)
  assert.is((await ask(started.url, {}, 'POST')).status, 405)
  assert.is(await stop(started), 0)
  assert.is(await stop(await start(disk), 'SIGTERM'), 143)
})

const hosts = ['127.0.0.1:80', 'localhost:80']
const host = '127.0.0.1:80'
const asking: readonly (readonly [method: string, url: string, headers: IncomingMessage['headers'], asked: unknown])[] =
  [
    ['GET', '/token/', { host }, 'page'],
    ['HEAD', '/token/?a', { host: 'localhost:80' }, 'page'],
    ['GET', '/token/', { host, origin: 'http://127.0.0.1:80' }, 'page'],
    ['GET', '/token/image', { host }, 'image'],
    ['GET', '/token', { host }, 404],
    ['GET', '/token/image/', { host }, 404],
    ['GET', '/token2/', { host }, 404],
    ['GET', '/token2/image', { host }, 404],
    ['GET', '/', { host }, 404],
    ['GET', '/token/', {}, 403],
    ['GET', '/token/', { host: '127.0.0.1' }, 403],
    ['GET', '/token/', { host: 'example.org:80' }, 403],
    ['GET', '/token/', { host, origin: 'null' }, 403],
    ['PUT', '/token/image', { host }, 405]
  ]

test('only requests with the right host and token are answered', () => {
  for (const [method, url, headers, asked] of asking)
    assert.is(askedFor({ method, url, headers }, hosts, 'token'), asked, `${method} ${url} ${JSON.stringify(headers)}`)
})

test('a range lies in the file, or is none', () => {
  assert.equal(rangeOf('bytes=0-0', 10), { from: 0, last: 0 })
  assert.equal(rangeOf('bytes=5-', 10), { from: 5, last: 9 })
  assert.equal(rangeOf('bytes=5-100', 10), { from: 5, last: 9 })
  for (const none of [undefined, 'bytes=10-', 'bytes=5-4', 'bytes=-5', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=0-0'])
    assert.is(rangeOf(none, none === 'bytes=0-0' ? 0 : 10), undefined, none)
})

test('a name in the page ends no element of it', async () => {
  const odd = join(folder, '<script>alert(1)<')
  writeFileSync(odd, image)
  const started = await start(odd)
  const page = (await ask(started.url)).body.toString()
  assert.ok(page.includes('id="image">{"name":"\\u003cscript>alert(1)\\u003c","url":"image"}<'))
  await stop(started)
})

test('the options of the command take effect', async () => {
  const first = await start(disk)
  const port = new URL(first.url).port
  const second = await start('--port', port, disk)
  assert.match(second.error, new RegExp(`Could not listen on port ${port}`))
  await stop(first)
  const third = await start('-p', port, disk)
  assert.is(new URL(third.url).port, port)
  await stop(third)
  const busy = await valueOf(lockImage(disk))
  assert.match((await start(disk)).error, /lock/)
  const shared = await start('-U', disk)
  assert.is.not(shared.url, '')
  await stop(shared)
  busy.close()
})

test('an image on a server is read with the options for it', async () => {
  const { server, base } = await serve(readFileSync(disk))
  servers.push(server)
  assert.match((await start(`${base}/keyed`)).error, /401/)
  const keyed = await start('--header', 'X-Key: 1', `${base}/keyed`)
  const part = await ask(`${keyed.url}image`, { range: 'bytes=0-3' })
  assert.equal([...part.body], [0x51, 0x46, 0x49, 0xfb])
  await stop(keyed)
  assert.match((await start(`${base}/away`)).error, /--allow-redirect/)
  const away = await start('--allow-redirect', `${base}/away`)
  assert.is.not(away.url, '')
  await stop(away)
  assert.match((await start('--timeout', '0.05', `${base}/slow`)).error, /--timeout/)
})

test.run()
