/** Images on servers: read by ranges as files are, and refused in one line where the server does not play along. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import type { Plan } from '../../src/bytes/plan.js'
import { readInfo } from '../../src/image/info.js'
import { using, wait } from '../../src/node/command-error.js'
import { openSource } from '../../src/node/files/file.js'
import { run as runOn } from '../../src/node/files/source.js'
import { note, suite } from '../run/suite.js'
import { messageOf, runHere } from './outcome.js'
import {
  asked,
  counting,
  folder,
  origin,
  otherOrigin,
  place,
  put,
  reading,
  refused,
  run,
  start,
  stop,
  tokens,
  url
} from './remote-server.js'

const test = suite('remote')

test.before(async () => {
  await start()
  put('img.qcow2', load('case-54-bitmaps').image)
  const big = place('big.qcow2')
  await runHere('create', '-q', big, '4M')
  await runHere('io', '-c', 'write -q 0 2M', big)
  put('big.qcow2', readFileSync(big))
})
test.after(stop)

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
  ['gone', 'the server answers 404 Not Found; there is no file of this name'],
  ['secret', "the server answers 403 Forbidden; --header 'Authorization: ...' sends credentials"],
  ['broken', 'the server answers 500 Internal Server Error'],
  ['cut', 'the answer breaks off after 100 of 262144 bytes: the server ended the connection (UND_ERR_SOCKET)'],
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
  ['dropped', 'the server ended the connection (UND_ERR_SOCKET)']
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
  await refused(
    ['info', `http://127.0.0.1:${connection.localPort ?? 0}/img.qcow2`],
    'no server listens at this port (ECONNREFUSED)'
  )
  connection.destroy()
  await refused(['info', 'http://'], 'Invalid URL')
  await refused(['check', 'https://127.0.0.1:1/img.qcow2'], 'Could not open')
})

test('nothing is written to a server', async () => {
  const file = place('local.qcow2')
  await runHere('create', '-q', file, '1M')
  const before = asked.length
  for (const words of [
    ['create', '-q', url('new.qcow2'), '1M'],
    ['create', '-q', '-f', 'raw', url('new.raw'), '1M'],
    ['convert', '-O', 'qcow2', file, url('new.qcow2')],
    ['convert', file, url('new.raw')],
    ['dd', `if=${file}`, `of=${url('new.raw')}`],
    ['metadump', file, url('new.qcow2')],
    ['create', '-q', url('new.qcow2').replace('//', '//me:secret@'), '1M']
  ])
    await refused(words, 'Could not create', 'nothing is written to a server; create a local file')
  for (const words of [
    ['convert', '-n', '-O', 'qcow2', file, url('img.qcow2')],
    ['convert', '-n', file, url('img.qcow2')],
    ['resize', url('img.qcow2'), '8M'],
    ['snapshot', '-c', 's', url('img.qcow2')],
    ['check', '-r', 'all', url('img.qcow2')]
  ])
    await refused(words, 'an image on a server cannot be changed')
  const data = `data_file=${url('data.raw')}`
  await refused(['create', '-q', '-o', data, place('over.qcow2'), '1M'], 'on a server, to which nothing is written')
  assert.is(asked.length, before)
})

test('an image on a server names no file elsewhere but where a folder is allowed', async () => {
  const { files } = load('case-15-backing-smaller')
  for (const [name, bytes] of files) put(name, bytes)
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
  await refused(['map', url('good', 'data-file.qcow2')], url('good', 'img.raw'), 'the server answers 400')
  await refused(['check', url('good', 'data-file.qcow2')], url('good', 'img.raw'), 'the server answers 400')
  assert.is((await run('info', url('good', 'data-file.qcow2'))).code, 0)
})

test.run()
