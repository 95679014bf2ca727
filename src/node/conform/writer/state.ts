/** The state of an image and the files beside it, as a writer finds it and as it leaves it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { label } from '../../../bytes/octets.js'
import { orFail } from '../../../bytes/plan.js'
import { checkMetadata } from '../../../image/check/check.js'
import type { Finding } from '../../../image/check/findings.js'
import { type DirtyRange, dirtyRanges } from '../../../image/guest/bitmap-ranges.js'
import { chainSize } from '../../../image/guest/chain.js'
import { readGuest } from '../../../image/guest/read.js'
import { type Metadata, readMetadata } from '../../../image/metadata.js'
import { get, system, task, using, wait } from '../../command-error.js'
import { native } from '../../compression/native.js'
import { run } from '../../files/source.js'
import { type OpenChain, openChain, type OpenOptions } from '../../images/open.js'
import { imageName } from '../suite.js'

/** What is in an image. */
export interface State {
  readonly disk: Uint8Array
  /** The disks of the snapshots by their ids. */
  readonly snapshots: ReadonlyMap<string, Uint8Array>
  readonly metadata: Metadata
  /** What a check finds that is an error or a leak. */
  readonly findings: readonly Finding[]
  /** The guest bytes that each enabled bitmap marks. */
  readonly dirty: readonly (readonly DirtyRange[])[]
  /** The bytes of the external data file, where the image says that they are the raw disk. @see DATA-07 */
  readonly rawData: Uint8Array | undefined
}

/** The bytes of the regular files of a folder, by name. */
export const filesIn = (folder: string): ReadonlyMap<string, Uint8Array> => {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(files.map(({ name }) => [name, new Uint8Array(readFileSync(join(folder, name)))]))
}

const openIn = (folder: string, options: Partial<OpenOptions> = {}) =>
  openChain(join(folder, imageName), { allow: [], ...options })

const diskOf = ({ chain, ...files }: OpenChain) => run(files, () => readGuest(chain, 0, chainSize(chain), native))

const dirtyIn = task(async function* (files: OpenChain, m: Metadata) {
  const all: (readonly DirtyRange[])[] = []
  const { geometry } = m
  if (geometry === undefined) return all
  for (const bitmap of m.bitmaps.filter(({ flags }) => flags.auto && !flags.inUse)) {
    const ranges: DirtyRange[] = []
    yield* wait(
      run(
        files,
        () => dirtyRanges(m, geometry, bitmap),
        (range: DirtyRange) => void ranges.push(range)
      )
    )
    all.push(ranges.filter(({ dirty }) => dirty))
  }
  return all
})

const severities: readonly string[] = ['corruption', 'leak', 'error', 'flaw']

/** Reads the state of the image in a folder; fails where the image does not open or its disk does not read. */
export const stateIn = task(async function* (folder: string) {
  return yield* using(openIn(folder), async function* (files) {
    const metadata = yield* wait(
      run(files, function* () {
        return yield* orFail(yield* readMetadata())
      })
    )
    const [image] = files.sources
    const data = files.fileOf({ part: 'data', depth: 0 })
    const lengths = data === undefined ? {} : { dataFileLength: data.length }
    const report = yield* wait(
      run(files, function* () {
        return yield* orFail(yield* checkMetadata(metadata, image.length, { ...lengths, deep: native }))
      })
    )
    const snapshots = new Map<string, Uint8Array>()
    for (const { id } of metadata.snapshots) {
      const name = label(id)
      snapshots.set(
        name,
        yield* using(openIn(folder, { snapshot: name }), async function* (other) {
          return yield* wait(diskOf(other))
        })
      )
    }
    const isRaw = metadata.header.autoclearFeatures.rawExternalData
    const rawData =
      data === undefined || !isRaw
        ? undefined
        : yield* get(system('read', data.name, () => new Uint8Array(readFileSync(data.name))))
    const state: State = {
      disk: yield* wait(diskOf(files)),
      snapshots,
      metadata,
      findings: report.findings.filter(({ severity }) => severities.includes(severity)),
      dirty: yield* wait(dirtyIn(files, metadata)),
      rawData
    }
    return state
  })
})
