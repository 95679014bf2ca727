/** Images on servers: read by ranges as files are, and refused in one line where the server does not play along. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import type { Plan } from '../../src/bytes/plan.js'
import { readInfo } from '../../src/image/info.js'
import { using, wait } from '../../src/node/command-error.js'
import { openSource } from '../../src/node/files/file.js'
import { run as runOn } from '../../src/node/files/source.js'
import { note, suite } from '../run/suite.js'
import { messageOf, runHere } from './outcome.js'

const test = suite('remote')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-remote-'))
const place = (name: string): string => join(folder, name)

/** Runs the command beside this process, which serves. */
const run = (...args: readonly string[]): Promise<{ code: number | null; out: string; error: string }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, error]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (piece: Buffer) => out.push(piece))
    child.stderr.on('data', (piece: Buffer) => error.push(piece))
    child.on('close', (code) => {
      resolve({ code, out: Buffer.concat(out).toString('latin1'), error: Buffer.concat(error).toString() })
    })
  })

/** One line, of the command, with these words in it. */
const refused = async (args: readonly string[], ...words: readonly string[]): Promise<void> => {
  const done = await run(...args)
  assert.is(done.code, 1, done.error)
  assert.match(done.error, /^qcow2: [^\n]+\n$/)
  for (const word of words) assert.ok(done.error.includes(word), `${word} in ${done.error}`)
}

/** A request for a range of a file, and how many there were before it. */
interface Asked {
  readonly file: Buffer
  readonly from: number
  readonly last: number
  readonly before: number
  readonly headers: IncomingMessage['headers']
}

const send = (response: ServerResponse, a: Asked, headers: Readonly<Record<string, string>> = {}): void => {
  response.writeHead(206, {
    'content-range': `bytes ${a.from}-${a.last}/${a.file.length}`,
    'content-length': a.last - a.from + 1,
    etag: '"one"',
    ...headers
  })
  response.end(a.file.subarray(a.from, a.last + 1))
}

/** Servers by the first part of the path. All but the first do something that must be noticed. */
const manners: Readonly<Record<string, (response: ServerResponse, a: Asked) => void>> = {
  good: send,
  whole: (response, { file }) => response.writeHead(200, { 'content-length': file.length }).end(file),
  gone: (response) => response.writeHead(404).end('<html>not here</html>'),
  secret: (response) => response.writeHead(403).end(),
  broken: (response) => response.writeHead(500).end(),
  tagged: (response, a) => send(response, a, { etag: a.before === 0 ? '"one"' : '"two"' }),
  dated: (response, a) => send(response, a, { etag: '', 'last-modified': a.before === 0 ? 'Monday' : 'Tuesday' }),
  grown: (response, a) =>
    send(response, a, { 'content-range': `bytes ${a.from}-${a.last}/${a.file.length + Math.min(1, a.before)}` }),
  cut: (response, a) => {
    response.writeHead(206, {
      'content-range': `bytes ${a.from}-${a.last}/${a.file.length}`,
      'content-length': a.last - a.from + 1
    })
    response.write(a.file.subarray(a.from, a.from + 100), () => response.destroy())
  },
  short: (response, a) => {
    response.writeHead(206, { 'content-range': `bytes ${a.from}-${a.last}/${a.file.length}` })
    response.end(a.file.subarray(a.from, a.from + 100))
  },
  long: (response, a) => {
    response.writeHead(206, { 'content-range': `bytes ${a.from}-${a.last}/${a.file.length}` })
    const more = (): void => {
      if (!response.destroyed) response.write(Buffer.alloc(2 ** 16), more)
    }
    more()
  },
  other: (response, a) =>
    send(response, a, { 'content-range': `bytes ${a.from + 1}-${a.last + 1}/${a.file.length + 1}` }),
  mute: (response, a) => {
    response.writeHead(206, { 'content-length': a.last - a.from + 1 })
    response.end(a.file.subarray(a.from, a.last + 1))
  },
  endless: (response, a) => send(response, a, { 'content-range': `bytes ${a.from}-${a.last}/*` }),
  shrunk: (response, a) => {
    if (a.before === 0) send(response, a)
    else response.writeHead(416, { 'content-range': 'bytes */0' }).end()
  },
  moved: (response) => response.writeHead(302, { location: '/good/img.qcow2' }).end(),
  away: (response) => response.writeHead(307, { location: `${otherOrigin}/noted/img.qcow2` }).end(),
  guardedAway: (response, a) => (a.headers['x-token'] === 't:1' ? manners['away'] : manners['secret'])?.(response, a),
  noted: (response, a) => {
    tokens.push(a.headers['x-token'])
    send(response, a)
  },
  guarded: (response, a) => (a.headers['x-token'] === 't:1' ? send(response, a) : response.writeHead(403).end()),
  local: (response) => response.writeHead(301, { location: 'file:///etc/hostname' }).end(),
  circle: (response) => response.writeHead(308, { location: '/circle/img.qcow2' }).end(),
  silent: () => undefined,
  stalled: (response, a) => {
    if (a.before === 0) send(response, a)
  },
  dropped: (response, a) => {
    if (a.before === 0) send(response, a)
    else response.destroy()
  }
}

const served = new Map<string, Buffer>()
/** The ranges asked for since the count was last taken. */
const asked: string[] = []

const answer = (request: IncomingMessage, response: ServerResponse): void => {
  const [, manner = '', name = ''] = (request.url ?? '').split('/')
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  const file = served.get(name)
  if (file === undefined || range === null) {
    response.writeHead(400).end()
    return
  }
  if (file.length === 0) {
    response.writeHead(416, { 'content-range': 'bytes */0' }).end()
    return
  }
  const from = Number(range[1])
  const before = asked.push(range[0]) - 1
  manners[manner]?.(response, {
    file,
    from,
    last: Math.min(Number(range[2]), file.length - 1),
    before,
    headers: request.headers
  })
}

/** How many requests a command made. */
const counting = async (work: () => Promise<unknown>): Promise<number> => {
  asked.length = 0
  await work()
  return asked.length
}

/** The tokens that the other server got. */
const tokens: unknown[] = []

const server: Server = createServer(answer)
const otherServer: Server = createServer(answer)
// No connection is closed because time has passed.
for (const each of [server, otherServer])
  Object.assign(each, { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 })
let origin = ''
let otherOrigin = ''
const url = (manner: string, name = 'img.qcow2'): string => `${origin}/${manner}/${name}`

const put = (name: string, bytes: Uint8Array): string => {
  served.set(name, Buffer.from(bytes))
  writeFileSync(place(name), bytes)
  return place(name)
}

test.before(async () => {
  const listening = async (each: Server): Promise<string> => {
    await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve))
    const address = each.address()
    return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
  }
  origin = await listening(server)
  otherOrigin = await listening(otherServer)
  put('img.qcow2', load('case-54-bitmaps').image)
  const big = place('big.qcow2')
  await runHere('create', '-q', big, '4M')
  await runHere('io', '-c', 'write -q 0 2M', big)
  served.set('big.qcow2', readFileSync(big))
})
test.after(() => {
  for (const each of [server, otherServer]) {
    each.closeAllConnections()
    each.close()
  }
  rmSync(folder, { recursive: true })
})

test('a command prints the same for an image on a server as for the file', async () => {
  let compared = 0
  for (const name of ['case-54-bitmaps', 'broken-l1-short']) {
    const path = put(`${name}.qcow2`, load(name).image)
    const remote = url('good', `${name}.qcow2`)
    const commands = [['check', '--output=json'], ['map', '--output=json'], ['dump'], ['explain', '--output=json']]
    for (const [command = '', ...rest] of commands) {
      const [here, there] = [await run(command, ...rest, path), await run(command, ...rest, remote)]
      const renamed = { ...there, out: there.out.replaceAll(remote, path), error: there.error.replaceAll(remote, path) }
      assert.equal(renamed, here, `${command} ${name}`)
      compared++
    }
  }
  note(`${compared} answers compared`)
})

test('info leaves out what only a file has, and takes one request where the metadata lies together', async () => {
  const path = put('small.qcow2', load('case-73-unknown-kept').image)
  const here: unknown = JSON.parse((await run('info', '--output=json', path)).out)
  const answered: { out: string }[] = []
  const requests = await counting(async () =>
    answered.push(await run('info', '--output=json', url('good', 'small.qcow2')))
  )
  const there: unknown = JSON.parse(answered[0]?.out ?? '')
  assert.equal(there, {
    ...Object.fromEntries(Object.entries(here ?? {}).filter(([key]) => key !== 'actual-size')),
    filename: url('good', 'small.qcow2')
  })
  assert.is(requests, 1)
})

test('guest bytes are read, copied and compared, at most 1 MiB at a time', async () => {
  const path = put('data.qcow2', load('case-49-snapshots').image)
  const remote = url('good', 'data.qcow2')
  const [here, there] = [place('here.raw'), place('there.raw')]
  assert.is((await run('convert', path, here)).code, 0)
  assert.is((await run('convert', remote, there)).code, 0)
  assert.ok(readFileSync(here).equals(readFileSync(there)))
  const longest = Math.max(...asked.map((range) => -Number(range.split(/[=-]/)[1]) + Number(range.split('-')[1]) + 1))
  assert.ok(longest <= 2 ** 20, String(longest))
  assert.equal(await run('read', remote, '64k', '64k'), await run('read', path, '64k', '64k'))
  assert.match((await run('compare', remote, path)).out, 'identical')
  assert.match((await run('map', '--bitmap', 'b0', '--output=json', url('good'))).out, '"start": 1048576')
})

test('an empty file on a server is no image', async () => {
  put('empty', new Uint8Array(0))
  await refused(['info', url('good', 'empty')], 'this is an empty file')
})

test('a server that moved the file is followed to it', async () => {
  assert.is((await run('check', url('moved'))).code, 0)
})

/** The commands that read an image on a server. */
const reading = (manner: string): readonly (readonly string[])[] =>
  [['info'], ['info', '--backing-chain'], ['check'], ['map'], ['map', '--bitmap', 'b0'], ['dump'], ['explain']]
    .map((words) => [...words, url(manner)])
    .concat([
      ['read', url(manner), '0', '1'],
      ['compare', url(manner), url(manner)],
      ['convert', url(manner), place('copy.raw')],
      ['snapshot', '-l', url(manner)]
    ])

test('a server is followed to another host only where that is allowed, and without the headers that are given', async () => {
  for (const args of reading('away')) {
    const done = await run(...args)
    assert.is(done.code, args[0] === 'compare' ? 2 : 1)
    const where = `'${otherOrigin}/noted/img.qcow2'`
    assert.match(done.error, `the server redirects to another host: --allow-redirect follows it to ${where}`)
  }
  assert.equal(tokens, [])
  for (const args of reading('guardedAway')) {
    const done = await run(...args, '--allow-redirect', '--header', 'X-Token: t:1')
    assert.is(done.code, 0, done.error)
  }
  assert.ok(tokens.length > 0)
  assert.ok(tokens.every((token) => token === undefined))
  await refused(['info', '--allow-redirect', url('local')], "the server redirects to 'file:///etc/hostname'")
  await refused(['info', url('circle')], 'the server redirects more than 10 times')
})

test('headers that are given are sent with every request, and must be headers', async () => {
  for (const args of reading('guarded')) {
    const without = await run(...args)
    assert.match(without.error, 'the server answers 403 Forbidden', args.join(' '))
    const done = await run(...args, '--header', 'X-Token: t:1', '--header', 'range: bytes=0-0')
    assert.is(done.code, 0, done.error)
  }
  for (const header of ['X-Token', ': t', 'X Token: t', 'X-Token: a\r\nX: b'])
    await refused(['info', '--header', header, url('good')], "Invalid header: not of the form 'Name: value'")
})

test('what takes longer than the time-out in all is refused, whenever it stops', async () => {
  for (const manner of ['silent', 'stalled']) {
    asked.length = 0
    const words = ['convert', '--timeout', '0.5', url(manner, 'big.qcow2'), place('copy.raw')]
    await refused(words, 'it takes more than the 0.5 seconds of --timeout')
  }
  assert.is((await run('check', '--timeout', '3600', url('good'))).code, 0)
  for (const time of ['0', '-1', 'x', '1e9', '2097152'])
    await refused(['info', `--timeout=${time}`, url('good')], 'Invalid time-out')
})

/** Why an image on a server cannot be opened, or where reading it ends. */
const reason = (manner: string, plan: () => Plan<unknown, unknown>): Promise<string> =>
  messageOf(
    using(openSource(url(manner)), async function* (source) {
      yield* wait(runOn(source, plan))
    })
  )

const refusals: readonly (readonly [manner: string, word: string])[] = [
  ['whole', 'the server does not serve ranges of the file'],
  ['gone', 'the server answers 404 Not Found'],
  ['secret', 'the server answers 403 Forbidden'],
  ['broken', 'the server answers 500 Internal Server Error'],
  ['cut', 'the answer breaks off after 100 of 262144 bytes: other side closed'],
  ['short', 'the answer ends after 100 of 262144 bytes'],
  ['long', 'the answer goes on after 262144 bytes'],
  ['other', 'the server sends bytes 1 to 262144, not those asked for'],
  ['mute', 'the server sends no Content-Range'],
  ['endless', 'the server sends no Content-Range']
]

for (const [manner, word] of refusals)
  test(`a server of the manner '${manner}' is refused at its first answer`, async () => {
    const requests = await counting(async () => {
      assert.is(await reason(manner, readInfo), `Could not open '${url(manner)}': ${word}`)
    })
    assert.is(requests, 1)
  })

const changes: readonly (readonly [manner: string, word: string])[] = [
  ['tagged', 'the file has changed on the server while it was read'],
  ['dated', 'the file has changed on the server while it was read'],
  ['grown', 'the file has changed on the server while it was read'],
  ['shrunk', 'the file has changed on the server while it was read'],
  ['dropped', 'other side closed']
]

for (const [manner, word] of changes)
  test(`a file of the manner '${manner}' is not read on, and nothing is asked again`, async () => {
    const requests = await counting(async () => {
      assert.is(await reason(manner, readInfo), `Could not read '${url(manner)}': ${word}`)
    })
    assert.is(requests, 2)
  })

test('an unusable server prints one error and keeps the old output', async () => {
  await refused(['info', url('whole')], `Could not open '${url('whole')}'`, 'does not serve ranges')
  const out = place('changed.raw')
  writeFileSync(out, 'as it was')
  for (const command of [['check'], ['map'], ['dump'], ['convert', out]]) {
    asked.length = 0
    await refused([command[0] ?? '', url('tagged'), ...command.slice(1)], url('tagged'), 'has changed')
  }
  assert.is(readFileSync(out, 'utf8'), 'as it was')
})

test('an unreachable server and an invalid URL are refused', async () => {
  // The port of an open connection's own end: nobody listens there, and nobody else can begin to.
  const connection = connect(Number(new URL(origin).port), '127.0.0.1')
  await once(connection, 'connect')
  await refused(['info', `http://127.0.0.1:${connection.localPort ?? 0}/img.qcow2`], 'ECONNREFUSED')
  connection.destroy()
  await refused(['info', 'http://'], 'Invalid URL')
  await refused(['check', 'https://127.0.0.1:1/img.qcow2'], 'Could not open')
})

test('an image on a server names no other file but where a folder is allowed', async () => {
  const { files } = load('case-15-backing-smaller')
  for (const [name, bytes] of files) put(name, bytes)
  await refused(['map', url('good')], 'base.qcow2', 'on a server')
  await refused(['map', '--allow', folder, url('good')], 'on a server')
  const absolute = place('base.qcow2')
  const overlay = put('absolute.qcow2', load('case-15-backing-smaller').image)
  const bytes = Buffer.alloc(Math.max(readFileSync(overlay).length, 2 ** 16))
  readFileSync(overlay).copy(bytes)
  const at = bytes.length
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const where = Number(view.getBigUint64(8))
  bytes.write(absolute, where)
  view.setUint32(16, absolute.length)
  put('absolute.qcow2', bytes.subarray(0, at))
  await refused(['map', url('good', 'absolute.qcow2')], absolute, `--allow ${folder}`)
  const map = await run('map', '--output=json', '--allow', folder, url('good', 'absolute.qcow2'))
  assert.is(map.code, 0, map.error)
  assert.equal(map.out, (await run('map', '--output=json', '--allow', folder, place('absolute.qcow2'))).out)
  const data = load('case-37-data-file')
  put('data-file.qcow2', data.image)
  await refused(['map', url('good', 'data-file.qcow2')], 'img.raw', 'on a server')
  await refused(['check', url('good', 'data-file.qcow2')], 'img.raw', 'on a server')
  assert.is((await run('info', url('good', 'data-file.qcow2'))).code, 0)
})

test.run()
