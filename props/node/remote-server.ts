/** Servers of images, of several manners, and the command beside them. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
export const folder = mkdtempSync(join(tmpdir(), 'qcow2-remote-'))
export const place = (name: string): string => join(folder, name)

/** Runs the command beside this process, which serves. */
export const run = (...args: readonly string[]): Promise<{ code: number | null; out: string; error: string }> =>
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
export const refused = async (args: readonly string[], ...words: readonly string[]): Promise<void> => {
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
    tokens.push(a.headers['x-token'] ?? a.headers.authorization)
    send(response, a)
  },
  guarded: (response, a) => (a.headers['x-token'] === 't:1' ? send(response, a) : response.writeHead(403).end()),
  basic: (response, a) =>
    a.headers.authorization === `Basic ${Buffer.from('me:se@s ame').toString('base64')}`
      ? send(response, a)
      : response.writeHead(401).end(),
  basicAway: (response, a) =>
    (a.headers.authorization === undefined ? manners['secret'] : manners['away'])?.(response, a),
  named: (response) => response.writeHead(302, { location: url('noted').replace('//', '//you:sesame@') }).end(),
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
export const asked: string[] = []

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
export const counting = async (work: () => Promise<unknown>): Promise<number> => {
  asked.length = 0
  await work()
  return asked.length
}

/** The tokens that the other server got. */
export const tokens: unknown[] = []

const server: Server = createServer(answer)
const otherServer: Server = createServer(answer)
// No connection is closed because time has passed.
for (const each of [server, otherServer])
  Object.assign(each, { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 })
export let origin = ''
export let otherOrigin = ''
export const url = (manner: string, name = 'img.qcow2'): string => `${origin}/${manner}/${name}`

export const put = (name: string, bytes: Uint8Array): string => {
  served.set(name, Buffer.from(bytes))
  writeFileSync(place(name), bytes)
  return place(name)
}

const listening = async (each: Server): Promise<string> => {
  await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve))
  const address = each.address()
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
}

/** Starts the servers. */
export const start = async (): Promise<void> => {
  origin = await listening(server)
  otherOrigin = await listening(otherServer)
}

/** Ends the servers, and removes their files. */
export const stop = (): void => {
  for (const each of [server, otherServer]) {
    each.closeAllConnections()
    each.close()
  }
  rmSync(folder, { recursive: true })
}

/** The commands that read an image on a server. */
export const reading = (manner: string): readonly (readonly string[])[] =>
  [['info'], ['info', '--backing-chain'], ['check'], ['map'], ['map', '--bitmap', 'b0'], ['dump'], ['explain']]
    .map((words) => [...words, url(manner)])
    .concat([
      ['read', url(manner), '0', '1'],
      ['compare', url(manner), url(manner)],
      ['convert', url(manner), place('copy.raw')],
      ['snapshot', '-l', url(manner)]
    ])
