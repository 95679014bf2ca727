/** What a test file costs and which code it reaches, kept from run to run for as long as all that it loads stays the same. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as t from 'io-ts'
import { namedModules } from '../run/imports.js'
import { reach } from '../run/reach.js'
import { Coverage } from './coverage.js'
import { runCovered } from './trial.js'

export const Probe = t.readonly(
  t.type({
    /** Of all that the test file loads. */
    hash: t.string,
    /** Tests that fail without a fault when they run as in a trial: such a file finds nothing. */
    failed: t.readonlyArray(t.string),
    /** CPU time with a tenth of the cases, in seconds. */
    cpu: t.number,
    cases: t.number,
    /** Whether some of its tests need QEMU. */
    needsQemu: t.boolean,
    coverage: Coverage
  })
)
export type Probe = t.TypeOf<typeof Probe>

/** Test files about the sources as texts, about the package, of other programs, and of browsers: no mutant is theirs to find. */
const unrelated = /^props\/((mutants|run|package|matrix|iotests)\/|explorer\/page)/

/** CPU time after which a test file is too slow for trials, in seconds. */
const slowest = 60

/** The sources of a tree, as paths from its root, each with those that it loads or starts. */
const loadsIn = (root: string): ReadonlyMap<string, readonly string[]> =>
  new Map(
    ['src', 'spec', 'props', 'corpus'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.c?ts$/.test(name))
        .map((name) => `${folder}/${name}`)
        .map((path) => [path, namedModules(path, readFileSync(join(root, path), 'utf8'))] as const)
    )
  )

/** All that a source loads, itself included. */
const closure = (loads: ReadonlyMap<string, readonly string[]>, path: string): readonly string[] => {
  const found = new Set([path])
  for (const each of found) for (const next of loads.get(each) ?? []) found.add(next)
  return [...found].sort()
}

export interface Probes {
  /** The test files that load a source of src, the nearest first, and how far each is from it. */
  readonly candidates: (file: string) => ReadonlyMap<string, number>
  /** The probe of a test file, which runs once in a copy of the build that has no fault. */
  readonly probe: (path: string, copy: string) => Promise<Probe>
  /** The CPU time of a test file that has been probed, in seconds. */
  readonly knownCpu: (path: string) => number | undefined
}

/** The probes of the test files of a tree. Those that still hold are read from a folder. */
export const probesIn = (root: string, folder: string): Probes => {
  mkdirSync(folder, { recursive: true })
  const loads = loadsIn(root)
  const hashes = new Map<string, string>()
  const hashOf = (path: string): string => {
    const known = hashes.get(path)
    if (known !== undefined) return known
    const sum = createHash('sha256')
    for (const each of closure(loads, path))
      if (existsSync(join(root, each))) sum.update(each).update(readFileSync(join(root, each)))
    const hash = sum.digest('hex')
    hashes.set(path, hash)
    return hash
  }
  const pathOf = (path: string): string => join(folder, `${path.replaceAll('/', '-')}.json`)
  const kept = (path: string): Probe | undefined => {
    if (!existsSync(pathOf(path))) return undefined
    const decoded = Probe.decode(JSON.parse(readFileSync(pathOf(path), 'utf8')))
    return decoded._tag === 'Right' && decoded.right.hash === hashOf(path) ? decoded.right : undefined
  }
  const make = async (path: string, copy: string): Promise<Probe> => {
    const settings = { runs: 0.1, withQemu: false, cpuLimit: slowest }
    const { result, coverage } = await runCovered(copy, path, settings)
    const [account] = result.accounts
    const probe: Probe = {
      hash: hashOf(path),
      failed: result.failed,
      cpu: account?.cpu ?? slowest,
      cases: account?.cases ?? 0,
      needsQemu: (account?.skipped ?? 0) > 0,
      coverage
    }
    writeFileSync(pathOf(path), JSON.stringify(probe))
    return probe
  }

  const probes = new Map<string, Promise<Probe>>()
  const known = new Map<string, number>()
  const probe = async (path: string, copy: string): Promise<Probe> => {
    const started = probes.get(path)
    if (started !== undefined) return started
    const found = kept(path)
    const starting = found === undefined ? make(path, copy) : Promise.resolve(found)
    probes.set(path, starting)
    const made = await starting
    known.set(path, made.cpu)
    return made
  }
  return {
    candidates: (file) =>
      new Map(
        [...reach(loads, [`src/${file}`])].filter(([path]) => path.endsWith('.test.ts') && !unrelated.test(path))
      ),
    probe,
    knownCpu: (path) => known.get(path)
  }
}
