/** The files and the server that the lines of options are run on. */
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { load } from '../../corpus/load.js'
import { runHere } from './outcome.js'

/**
 * Makes the files of the lines in an empty folder.
 *
 * @param scene the folder of the files that a line runs in a copy of
 * @param own the folder of the files that all lines share: a busy image, a backing file, a data file
 */
export const makeScene = async (scene: string, own: string): Promise<void> => {
  for (const each of [scene, own, join(own, 'below'), join(own, 'data')]) mkdirSync(each)
  const at = (name: string): string => join(scene, name)
  const io = (image: string, ...written: readonly string[]): Promise<void> =>
    runHere('io', ...written.flatMap((line) => ['-c', line]), image)
  await runHere('create', '-q', at('a.qcow2'), '1M')
  await io(at('a.qcow2'), 'write -q -P 5 0 64k')
  await runHere('snapshot', '-c', 's', at('a.qcow2'))
  await runHere('bitmap', '--add', at('a.qcow2'), 'b')
  await io(at('a.qcow2'), 'write -q -P 7 0 128k')
  await runHere('create', '-q', '-b', 'a.qcow2', '-F', 'qcow2', at('over.qcow2'))
  await io(at('over.qcow2'), 'write -q -P 9 128k 64k')
  await runHere('create', '-q', '-o', 'compat=0.10', at('old.qcow2'), '1M')
  await runHere('create', '-q', at('longer.qcow2'), '3M')
  await io(at('longer.qcow2'), 'write -q -P 7 0 128k')
  cpSync(at('a.qcow2'), at('off.qcow2'))
  await runHere('bitmap', '--disable', at('off.qcow2'), 'b')
  cpSync(at('a.qcow2'), at('two.qcow2'))
  await runHere('bitmap', '--add', at('two.qcow2'), 'c')
  await io(at('two.qcow2'), 'write -q -P 7 512k 128k')
  for (const [name, image] of [
    ['deep', 'broken-zstd-short'],
    ['vm', 'case-52-vm-state'],
    ['aes', 'case-60-aes'],
    ['in-use', 'case-56-bitmap-in-use']
  ] as const)
    writeFileSync(at(`${name}.qcow2`), load(image).image)
  const leaky = Buffer.concat([readFileSync(at('a.qcow2')), Buffer.alloc(65536)])
  const block = Number(leaky.readBigUInt64BE(Number(leaky.readBigUInt64BE(48))))
  leaky.writeUInt16BE(1, block + 2 * Math.floor((leaky.length - 1) / 65536))
  writeFileSync(at('leak.qcow2'), leaky)
  const end = readFileSync(at('longer.qcow2'))
  writeFileSync(at('cut.qcow2'), end.subarray(0, end.length - 65536))
  writeFileSync(at('a.gz'), gzipSync(readFileSync(at('a.qcow2'))))
  const base = join(own, 'below', 'base.qcow2')
  await runHere('create', '-q', join(own, 'busy.qcow2'), '1M')
  await runHere('create', '-q', base, '1M')
  await runHere('create', '-q', '-o', `data_file=${join(own, 'data', 'disk.raw')}`, at('data.qcow2'), '1M')
  await runHere('create', '-q', '-b', base, '-F', 'qcow2', at('outside.qcow2'))
}

/** Serves a file under three names, on a port of this machine. */
export const serve = async (file: Uint8Array) => {
  const server = createServer((request, response) => {
    const { url = '', headers } = request
    if (url === '/keyed' && headers['x-key'] !== '1') return response.writeHead(401).end()
    if (url === '/away') return response.writeHead(302, { location: `http://localhost:${port}/any` }).end()
    const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
    const [start, stop] = [Number(from), Math.min(Number(last), file.length - 1)]
    const answer = () =>
      response
        .writeHead(206, { 'content-range': `bytes ${start}-${stop}/${file.length}`, etag: '"one"' })
        .end(file.subarray(start, stop + 1))
    return url === '/slow' ? setTimeout(answer, 100) : answer()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, base: `http://127.0.0.1:${port}` }
}
