/** Faults of the sector store and of the crash states: files that lose what they had, states that nobody looks at. */
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
  },
  {
    name: 'a flush holds nothing back',
    file: 'store/epoch.js',
    edits: [["if (each._tag === 'Flush')\n            close();\n        else", "if (each._tag !== 'Flush')"]],
    red: 'props/store/crash.test.ts'
  },
  {
    name: 'of a sector written twice only the last version is tried',
    file: 'store/epoch.js',
    edits: [['cell.versions.push(made);', 'cell.versions[1] = made;']],
    red: 'props/store/crash.test.ts'
  },
  {
    name: 'sectors that change places have the same digest',
    file: 'store/digest.js',
    edits: [['Math.imul(index | 0, 0x85eb_ca6b)', '0']],
    red: 'props/store/crash.test.ts'
  },
  {
    name: 'a sector past the end does not make the file longer',
    file: 'store/disk.js',
    edits: [['Math.max(lengths[place] ?? 0, version.end)', 'lengths[place] ?? 0']],
    red: 'props/store/crash.test.ts'
  }
]
