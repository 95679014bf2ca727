/** Mutants of src/crash. */
import type { Mutant } from '../mutant.js'

export const crashMutants: readonly Mutant[] = [
  {
    name: 'an appending write with an offset is at its offset',
    file: 'crash/recorded.ts',
    red: 'props/crash/recorded.test.ts',
    change: { in: 'recordedOf', find: "description.appends || args.includes('RWF_APPEND')", to: 'false' },
    rule: 'a position follows the calls of its descriptor, and the end of the file where it appends'
  }
]
