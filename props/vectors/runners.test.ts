/** The runners for those without Node: they say of qemu-img what `qcow2 conform` says. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { corpusFolder } from '../../corpus/load.js'
import { expectedOfReader } from '../../src/node/conform/outcome.js'
import { loadVectors } from '../../src/node/conform/suite.js'
import { right } from '../image/world.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { tableOf, writeFolder } from './archive.js'

const test = suite('runners')

const root = mkdtempSync(join(tmpdir(), 'qcow2-runners-'))
const { vectors } = right(loadVectors())
/** Every so many of the vectors that a reader is asked about. */
const some = vectors.filter((v) => expectedOfReader(v) !== undefined).filter((_, i) => i % 40 === 0)
const folder = join(root, 'vectors')

test.before(() => {
  writeFolder(some, folder)
})

const run = (program: string, args: readonly string[]) => spawnSync(program, args, { encoding: 'utf8' })

/** The runners, each as the command line before that of the reader. */
const runners: readonly { readonly name: string; readonly make: () => readonly [string, ...string[]] | undefined }[] = [
  {
    name: 'Python',
    make: () => (run('python3', ['--version']).status === 0 ? ['python3', join(folder, 'run.py')] : undefined)
  },
  {
    name: 'C',
    make: () => {
      const made = run('cc', ['-O2', '-o', join(root, 'run'), join(corpusFolder, 'vectors', 'run.c'), '-lcrypto'])
      return made.status === 0 ? [join(root, 'run'), folder] : undefined
    }
  }
]

for (const { name, make } of runners)
  needsQemu(test)(`the runner in ${name} passes qemu-img, and fails a reader that does nothing`, () => {
    const [program, ...first] = make() ?? []
    if (program === undefined) {
      assert.is(process.env['QCOW2_REQUIRE_QEMU'], undefined, `the runner in ${name} cannot be made here`)
      return
    }
    const good = run(program, [...first, 'qemu-img convert -f qcow2 -O raw {image} {out}'])
    assert.is(good.stdout, `${some.length} passed, 0 failed\n`)
    assert.is(good.status, 0)
    const bad = run(program, [...first, 'test -f {image}'])
    assert.ok(bad.stdout.endsWith(`0 passed, ${some.length} failed\n`), bad.stdout.slice(-200))
    assert.is(bad.status, 1)
  })

test('the table has a line for each vector that a reader is asked about', () => {
  assert.is(tableOf(some).trimEnd().split('\n').length, some.length + 1)
})

test.after(() => {
  rmSync(root, { recursive: true })
})

test.run()
