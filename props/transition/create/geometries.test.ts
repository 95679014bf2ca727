/** Images of every cluster size, with clusters of every kind and a snapshot of them. */
import { names } from '../../../corpus/load.js'
import type { Command } from '../../../src/transition/command.js'
import { suite } from '../../run/suite.js'
import { advance, begin, type Followed, sound } from '../model/follow.js'

const test = suite('geometries')

/** Some of the images, of every cluster size at least one. */
const some = names()
  .filter((name) => name.startsWith('matrix-'))
  .filter((_, i) => i % 19 === 0)

const filled = (at: number, byte: number, length: number): Command => ({
  _tag: 'Write',
  at,
  bytes: new Uint8Array(length).fill(byte)
})

/** Carries out a script on the image; what it comes to is sound. */
const carriedOut = (start: Followed, script: readonly Command[]): void => sound(script.reduce(advance, start))

for (const name of some) {
  test(`snapshots of ${name} are taken, gone back to and deleted`, () => {
    const start = begin({ _tag: 'Corpus', name })
    const { grain } = start.disk.traits
    carriedOut(start, [
      { _tag: 'SnapshotCreate', name: 'b' },
      filled(grain / 2, 9, 3 * grain),
      { _tag: 'SnapshotApply', name: 'b' },
      filled(grain, 8, 512),
      { _tag: 'SnapshotDelete', name: 'before' },
      { _tag: 'SnapshotCreate', name: 'c' },
      { _tag: 'SnapshotApply', name: 'b' },
      { _tag: 'SnapshotDelete', name: 'c' }
    ])
  })

  test(`${name} is resized, with its snapshots and without them`, () => {
    const start = begin({ _tag: 'Corpus', name })
    const { grain } = start.disk.traits
    const size = start.disk.content.length
    carriedOut(start, [
      { _tag: 'Resize', size: 3 * grain + 512 },
      { _tag: 'Resize', size },
      { _tag: 'SnapshotApply', name: 'before' },
      { _tag: 'SnapshotDelete', name: 'before' },
      { _tag: 'Resize', size: grain + 512 },
      { _tag: 'Resize', size: size + 512, preallocation: 'metadata' }
    ])
  })
}

test.run()
