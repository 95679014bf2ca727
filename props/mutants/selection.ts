/** Which mutants a run tries: those of files, of changed lines, a sample, a shard. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate, type GeneratedMutant } from './generated.js'
import type { OperatorName } from './operators.js'

/** The sources that tests load in Node, below src: all but the page of the explorer, which runs in a browser. */
const sourcesBelow = (root: string): readonly string[] =>
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.startsWith('explorer/page/'))
    .sort()

/** All mutants of the sources at these paths or below them; of all sources if there is none. */
export const mutantsAt = (
  root: string,
  paths: readonly string[],
  names?: readonly OperatorName[]
): readonly GeneratedMutant[] => {
  const wanted = paths.map((path) => path.replace(/^(\.\/)?src\//, '').replace(/\/$/, ''))
  return sourcesBelow(root)
    .filter((file) => wanted.length === 0 || wanted.some((path) => file === path || file.startsWith(`${path}/`)))
    .flatMap((file) => generate(file, readFileSync(join(root, 'src', file), 'utf8'), names))
}

/** The lines of each file that differ from a revision, committed or not. The paths are relative to the root. */
const changedLines = (root: string, revision: string): ReadonlyMap<string, ReadonlySet<number>> => {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 })
  const changed = new Map<string, Set<number>>()
  let lines = new Set<number>()
  for (const line of git('diff', '--unified=0', '--no-color', '--no-ext-diff', revision, '--', 'src').split('\n')) {
    const file = /^\+\+\+ b\/(.*)$/.exec(line)?.[1]
    if (file !== undefined) changed.set(file, (lines = new Set()))
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line)
    const [from, count] = [Number(hunk?.[1] ?? 0), hunk === null ? 0 : Number(hunk[2] ?? 1)]
    for (let i = 0; i < count; i++) lines.add(from + i)
  }
  for (const file of git('ls-files', '--others', '--exclude-standard', '--', 'src').split('\n'))
    if (file.endsWith('.ts'))
      changed.set(
        file,
        new Set(
          readFileSync(join(root, file), 'utf8')
            .split('\n')
            .map((_, i) => i + 1)
        )
      )
  return changed
}

/** Those of the mutants on a line that differs from a revision. */
export const changedSince = (
  root: string,
  revision: string,
  mutants: readonly GeneratedMutant[]
): readonly GeneratedMutant[] => {
  const changed = changedLines(root, revision)
  return mutants.filter(({ file, line }) => changed.get(`src/${file}`)?.has(line) === true)
}

/** So many of the mutants, drawn by a seed: the same ones wherever their lines have moved to, and in any shard. */
export const sample = (mutants: readonly GeneratedMutant[], size: number, seed: number): readonly GeneratedMutant[] =>
  mutants
    .map((mutant) => ({
      mutant,
      rank: createHash('sha256').update(`${seed} ${mutant.operator} ${mutant.key}`).digest('hex')
    }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0))
    .slice(0, size)
    .map(({ mutant }) => mutant)
