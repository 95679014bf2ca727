/** Faults of the sector store and of the crash states: files that lose what they had, states that nobody looks at. */
import type { Mutant } from './mutant.js'

export const storeMutants: readonly Mutant[] = [
  {
    name: 'a truncation leaves the bytes behind it in the last sector',
    file: 'store/store.js',
    edits: [['clipped(last, index, length)', 'last']],
    red: 'props/store/store.test.ts',
    rule: 'what a truncation took is zeros when the file grows again'
  },
  {
    name: 'a punched range takes its first sector whole',
    file: 'store/store.js',
    edits: [['const first = sectorsIn(at);', 'const first = sectorOf(at);']],
    red: 'props/store/store.test.ts',
    rule: 'a store holds what an array of bytes would after the same writes, truncations and punched ranges'
  },
  {
    name: 'a flush holds nothing back',
    file: 'store/epoch.js',
    edits: [["if (each._tag === 'Flush')\n            close();\n        else", "if (each._tag !== 'Flush')"]],
    red: 'props/store/crash.test.ts',
    rule: 'a flush keeps what comes before it; without flushes a later write is there without an earlier one'
  },
  {
    name: 'of a sector written twice only the last version is tried',
    file: 'store/epoch.js',
    edits: [['cell.versions.push(made);', 'cell.versions[1] = made;']],
    red: 'props/store/crash.test.ts',
    rule: 'states follow one another a sector apart'
  },
  {
    name: 'sectors that change places have the same digest',
    file: 'store/digest.js',
    edits: [['Math.imul(index | 0, 0x85eb_ca6b)', '0']],
    red: 'props/store/crash.test.ts',
    rule: 'a flush keeps what comes before it; without flushes a later write is there without an earlier one'
  },
  {
    name: 'a sector past the end does not make the file longer',
    file: 'store/disk.js',
    edits: [['Math.max(lengths[place] ?? 0, version.end)', 'lengths[place] ?? 0']],
    red: 'props/store/crash.test.ts',
    rule: 'a write past the end, and a truncation to where it ends: the states of each model are those that its definition gives'
  }
]
