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
import { task, using, wait } from '../../command-error.js'
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
}

/** The bytes of all files of a folder, by name. */
export const filesIn = (folder: string): ReadonlyMap<string, Uint8Array> =>
  new Map(readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]))

const diskIn = (folder: string, options: Partial<OpenOptions> = {}) =>
  openChain(join(folder, imageName), { allow: [], ...options })

const bytesOf = ({ chain, ...files }: OpenChain) => run(files, () => readGuest(chain, 0, chainSize(chain), native))

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
  return yield* using(diskIn(folder), async function* (files) {
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
        yield* using(diskIn(folder, { snapshot: name }), async function* (other) {
          return yield* wait(bytesOf(other))
        })
      )
    }
    const state: State = {
      disk: yield* wait(bytesOf(files)),
      snapshots,
      metadata,
      findings: report.findings.filter(({ severity }) => severities.includes(severity)),
      dirty: yield* wait(dirtyIn(files, metadata))
    }
    return state
  })
})
