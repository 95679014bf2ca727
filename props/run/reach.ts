/** Which sources a change can reach: those that load a changed file, or start it as a process, however indirectly. */

/** The test files that read whole folders of sources, by what they read. */
const readers: readonly (readonly [file: RegExp, readers: readonly string[]])[] = [
  [
    /^(src|spec)\/.*\.ts$/,
    ['props/package/architecture.test.ts', 'props/mutants/mutants.test.ts', 'props/spec/clauses.test.ts']
  ],
  [/^src\/.*\.ts$/, ['props/format/clauses.test.ts']],
  [/^(props|corpus)\/.*\.ts$/, ['props/package/architecture.test.ts']],
  [/^corpus\/(images|expect)\//, ['corpus/load.ts']],
  [/^spec\/(structures|errata|qemu|superseded)\.md$/, ['props/spec/pages.test.ts']],
  [/^spec\/edges\.md$/, ['props/transition/crash/edges.test.ts', 'props/transition/crash/flushes.test.ts']],
  [/(^|\/)README\.md$|^package.*\.json$/, ['props/package/package.test.ts', 'props/package/architecture.test.ts']]
]

/** Whether a test file reads whole folders of sources: any change reaches it, and few concern it. */
export const readsFolders = (path: string): boolean => readers.some(([, paths]) => paths.includes(path))

const readersOf = (file: string): readonly string[] =>
  readers.flatMap(([pattern, paths]) => (pattern.test(file) ? paths : []))

/**
 * The number of steps from each reached source to the nearest changed file: 0 for a changed source, 1 for one that loads
 * it. `loads` has for each source those that it loads or starts.
 */
export const reach = (
  loads: ReadonlyMap<string, readonly string[]>,
  changed: readonly string[]
): ReadonlyMap<string, number> => {
  const loadedBy = new Map<string, string[]>()
  for (const [path, targets] of loads)
    for (const target of targets) loadedBy.set(target, [...(loadedBy.get(target) ?? []), path])
  const steps = new Map<string, number>()
  let next = changed
  for (let step = 0; next.length > 0; step++) {
    const fresh = next.filter((path) => !steps.has(path))
    for (const path of fresh) steps.set(path, step)
    next = fresh.flatMap((path) => [...(loadedBy.get(path) ?? []), ...(step === 0 ? readersOf(path) : [])])
  }
  return steps
}
