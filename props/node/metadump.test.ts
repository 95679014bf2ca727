/** `metadump`: QEMU finds in the copy what it finds in the image, and nothing that the guest wrote is in it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { execute } from '../../src/node/program.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { messageOf, runHere, valueOf } from './outcome.js'

const test = suite('metadump command')
const withQemu = needsQemu(test)

const folder = mkdtempSync(join(tmpdir(), 'qcow2-metadump-'))
const at = (name: string): string => join(folder, name)
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** An image without its backing file. */
const alone = (path: string): string => `driver=qcow2,file.filename=${path},backing=`

/** A byte that no table of these images holds three times in a row. */
const marker = 0xd7

test.before(async () => {
  await runHere('create', '-q', '-o', 'cluster_size=4k', '-b', 'folder-of-smith/base', '-F', 'raw', '-u', at('a'), '4M')
  const io = (...written: readonly string[]): Promise<void> =>
    runHere('io', ...written.flatMap((line) => ['-c', line]), '--image-opts', alone(at('a')))
  await io(`write -q -P ${marker} 0 1M`, `write -q -c -P ${marker} 1M 64k`)
  await runHere('snapshot', '-c', 'before smith', at('a'))
  await runHere('bitmap', '--add', at('a'), 'of smith')
  await io(`write -q -P ${marker} 512k 1M`)
  // The active L1 table names a data cluster, which the snapshot has too, in the place of its first L2 table.
  const image = readFileSync(at('a'))
  const l1 = Number(image.readBigUInt64BE(40))
  const l2 = Number(image.readBigUInt64BE(l1) & 0xff_ffff_ffff_fe00n)
  image.writeBigUInt64BE(image.readBigUInt64BE(l2), l1)
  writeFileSync(at('bad'), image)
})

withQemu('qemu-img check of the copy is that of the image, damage included', async () => {
  for (const name of ['a', 'bad']) {
    await runHere('metadump', at(name), at('copy'))
    const [image, copy] = [at(name), at('copy')].map((path) => {
      const { status, stdout } = spawnSync('qemu-img', ['check', '--output=json', '--image-opts', alone(path)], {
        encoding: 'utf8'
      })
      return [status, stdout.replaceAll(path, '')]
    })
    assert.equal(copy, image)
    assert.is(image?.[0], name === 'a' ? 0 : 2)
  }
})

test('nothing that the guest wrote and no name is in the copy, which has holes for them', async () => {
  await runHere('metadump', at('a'), at('copy'))
  const [image, copy] = [readFileSync(at('a')), readFileSync(at('copy'))]
  const guest = Buffer.alloc(3, marker)
  assert.ok(image.includes(guest) && image.includes('smith'))
  assert.not.ok(copy.includes(guest) || copy.includes('smith'))
  assert.is(copy.length, image.length)
  assert.ok(statSync(at('copy')).blocks * 512 < image.length / 4)
  await runHere('metadump', '--keep-names', at('a'), at('copy'))
  assert.ok(readFileSync(at('copy')).includes('smith'))
})

test('bytes that are both metadata and guest data are in the copy, with a warning', async () => {
  const warnings: string[] = []
  await valueOf(execute(['metadump', at('bad'), at('copy')], ({ message }) => warnings.push(message)))
  assert.is(warnings.length, 1)
  assert.match(
    warnings[0] ?? '',
    /^'.*copy' has bytes of \d+ places that are both metadata and guest data, the first at byte \d+$/
  )
})

test('what is no image is refused by its name, and leaves no file', async () => {
  writeFileSync(at('text'), 'no image\n')
  assert.match(await messageOf(execute(['metadump', at('text'), at('none')], () => undefined)), /a text file/)
  assert.throws(() => statSync(at('none')))
})

test.run()
