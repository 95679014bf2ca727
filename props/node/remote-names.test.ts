/** URLs of images: what is in them is sent where it belongs, and what an image on a server names is followed as far as it may be. */
import { readFileSync, rmSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { suite } from '../run/suite.js'
import { runHere } from './outcome.js'
import { otherOrigin, place, put, reading, refused, run, start, stop, tokens, url } from './remote-server.js'

const test = suite('names of remote images')

test.before(async () => {
  await start()
  put('img.qcow2', load('case-54-bitmaps').image)
})
test.after(stop)

const withPassword = (address: string): string => address.replace('//', '//me:se%40s%20ame@')
/** The header that this password is sent in. */
const authorization = `Basic ${Buffer.from('me:se@s ame').toString('base64')}`

test('a user name and a password in a URL go to its host alone, and are printed nowhere', async () => {
  const silent = ({ out, error }: { readonly out: string; readonly error: string }): void =>
    assert.not.match(out + error, /se(@|%40)s/)
  for (const args of reading('basic').filter(([name = '']) => ['info', 'convert', 'snapshot'].includes(name))) {
    assert.match((await run(...args)).error, 'the server answers 401 Unauthorized')
    const done = await run(...args.map((word) => (word.startsWith('http') ? withPassword(word) : word)))
    assert.is(done.code, 0, done.error)
    silent(done)
  }
  const options = JSON.stringify({ driver: 'qcow2', file: { driver: 'http', url: withPassword(url('basic')) } })
  const named = await run('info', '--output=json', `json:${options}`)
  assert.match(named.out, `"filename": "${url('basic')}"`)
  silent(named)
  tokens.length = 0
  assert.is((await run('check', '--allow-redirect', withPassword(url('basicAway')))).code, 0)
  assert.is((await run('check', url('named'))).code, 0)
  assert.ok(tokens.length > 1)
  assert.ok(tokens.every((token) => token === undefined))
  const secret = withPassword(url('gone'))
  const malformed = [`json:${options.slice(0, -1)}`, secret.replace('%40', '/'), `${secret}?a=b`]
  for (const args of [
    ['info', secret, secret],
    ['create', secret, '1M'],
    ['create', '-u', '-F', 'qcow2', '-b', secret, place('named.qcow2'), '1M']
  ])
    silent(await run(...args))
  for (const name of malformed) {
    const done = await run('info', name)
    assert.is(done.code, 1)
    assert.not.match(done.error, 'ame')
  }
})

test('the data file of an image on a server is read from its folder there, and from no other', async () => {
  const away = `${otherOrigin}/good/data.raw`
  await runHere('create', '-q', '-o', 'data_file=data.raw', place('parted.qcow2'), '1M')
  await runHere('create', '-q', '-o', `data_file=${'x'.repeat(away.length)}`, place('apart.qcow2'), '1M')
  await runHere('io', '-c', 'write -q -P 7 64k 64k', place('parted.qcow2'))
  put('parted.qcow2', readFileSync(place('parted.qcow2')))
  const parted = url('good', 'parted.qcow2')
  const apart = readFileSync(place('apart.qcow2'))
  apart.write(away, apart.indexOf('xxxx'))
  put('apart.qcow2', apart)
  await refused(['convert', parted, place('served.raw')], `${url('good', 'data.raw')}': the server answers 400`)
  put('data.raw', readFileSync(place('data.raw')))
  assert.is((await run('convert', parted, place('served.raw'))).error, '')
  assert.ok(readFileSync(place('served.raw')).equals(readFileSync(place('data.raw'))))
  assert.match((await run('map', parted)).out, url('good', 'data.raw'))
  assert.is((await run('check', parted)).code, 0)
  assert.match((await run('compare', parted, place('parted.qcow2'))).out, 'identical')
  await refused(['map', url('good', 'apart.qcow2')], `it lies at '${away}', outside the image's folder`)
})

/** Puts an overlay on the servers and into the folder, whose backing file has this name. */
const putOverlay = async (name: string, backing: string): Promise<string> => {
  rmSync(place(name), { force: true })
  await runHere('create', '-q', '-u', '-F', 'qcow2', '-b', './base.qcow2', place(name), '1M')
  await runHere('io', '-c', 'write -q -P 7 64k 64k', place(name))
  await runHere('rebase', '-q', '-u', '-F', 'qcow2', '-b', backing, place(name))
  return put(name, readFileSync(place(name)))
}

test('the backing file of an image on a server is one in its folder there, or where that is allowed', async () => {
  await runHere('create', '-q', place('base.qcow2'), '1M')
  await runHere('io', '-c', 'write -q -P 5 0 128k', place('base.qcow2'))
  put('base.qcow2', readFileSync(place('base.qcow2')))
  const overlay = await putOverlay('overlay.qcow2', 'base.qcow2')
  const address = url('guarded', 'overlay.qcow2')
  const headers = ['--header', 'X-Token: t:1']
  for (const args of [['map', '--output=json'], ['info', '--backing-chain'], ['convert']]) {
    const out = args[0] === 'convert' ? [place('out.raw')] : []
    const there = await run(...args, ...headers, address, ...out)
    assert.is(there.code, 0, there.error)
    if (args[0] === 'map')
      assert.is(there.out.replaceAll(url('guarded', ''), place('')), (await run(...args, overlay)).out)
  }
  assert.is((await run('compare', '-f', 'raw', '-F', 'qcow2', place('out.raw'), overlay)).code, 0)
  assert.is((await run('compare', withPassword(url('basic', 'overlay.qcow2')), overlay)).code, 0)

  const elsewhere = `${otherOrigin}/noted/base.qcow2`
  for (const [backing, allowed] of [
    ['../noted/base.qcow2', url('noted', '')],
    [elsewhere, `${otherOrigin}/noted`]
  ] as const) {
    await putOverlay('far.qcow2', backing)
    await refused(['map', ...headers, url('guarded', 'far.qcow2')], "outside the image's folder; --allow ", allowed)
    await refused(
      ['map', '--allow', `${allowed.replace(/\/$/, '')}x`, ...headers, url('guarded', 'far.qcow2')],
      'outside'
    )
    for (const [token, words] of [
      ['t:1', [...headers, url('guarded', 'far.qcow2')]],
      [authorization, [withPassword(url('basic', 'far.qcow2'))]]
    ] as const) {
      tokens.length = 0
      assert.is((await run('map', '--allow', allowed, ...words)).code, 0)
      assert.ok(tokens.length > 0)
      assert.ok(tokens.every((each) => each === (backing === elsewhere ? undefined : token)))
    }
  }
  for (const backing of ['..%2fnoted/base.qcow2', 'base.qcow2?a=b', 'nbd:host', 'file:base.qcow2']) {
    await putOverlay('odd.qcow2', backing)
    await refused(['map', url('good', 'odd.qcow2')], 'Could not open backing file')
  }
})

test('a local image over a file on a server is read where that is allowed, and never written', async () => {
  const overlay = await putOverlay('local.qcow2', url('good', 'base.qcow2'))
  await refused(['map', overlay], `--allow ${url('good', '')}`)
  const before = readFileSync(overlay)
  assert.is((await run('io', '-r', '-c', 'read -P 7 64k 64k', '--allow', url('good', ''), overlay)).code, 1)
  assert.is((await run('compare', '--allow', url('good', ''), overlay, place('overlay.qcow2'))).code, 0)
  for (const flag of ['-r', '-s']) {
    const io = ['io', flag, '--allow', url('good', '')]
    await refused([...io, url('good')], `Could not open '${url('good')}': it is on a server`)
    await refused([...io, overlay], `Could not open '${overlay}': a backing file is on a server`)
  }
  const options = `driver=qcow2,file.filename=${overlay},backing.driver=qcow2,backing.file.driver=http,backing.file.url=${url('good', 'base.qcow2')}`
  for (const named of [
    ['--allow', url('good', ''), overlay],
    ['--image-opts', options]
  ])
    await refused(['io', '-c', 'write 1k 1k', ...named], 'a backing file is on a server: the image can only be read')
  assert.ok(readFileSync(overlay).equals(before))
})

test.run()
