/** `qcow2 nbd`: clients see the disk that qemu-nbd shows them, and what they write is in the image. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { imageName } from '../../corpus/recipe.js'
import { cleanUp, json, libnbd, place, qemuIo, serve, serveQemu, stop, tool } from './nbd-server.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'

const test = suite('nbd')
const withQemu = needsQemu(test)
const withLibnbd = (title: string, work: () => Promise<void>): void =>
  libnbd ? withQemu(title, work) : test.skip(title, 'there is no nbdinfo on the PATH')

test.after(cleanUp)

const create = (name: string, size: string, ...options: readonly string[]): void =>
  void tool('qemu-img', 'create', '-q', '-f', 'qcow2', ...options, name, size)

/** Lines that leave data, zeros and holes of the disk in parts of clusters. */
const lines = [
  'write -P 1 0 200k',
  'write -P 2 1000 13',
  'write -f -P 3 1M 1M',
  'write -z 1088k 64k',
  'write -z -u 1280k 70k',
  'write -P 4 5M 3000',
  'discard 1536k 128k',
  'write -P 5 8189k 3k',
  'flush'
] as const

withQemu('writes, zeros and trims leave the image that they leave through qemu-nbd', async () => {
  for (const options of [
    ['-o', 'cluster_size=4k'],
    ['-o', 'compat=0.10'],
    ['-o', 'extended_l2=on']
  ]) {
    create('ours.qcow2', '8M', ...options)
    create('theirs.qcow2', '8M', ...options)
    const servers = [
      await serve('ours.qcow2'),
      await serveQemu('--discard=unmap', '-f', 'qcow2', 'theirs.qcow2')
    ] as const
    const done = servers.map(({ uri }) => qemuIo(uri(), ...lines).replace(/; [\d:.]+( sec)? \([^)]*\)/g, ''))
    assert.is(done[0], done[1])
    assert.equal(await servers[0].ended, [0, ''])
    // QEMU's may print that its client has left.
    assert.is((await servers[1].ended)[0], 0)
    tool('qemu-img', 'check', '-q', 'ours.qcow2')
    assert.is(tool('qemu-img', 'compare', 'ours.qcow2', 'theirs.qcow2'), 'Images are identical.\n')
    const allocated = ['ours.qcow2', 'theirs.qcow2'].map((name) => tool('qemu-io', '-r', '-c', 'map', name))
    assert.is(allocated[0], allocated[1], options.join(' '))
  }
})

/** Images of the corpus with data, zeros, compressed clusters, subclusters and snapshots, and their files. */
const kept = ['matrix-512-w16-v2-zlib', 'matrix-64k-w4-v3-zstd-ext', 'odd-size-within-sector']

/** Makes the images that are read, each in a folder of its own; their names and formats. */
const images = (): readonly (readonly [name: string, format: string])[] => {
  for (const name of kept) {
    mkdirSync(place(name))
    for (const [file, bytes] of load(name).files) writeFileSync(place(join(name, file)), bytes)
  }
  writeFileSync(place('base.raw'), 'base')
  truncateSync(place('base.raw'), 3 * 2 ** 20 + 700)
  tool('qemu-io', '-f', 'raw', '-c', 'write -P 9 1M 300k', 'base.raw')
  create('over.qcow2', '5M', '-b', 'base.raw', '-F', 'raw', '-o', 'extended_l2=on')
  tool('qemu-io', '-c', 'write -P 7 1200k 100k', '-c', 'write -z 64k 64k', '-c', 'write -c 2M 64k', 'over.qcow2')
  return [
    ...kept.map((name) => [join(name, imageName), 'qcow2'] as const),
    ['base.raw', 'raw'],
    ['over.qcow2', 'qcow2']
  ]
}

withQemu('a client reads and maps every kind of image as it does through qemu-nbd', async () => {
  for (const [name, format] of images()) {
    const servers = [await serve('-r', '-t', '-f', format, name), await serveQemu('-r', '-t', '-f', format, name)]
    const seen = servers.map(({ uri, socket }) => {
      tool('qemu-img', 'convert', '-f', 'raw', '-O', 'raw', uri(), `${socket}.raw`)
      return { map: json('map', '--output=json', '-f', 'raw', uri()), bytes: readFileSync(`${socket}.raw`) }
    })
    for (const server of servers) await stop(server)
    assert.equal(seen[0]?.map, seen[1]?.map, name)
    assert.equal(seen[0]?.bytes, seen[1]?.bytes, name)
  }
})

/** What `qemu-img map` reports of a metadata context: `data` is false where its state is 1. */
const mapOf = (socket: string, context: string): unknown =>
  json(
    'map',
    '--output=json',
    '--image-opts',
    `driver=nbd,server.type=unix,server.path=${socket},x-dirty-bitmap=${context}`
  )

withQemu('a dirty bitmap and the depth of allocation are reported as by qemu-nbd, also after a write', async () => {
  create('dirty.qcow2', '4M')
  for (const name of ['b0', 'b1']) tool('qemu-img', 'bitmap', '--add', '-g', '64k', 'dirty.qcow2', name)
  tool('qemu-img', 'bitmap', '--disable', 'dirty.qcow2', 'b1')
  tool('qemu-io', '-c', 'write 100k 1', '-c', 'write 1M 1M', 'dirty.qcow2')
  copyFileSync(place('dirty.qcow2'), place('dirty2.qcow2'))
  const args = ['-t', '-A', '-B', 'b0', '-B', 'b1'] as const
  const ours = await serve(...args, 'dirty.qcow2')
  const theirs = await serveQemu('-f', 'qcow2', ...args, 'dirty2.qcow2')
  const contexts = ['qemu:dirty-bitmap:b0', 'qemu:dirty-bitmap:b1', 'qemu:allocation-depth'] as const
  for (const context of contexts) assert.equal(mapOf(ours.socket, context), mapOf(theirs.socket, context), context)
  await stop(theirs)
  qemuIo(ours.uri(), 'write 3M 64k')
  const marked = JSON.stringify(mapOf(ours.socket, 'qemu:dirty-bitmap:b0'))
  assert.ok(marked.includes('"start":3145728,"length":65536'), marked)
  await stop(ours)
})

withQemu(
  'a signal ends the server after a flush: the socket and the pid file are gone, the code names it',
  async () => {
    create('signal.qcow2', '1M')
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143]
    ] as const) {
      const server = await serve('-t', '--pid-file', 'pid', 'signal.qcow2')
      qemuIo(server.uri(), `write -P ${code} 0 64k`)
      assert.is(readFileSync(place('pid'), 'latin1'), `${server.child.pid ?? 0}\n`)
      assert.equal(await stop(server, signal), [code, ''])
      assert.not.ok(existsSync(server.socket))
      assert.not.ok(existsSync(place('pid')))
      tool('qemu-io', '-r', '-c', `read -P ${code} 0 64k`, 'signal.qcow2')
    }
  }
)

withLibnbd('nbdinfo prints of the export what it prints of one of qemu-nbd', async () => {
  create('info.qcow2', '4M')
  copyFileSync(place('info.qcow2'), place('info2.qcow2'))
  for (const more of [[], ['-r', '-e', '3']]) {
    const args = ['-t', '-x', 'disk é', '-D', 'a description', ...more]
    const servers = [await serve(...args, 'info.qcow2'), await serveQemu('-f', 'qcow2', ...args, 'info2.qcow2')]
    const printed = servers.map(({ uri, socket }) =>
      [tool('nbdinfo', uri(encodeURIComponent('disk é'))), tool('nbdinfo', '--list', uri())]
        .join('')
        .replaceAll(socket, 'SOCKET')
    )
    for (const server of servers) await stop(server)
    assert.is(printed[0], printed[1])
    assert.match(printed[0] ?? '', 'description: a description')
  }
})

withLibnbd('nbdcopy copies to and from the export', async () => {
  create('copy.qcow2', '8M')
  const bytes = Buffer.alloc(8 * 2 ** 20)
  for (let i = 0; i < bytes.length; i++) if ((i >> 18) % 3 !== 1) bytes[i] = (i * 31 + (i >> 12)) & 0xff
  writeFileSync(place('in.raw'), bytes)
  const server = await serve('-t', '-e', '0', 'copy.qcow2')
  tool('nbdcopy', '--flush', 'in.raw', server.uri())
  tool('nbdcopy', server.uri(), 'out.raw')
  await stop(server)
  assert.ok(readFileSync(place('out.raw')).equals(bytes))
  tool('qemu-img', 'check', '-q', 'copy.qcow2')
  assert.is(tool('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', 'in.raw', 'copy.qcow2'), 'Images are identical.\n')
})

test.run()
