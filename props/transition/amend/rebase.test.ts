/** Rebase by the header alone: another name, another format, or no backing file. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { fromText } from '../../../src/bytes/octets.js'
import type { AnyCommand } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { needsQemu } from '../../run/qemu.js'
import { suite } from '../../run/suite.js'
import { headOf, machineWith, nameOf, Seen, through, traits } from '../engine/heads.js'
import { abstraction, countsOf, type Machine, newMachine, perhaps, right } from '../model/machine.js'

const test = suite('rebase')

const to = (name: string, format: string): AnyCommand => ({ _tag: 'Rebase', backing: { name, format, layers: [] } })

test('unwritten subranges read from the new backing file, also within a partly written cluster', () => {
  const old = new Uint8Array(65_536).fill(1)
  const other = new Uint8Array(32_768).fill(2)
  const write = (m: Machine, at: number): Machine =>
    right(perhaps(m, { _tag: 'Write', at, bytes: new Uint8Array(512).fill(9) }))
  const m = write(newMachine({ size: 65_536, clusterBits: 12 }, old), 0)
  const layers = [{ _tag: 'Raw' as const, size: other.length }]
  const rebased = right(perhaps(m, { _tag: 'Rebase', backing: { name: 'other.raw', format: 'raw', layers } }))
  const { files } = write({ ...rebased, files: { ...rebased.files, backing: other } }, 8192)
  const wanted = new Uint8Array(65_536)
  wanted.set(other)
  wanted.set(old.subarray(0, 4096))
  wanted.fill(9, 0, 512)
  wanted.fill(9, 8192, 8704)
  assert.equal(abstraction(files, traits).content, wanted)
  const alone = right(perhaps(m, { _tag: 'Rebase' }))
  const { content } = abstraction(
    write({ ...alone, files: { ...alone.files, backing: new Uint8Array(0) } }, 8192).files,
    traits
  )
  assert.equal(content.subarray(4096), wanted.map((b) => (b === 2 ? 0 : b)).subarray(4096))
})

test('a crash leaves the old backing file, the new one or none, never one with the format of the other', () => {
  const seen = new Seen()
  const drawn = {
    options: { size: 2048, version: 3, clusterBits: 9 } as const,
    extensions: [{ _tag: 'BackingFormat', data: fromText('raw'), padding: new Uint8Array(0) } as const],
    name: 'base.raw'
  }
  const script = [
    to('x', 'qcow2'),
    to('x', 'raw'),
    to(nameOf(300, 'A'), 'raw'),
    to('other', 'qcow2'),
    { _tag: 'Rebase' }
  ] as const
  script.reduce((m: Machine, command) => through(m, command, seen), machineWith(drawn))
  assert.ok(seen.nameless > 0)
  assert.is(seen.cut, 0)
})

test('a rebase to the same name changes the format at once', () => {
  const seen = new Seen()
  const drawn = {
    options: { size: 2048, version: 3, clusterBits: 9 } as const,
    extensions: [{ _tag: 'BackingFormat', data: fromText('raw'), padding: new Uint8Array(0) } as const],
    name: 'base'
  }
  const { files } = through(machineWith(drawn), to('base', 'qcow2'), seen)
  assert.is(seen.nameless, 0)
  assert.equal(headOf(files).extensions, ['e2792aca0000000571636f7732'])
})

const refusals: readonly (readonly [CreateOptions, AnyCommand, string])[] = [
  [{ size: 512 }, to('m'.repeat(1024), 'raw'), 'BACK-01'],
  [{ size: 512 }, to('', 'raw'), 'BACK-01'],
  [{ size: 512 }, to('base', ''), 'BACK-05'],
  [{ size: 512 }, to('base', 'm'.repeat(16)), 'EXT-06'],
  [{ size: 512, dataFile: { name: 'a', raw: true } }, to('base', 'raw'), 'BACK-07'],
  [{ size: 512, clusterBits: 9 }, to('m'.repeat(377), 'qcow2'), 'CR-03']
]

test('a name without room, an empty name and a missing format are refused by their clauses', () => {
  for (const [options, command, clause] of refusals) {
    const done = perhaps(newMachine(options), command)
    assert.is(E.isLeft(done) && done.left[0]?.clause, clause)
  }
  const full = right(perhaps(newMachine({ size: 512, clusterBits: 9 }), to('m'.repeat(376), 'qcow2')))
  assert.is(headOf(full.files).name, '6d'.repeat(376))
})

needsQemu(test)('qemu-img info prints the name and the format that its own rebase gives', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-rebase-'))
  const run = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { cwd: folder, encoding: 'utf8' })
  const printedBy = (image: string): string =>
    run('qemu-img', 'info', image)
      .split('\n')
      .filter((line) => !/^(image|disk size)/.test(line))
      .join('\n')
  try {
    for (const [create, options] of [
      ['cluster_size=512', { size: 2 ** 20, clusterBits: 9 }],
      ['compat=0.10', { size: 2 ** 20, version: 2 as const }],
      ['compat=1.1', { size: 2 ** 20 }]
    ] as const) {
      run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', create, 'image.qcow2', `${options.size}`)
      let m: Machine = newMachine(options)
      for (const [name, format] of [
        ['base.raw', 'raw'],
        ['another base.qcow2', 'qcow2'],
        ['another base.qcow2', 'raw'],
        ['', '']
      ] as const) {
        run('qemu-img', 'rebase', '-u', '-b', name, ...(format === '' ? [] : ['-F', format]), 'image.qcow2')
        m = right(perhaps(m, name === '' ? { _tag: 'Rebase' } : to(name, format)))
        writeFileSync(join(folder, 'ours.qcow2'), m.files.image)
        assert.is(printedBy('ours.qcow2'), printedBy('image.qcow2'))
        const { corruptions, leaks } = countsOf(m.files)
        assert.equal([corruptions, leaks], [0, 0])
      }
      run('qemu-img', 'check', '-q', 'ours.qcow2')
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
