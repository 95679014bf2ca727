/** `qcow2 rebase`: the disk stays the same over another backing file, however long that is. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { check, exitCode } from '../../spec/reference/check.js'
import { openImage } from '../../spec/reference/image.js'
import { because, get } from '../../src/node/command-error.js'
import { withImage } from '../../src/node/images/locked-image.js'
import { execute } from '../../src/node/program.js'
import { holdsInTime } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { messageOf, runHere, valueOf } from './outcome.js'

const test = suite('rebase')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-rebase-'))
const place = (name: string): string => join(folder, name)

test.after(() => {
  rmSync(folder, { recursive: true })
})

const sector = 512

/** Bytes, or zeros where the value is 0, in sectors. */
interface Mark {
  readonly at: number
  readonly length: number
  readonly value: number
}

interface Layer {
  /** Sectors. */
  readonly size: number
  readonly words: string
  readonly marks: readonly Mark[]
}

const mark: fc.Arbitrary<Mark> = fc.record({
  at: fc.nat(47),
  length: fc.integer({ min: 1, max: 24 }),
  value: fc.nat(3)
})

const layer: fc.Arbitrary<Layer> = fc.record({
  size: fc.integer({ min: 1, max: 48 }),
  words: fc.constantFrom('cluster_size=512', 'cluster_size=4k', 'cluster_size=16k,extended_l2=on', 'compat=0.10'),
  marks: fc.array(mark, { maxLength: 4 })
})

/** Makes an image with the marks that its disk has room for. */
const make = async (name: string, { size, words, marks }: Layer, backing?: string): Promise<void> => {
  const over = backing === undefined ? [] : ['-b', backing, '-F', 'qcow2']
  await runHere('create', '-q', '-o', words, ...over, place(name), `${size * sector}`)
  const marked = withImage(place(name), { allow: [] }, function* (session) {
    for (const { at, length, value } of marks) {
      const [from, bytes] = [at * sector, Math.min(length, size - at) * sector]
      if (bytes <= 0) continue
      const done =
        value === 0
          ? session.command({ _tag: 'WriteZeroes', at: from, length: bytes, unmap: false })
          : session.command({ _tag: 'Write', at: from, bytes: new Uint8Array(bytes).fill(value) })
      yield* get(E.mapLeft(because(name))(done))
    }
  })
  await valueOf(marked)
}

const content = async (name: string): Promise<Buffer> => {
  await runHere('convert', place(name), place('out.raw'))
  return readFileSync(place('out.raw'))
}

const codeOfCheck = (name: string): number => {
  const found = check(openImage(readFileSync(place(name))))
  if (E.isLeft(found)) throw new Error(found.left)
  return exitCode(found.right)
}

test('a disk stays the same over any other backing file, and over none', async () => {
  const empty = (size: number): Layer => ({ size, words: 'cluster_size=4k', marks: [] })
  const full: Layer = { ...empty(24), marks: [{ at: 0, length: 24, value: 1 }] }
  await holdsInTime(
    fc.asyncProperty(layer, layer, layer, fc.boolean(), async (old, now, top, over) => {
      await make('old', old)
      await make('now', now)
      await make('top', top, 'old')
      const wanted = await content('top')
      await runHere('rebase', ...(over ? ['-b', 'now', '-F', 'qcow2'] : ['-b', '']), place('top'))
      assert.ok((await content('top')).equals(wanted))
      assert.is(codeOfCheck('top'), 0)
    }),
    {
      runs: 60,
      examples: [
        // The new backing file has bytes where the old one had ended.
        [empty(8), full, empty(24), true],
        [full, empty(24), empty(24), false]
      ]
    }
  )
})

test('no image becomes its own backing file, nor that of one of its files', async () => {
  const create = (...words: readonly string[]): Promise<void> => runHere('create', '-q', ...words)
  await create(place('self'), '1M')
  await create('-b', 'self', '-F', 'qcow2', place('overlay'))
  await create('-o', 'data_file=data', place('external'), '1M')
  symlinkSync('self', place('link'))
  for (const [image, backing, format] of [
    ['self', 'self', 'qcow2'],
    ['self', 'link', 'qcow2'],
    ['self', 'self', 'raw'],
    ['self', 'overlay', 'qcow2'],
    ['external', 'data', 'raw']
  ] as const) {
    const before = readFileSync(place(image))
    const rebased = execute(['rebase', '-b', backing, '-F', format, place(image)], () => undefined)
    assert.match(await messageOf(rebased), 'is a file of the image', `${image} over ${backing}`)
    assert.ok(readFileSync(place(image)).equals(before))
  }
})

test.run()
