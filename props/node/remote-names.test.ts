/** URLs of images: what is in them is sent where it belongs, and what an image on a server names is followed as far as it may be. */
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { suite } from '../run/suite.js'
import { put, reading, run, start, stop, tokens, url } from './remote-server.js'

const test = suite('names of remote images')

test.before(async () => {
  await start()
  put('img.qcow2', load('case-54-bitmaps').image)
})
test.after(stop)

test('a user name and a password in a URL go to its host alone, and are printed nowhere', async () => {
  const withPassword = (address: string): string => address.replace('//', '//me:se%40s%20ame@')
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
    ['create', secret, '1M']
  ])
    silent(await run(...args))
  for (const name of malformed) {
    const done = await run('info', name)
    assert.is(done.code, 1)
    assert.not.match(done.error, 'ame')
  }
})

test.run()
