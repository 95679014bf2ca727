/** Mutants of generated images, and of the command that compares programs on them. */
import type { Mutant } from '../mutant.js'

export const fuzzMutants: readonly Mutant[] = [
  {
    name: 'a subcluster of a valid image has data and reads as zeros',
    file: 'fuzz/sketch.ts',
    change: { in: 'drawnSlot', find: '$zeros & ~$allocated', to: '$zeros' },
    red: 'props/fuzz/images.test.ts',
    rule: 'a valid image passes a strict check, and its disk is read'
  },
  {
    name: 'a shard takes every image from its first one on',
    file: 'node/fuzz/shard.ts',
    change: { in: 'numbersOf', find: '$i += $shards', to: '$i += 1' },
    red: 'props/node/fuzz.test.ts',
    rule: 'the images of all shards are those of the whole run'
  },
  {
    name: 'the disk of the other program stays where that of the reader is looked for',
    file: 'node/fuzz/subject.ts',
    change: { in: 'tryImage', find: 'yield* get(clear())', nth: 2, operator: 'drop-statement' },
    red: 'props/node/fuzz.test.ts',
    rule: 'a disk that the other program wrote is not taken for one of the reader'
  },
  {
    name: 'campaigns of different readers are added up',
    file: 'node/fuzz/summary.ts',
    change: { in: 'merged', find: '$a.reader !== $b.reader', to: 'false' },
    red: 'props/node/fuzz.test.ts',
    rule: 'a run that cannot be done ends with exit code 2'
  }
]
