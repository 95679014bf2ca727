/** Faults of writers that take an image for what it is not, and of writes. */
import type { Mutant } from './mutant.js'

export const writingMutants: readonly Mutant[] = [
  {
    name: 'a refcount block may lie behind the end of any file',
    file: 'transition/engine/refcounts.js',
    edits: [[' && offset <= Number.MAX_SAFE_INTEGER', '']],
    red: 'props/transition/engine/far.test.ts',
    rule: 'a refcount block behind the end of any file is refused'
  },
  {
    name: 'bytes are written behind the end of any file',
    file: 'transition/engine/finish.js',
    edits: [['if (far !== undefined)', 'if (false)']],
    red: 'props/transition/repair/damaged.test.ts',
    rule: 'whatever is wrong with an image, a command ends in writes or in a clause'
  },
  {
    name: 'autoclear bits that nobody knows are left',
    file: 'transition/engine/open.js',
    edits: [['autoclearFeatures.reserved !== 0n', 'false']],
    red: 'props/transition/engine/open.test.ts',
    rule: 'autoclear bits that nobody knows are cleared before anything is written, and no others'
  },
  {
    name: 'a dirty image is written',
    file: 'transition/engine/open.js',
    edits: [['if (dirty)', 'if (false)']],
    red: 'props/transition/engine/open.test.ts',
    rule: 'an image that is dirty or marked corrupt is not opened'
  },
  {
    name: 'bytes that are written in place go to the beginning of their cluster',
    file: 'transition/guest/write.js',
    edits: [['host + at, bytes.subarray(at - start', 'host, bytes.subarray(at - start']],
    red: 'props/transition/guest/laws.test.ts',
    rule: 'a write that is split in two equals the whole'
  }
]
