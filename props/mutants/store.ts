/** Faults of the sector store: files that hold something else than what was written. */
import type { Mutant } from './mutant.js'

export const storeMutants: readonly Mutant[] = [
  {
    name: 'a truncation leaves the bytes behind it in the last sector',
    file: 'store/store.js',
    edits: [['clipped(last, index, length)', 'last']],
    red: 'props/store/store.test.ts'
  },
  {
    name: 'a punched range takes its first sector whole',
    file: 'store/store.js',
    edits: [['const first = sectorsIn(at);', 'const first = sectorOf(at);']],
    red: 'props/store/store.test.ts'
  }
]
