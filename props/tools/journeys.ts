/**
 * Prints how many source files outside of the shell three journeys enter, and which: `npm run journeys`.
 *
 * A file is entered when a journey calls one of its functions, methods or getters, arrow functions of rule tables included.
 * Loading a file does not count, nor what is called while the journey is prepared; a function that V8 inlines counts.
 */
import { Session } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import { noise } from '../../src/fuzz/noise.js'
import { fromMemory, runSync } from '../../src/bytes/plan.js'
import { portable } from '../../src/compression/decompress.js'
import { formsOf, regionJson } from '../../src/image/dump/region-json.js'
import { activeDisk } from '../../src/image/guest/extents.js'
import type { Layer } from '../../src/image/guest/chain.js'
import { readGuest } from '../../src/image/guest/read.js'
import { type AnyCommand, step } from '../../src/transition/command.js'
import { type Machine, newMachine, perhaps, right, runOver } from '../transition/model/machine.js'

/** Something that is done with what was prepared, and the most files it may enter. */
interface Journey {
  readonly title: string
  readonly most: number
  readonly go: () => unknown
}

const cluster = 2 ** 16

const after = (m: Machine, ...commands: readonly AnyCommand[]): Machine =>
  commands.reduce<Machine>((done, command) => right(perhaps(done, command)), m)

const layerOf = ({ opened }: Machine): Layer => ({ _tag: 'Image', disk: activeDisk(opened.metadata, opened.g) })

const read = (): Journey => {
  const empty = newMachine({ size: 4 * cluster })
  const base = after(empty, { _tag: 'WriteCompressed', at: cluster, bytes: new Uint8Array(cluster).fill(1) })
  const overlay = after(empty, { _tag: 'Write', at: 0, bytes: noise(1, cluster) })
  const chain = [layerOf(overlay), layerOf(base)] as const
  return {
    title: 'a guest read through a backing chain with a compressed cluster',
    most: 15,
    go: () =>
      runSync(readGuest(chain, cluster - 2048, 4096, portable), {
        read: (request) => fromMemory((request.file.depth === 0 ? overlay : base).files.image)(request)
      })
  }
}

const write = (): Journey => {
  const before = after(
    newMachine({ size: 4 * cluster }),
    { _tag: 'Write', at: 0, bytes: noise(1, 2 * cluster) },
    { _tag: 'SnapshotCreate', name: 'before' },
    { _tag: 'Write', at: cluster, bytes: noise(2, 4096) }
  )
  const command = { _tag: 'Write', at: 8192, bytes: noise(3, 4096) } as const
  return {
    title: 'a write of 4 KiB with copy-on-write after a snapshot',
    most: 25,
    go: () => runOver(before.files, step(before.opened, command))
  }
}

const dump = (): Journey => {
  const bytes = new Uint8Array(cluster)
  bytes.set([0x80, 0, 0, 0, 0, 5, 0, 0], 8)
  const g = { version: 3, clusterBits: 16, extendedL2: false, externalDataFile: false, refcountOrder: 4 }
  const forms = formsOf(g)
  return {
    title: 'one L2 entry to a line of dump',
    most: 10,
    go: () =>
      JSON.stringify(regionJson({ structure: 'L2 table', at: 4 * cluster, bytes, of: 'active', index: 0 }, forms))
  }
}

const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

const root = new URL('../../src/', import.meta.url)

/** The source files of which a function was called since the last time, by their paths below src; the shell is left out. */
const entered = (): readonly string[] => {
  const paths: string[] = []
  session.post('Profiler.takePreciseCoverage', (error, coverage) => {
    if (error !== null) throw error
    for (const { url, functions } of coverage.result) {
      // The function at byte 0 is the script itself: it runs when the file is loaded.
      const called = functions.some(({ ranges }) => ranges.some((r) => r.startOffset > 0 && r.count > 0))
      if (!url.startsWith(root.href) || !called) continue
      const path = fileURLToPath(url).slice(fileURLToPath(root).length).replace(/\.js$/, '.ts')
      if (!path.startsWith('node/')) paths.push(path)
    }
  })
  return paths.sort()
}

for (const { title, most, go } of [read(), write(), dump()]) {
  entered()
  go()
  const paths = entered()
  console.log(`${title}: ${paths.length} files, at most ${most}`)
  for (const path of paths) console.log(`  ${path}`)
  if (paths.length > most) process.exitCode = 1
}
