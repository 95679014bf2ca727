/** Images on servers that cannot be trusted, or asked: the error says why, and what to do about it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createPlain } from 'node:http'
import { createServer } from 'node:https'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { requestReason, statusReason } from '../../src/node/files/remote-reason.js'
import { suite } from '../run/suite.js'

const test = suite('trust in servers')

/** A certificate of this test alone, for 127.0.0.1 and a hundred years, and its key. */
const cert = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUKgAwIBAgIUNCM/cn/wMQX1K+jFaQdzWmayI8kwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPcWNvdzItc3BlYy10ZXN0MCAXDTI2MTEzMDE2MzMyNloYDzIx
MjYxMTA2MTYzMzI2WjAaMRgwFgYDVQQDDA9xY293Mi1zcGVjLXRlc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAQwQjJEs1maySrchoqDMhsYT9ksEzZ36OCTJaxZ
GeBv7WtH9chWfqx/ge9W7rFyUY3AjEQYG8W87DrmUjnd5LGSo2QwYjAdBgNVHQ4E
FgQUZgH++ToSZXulI+sGyIMZNLb4YvMwHwYDVR0jBBgwFoAUZgH++ToSZXulI+sG
yIMZNLb4YvMwDwYDVR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqG
SM49BAMCA0gAMEUCIBLcT3aWz6CrFN2jUbd8YJZ2uJzolfcZ3WopOGVm4hyTAiEA
j/5N4NZFuexl2nzpmdjXyp2xyPWhqNK20zoEhLD1ri8=
-----END CERTIFICATE-----
`
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6LMPLGT8RZkoR2ji
bYVSPnbf8kX4ImZ1bs8kTCHD97WhRANCAAQwQjJEs1maySrchoqDMhsYT9ksEzZ3
6OCTJaxZGeBv7WtH9chWfqx/ge9W7rFyUY3AjEQYG8W87DrmUjnd5LGS
-----END PRIVATE KEY-----
`

const folder = mkdtempSync(join(tmpdir(), 'qcow2-tls-'))
const trusted = join(folder, 'cert.pem')
const { image } = load('case-54-bitmaps')
const encrypted = createServer({ key, cert }, ({ headers }, response) => {
  const [from = 0, last = 0] = (/(\d+)-(\d+)/.exec(headers.range ?? '') ?? []).slice(1).map(Number)
  const part = image.subarray(from, last + 1)
  response.writeHead(206, { 'content-range': `bytes ${from}-${from + part.length - 1}/${image.length}` }).end(part)
})
const plain = createPlain((_, response) => response.end())

const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

test.before(async () => {
  writeFileSync(trusted, cert)
  for (const server of [encrypted, plain]) await once(server.listen(0), 'listening')
})
test.after(() => {
  for (const server of [encrypted, plain]) server.close()
  rmSync(folder, { recursive: true })
})

/** The exit code of `check` on a URL, and its error. */
const check = async (url: string, env: Readonly<Record<string, string>> = {}) => {
  const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, 'check', '-q', url], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const pieces: Buffer[] = []
  child.stderr.on('data', (piece: Buffer) => pieces.push(piece))
  await once(child, 'close')
  return { code: child.exitCode, error: Buffer.concat(pieces).toString() }
}

test('a certificate of no trusted authority is refused, and is trusted as the error says', async () => {
  const url = `https://127.0.0.1:${portOf(encrypted)}/img.qcow2`
  const why =
    'its certificate is signed by no trusted authority; NODE_EXTRA_CA_CERTS names a file of further authorities'
  assert.equal(await check(url), {
    code: 1,
    error: `qcow2: Could not open '${url}': ${why} (DEPTH_ZERO_SELF_SIGNED_CERT)\n`
  })
  assert.equal(await check(url, { NODE_EXTRA_CA_CERTS: trusted }), { code: 0, error: '' })
})

test('a certificate for another host is refused', async () => {
  const url = `https://localhost:${portOf(encrypted)}/img.qcow2`
  assert.equal(await check(url, { NODE_EXTRA_CA_CERTS: trusted }), {
    code: 1,
    error: `qcow2: Could not open '${url}': its certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID)\n`
  })
})

test('a server without TLS is named as such', async () => {
  const { code, error } = await check(`https://127.0.0.1:${portOf(plain)}/img.qcow2`)
  assert.is(code, 1)
  assert.match(error, /: it does not speak TLS at this port; if it serves plain HTTP, the URL begins with http:\/\/ \(/)
})

const failing = (code: string): Error =>
  Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('words'), { code }) })

test('the reasons of the system are put into words, with their codes, and others are left as they are', () => {
  assert.is(requestReason(failing('ENOTFOUND'), 60), 'there is no host of this name (ENOTFOUND)')
  assert.is(requestReason(failing('CERT_HAS_EXPIRED'), 60), 'its certificate has expired (CERT_HAS_EXPIRED)')
  assert.is(requestReason(failing('EOTHER'), 60), 'words')
  assert.is(requestReason(new DOMException('late', 'TimeoutError'), 60), 'the server does not answer in 60 seconds')
  assert.is(requestReason('thrown', 60), 'thrown')
})

test('the status of an answer has advice where there is some', () => {
  assert.is(statusReason({ status: 500, statusText: 'Oops' }), 'the server answers 500 Oops')
  assert.is(statusReason({ status: 418, statusText: '' }), 'the server answers 418')
  assert.is(statusReason({ status: 503, statusText: 'Busy' }), 'the server answers 503 Busy; it may answer later')
})

test.run()
