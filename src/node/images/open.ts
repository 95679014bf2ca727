/** Opening a chain: the image, its data file and its backing files, as far as their names may be followed. */
import { basename } from 'node:path'
import { realpathSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { fromText, label, equal } from '../../bytes/octets.js'
import type { Issue } from '../../bytes/issue.js'
import { fromMemory, type Read } from '../../bytes/plan.js'
import type { Chain, Layer } from '../../image/guest/chain.js'
import { activeDisk, type Disk, snapshotDisk } from '../../image/guest/extents.js'
import type { Geometry } from '../../format/geometry.js'
import type { SnapshotEntry } from '../../format/snapshot.js'
import { lastExtension, type Metadata, readMetadata, refusal } from '../../image/metadata.js'
import { vmStateDisk } from '../../image/guest/vm-state.js'
import { fail } from '../files/output.js'
import { refusalLine } from './usable.js'
import { openFile, reason } from '../files/file.js'
import { backingPath, dataPath } from './follow.js'
import { isUrl, openSource, type Source } from '../files/source.js'
import { inOwnTime, run, type World } from '../files/world.js'

/** A chain whose files are open. */
export interface OpenChain {
  readonly chain: Chain
  /** Answers the requests of plans on the chain. */
  readonly world: World
  /** The names of the layers' files. */
  readonly names: readonly string[]
  /** The names of the files that hold their guest bytes. */
  readonly holders: readonly string[]
  readonly close: () => void
}

/** What may be followed, and what is opened. */
export interface OpenOptions {
  /** Folders, beside the image's own, whose files may be opened as backing files. */
  readonly allow: readonly string[]
  /** A snapshot by id or name, in place of the active disk. @see SNAP-10 */
  readonly snapshot?: string
  /** The VM state of that snapshot in place of its disk. @see SNAP-12 */
  readonly vmState?: boolean
  /** What the top file is; qcow2 unless it is given. */
  readonly format?: 'qcow2' | 'raw'
}

/** Most backing files of a chain. */
const maxDepth = 64

interface Files {
  readonly image: Source
  readonly data?: Source
}

/** A backing file by its path and format. */
interface Backing {
  readonly path: string
  readonly format: 'qcow2' | 'raw'
}

/** Backing file formats that are read. A format that is not named is never guessed. @see BACK-05 */
const formatOf = (m: Metadata): E.Either<string, Backing['format']> => {
  const stored = lastExtension(m.extensions, 'BackingFormat')
  const format = stored === undefined ? '' : label(stored.data)
  if (format === 'qcow2' || format === 'raw') return E.right(format)
  return E.left(
    format === '' ? 'its format is not named, and is not guessed [BACK-05]' : `its format '${format}' is not known`
  )
}

/** The snapshot by id or name, or by what `snapshot.id=` and `snapshot.name=` say of it. */
const snapshotOf = (m: Metadata, wanted: string) => {
  const { id, name } =
    /^(?=snapshot\.)(?:snapshot\.id=(?<id>[^,]*),?)?(?:snapshot\.name=(?<name>.*))?$/.exec(wanted)?.groups ?? {}
  const is = (bytes: Uint8Array, text: string | undefined): boolean =>
    text === undefined || equal(bytes, fromText(text))
  if (id !== undefined || name !== undefined) return m.snapshots.find((s) => is(s.id, id) && is(s.name, name))
  return m.snapshots.find((s) => is(s.id, wanted)) ?? m.snapshots.find((s) => is(s.name, wanted))
}

interface Step {
  readonly layer: Layer
  readonly files: Files
  readonly next?: Backing
}

const diskOf = (
  m: Metadata,
  g: Geometry,
  snapshot: SnapshotEntry | undefined,
  vmState: boolean
): E.Either<readonly Issue[], Disk> => {
  if (snapshot === undefined) return E.right(activeDisk(m, g))
  return vmState ? vmStateDisk(m, g, snapshot) : snapshotDisk(m, g, snapshot)
}

const rawStep = (image: Source): Step => ({
  layer: { _tag: 'Raw', size: image.length },
  files: { image }
})

const withData = (name: string, m: Metadata, image: Source): E.Either<string, Files> => {
  if (!m.header.incompatibleFeatures.externalDataFile) return E.right({ image })
  return E.map((data: Source): Files => ({ image, data }))(E.chain(openFile)(dataPath(name, m)))
}

const nextOf = (image: string, m: Metadata, name: Uint8Array, options: OpenOptions): E.Either<string, Backing> =>
  pipe(
    formatOf(m),
    E.chain((format) => E.map((path: string): Backing => ({ path, format }))(backingPath(image, name, options.allow))),
    E.mapLeft((why) => `Could not open backing file '${label(name)}': ${why}`)
  )

const imageStep = async (image: Source, options: OpenOptions, top: boolean): Promise<E.Either<string, Step>> => {
  const read = E.flattenW(await run(image.world, readMetadata))
  if (E.isLeft(read)) return E.left(refusalLine(image.name, read.left))
  const m = read.right
  const refused = refusal(m.issues)
  if (refused !== undefined || m.geometry === undefined)
    return E.left(refusalLine(image.name, refused === undefined ? m.issues : [refused]))
  const wanted = top ? options.snapshot : undefined
  const snapshot = wanted === undefined ? undefined : snapshotOf(m, wanted)
  if (wanted !== undefined && snapshot === undefined) return E.left(`'${image.name}' has no snapshot '${wanted}'`)
  const vmState = snapshot !== undefined && options.vmState === true
  const disk = diskOf(m, m.geometry, snapshot, vmState)
  if (E.isLeft(disk)) return E.left(refusalLine(image.name, disk.left))
  const next =
    m.backingName === undefined || vmState ? E.right(undefined) : nextOf(image.name, m, m.backingName, options)
  if (E.isLeft(next)) return next
  const files = withData(image.name, m, image)
  if (E.isLeft(files)) return E.left(`Could not open '${image.name}': ${files.left}`)
  const layer: Layer = { _tag: 'Image', disk: disk.right }
  return E.right({ layer, files: files.right, ...(next.right === undefined ? {} : { next: next.right }) })
}

const zeros = fromMemory(new Uint8Array(0))
/** What answers for a file that is not there. */
const nowhere: World = { _tag: 'Sync', read: zeros }

/** The world of a chain: each request goes to the file it is about. It answers at once if all of them do. */
const worldOf = (files: readonly Files[]): World => {
  const of = ({ file }: Read): World =>
    (file.part === 'data' ? files[file.depth]?.data : files[file.depth]?.image)?.world ?? nowhere
  if (files.some(({ image }) => image.world._tag === 'Async'))
    return { _tag: 'Async', read: (request) => inOwnTime(of(request))(request) }
  return {
    _tag: 'Sync',
    read: (request) => {
      const world = of(request)
      return world._tag === 'Sync' ? world.read(request) : zeros(request)
    }
  }
}

/**
 * Opens a chain from its top image down; the reason when a layer cannot be, and what was opened is closed again. Only the
 * top image may be on a server.
 */
export const openChain = async (
  name: string,
  options: OpenOptions = { allow: [] }
): Promise<E.Either<string, OpenChain>> => {
  const steps: Step[] = []
  const opened: Source[] = []
  const close = (): void => {
    for (const file of opened) file.close()
  }
  const down = async (
    path: string,
    format: 'qcow2' | 'raw',
    seen: readonly string[]
  ): Promise<E.Either<string, void>> => {
    if (seen.length > maxDepth) return E.left(`'${name}' has more than ${maxDepth} backing files`)
    const file = await openSource(path)
    if (E.isLeft(file)) return file
    opened.push(file.right)
    const real = isUrl(path) ? path : realpathSync(path)
    if (seen.includes(real)) return E.left(`'${name}': the backing files of '${basename(path)}' lead back to it`)
    const step =
      format === 'raw' ? E.right(rawStep(file.right)) : await imageStep(file.right, options, steps.length === 0)
    if (E.isLeft(step)) return step
    steps.push(step.right)
    if (step.right.files.data !== undefined) opened.push(step.right.files.data)
    const next = step.right.next
    return next === undefined ? E.right(undefined) : down(next.path, next.format, [...seen, real])
  }
  try {
    const done = await down(name, options.format ?? 'qcow2', [])
    const [top, ...rest] = steps
    if (E.isRight(done) && top !== undefined) {
      const chain: Chain = [top.layer, ...rest.map((s) => s.layer)]
      const names = steps.map((s) => s.files.image.name)
      const holders = steps.map(({ files }) => (files.data ?? files.image).name)
      return E.right({ chain, world: worldOf(steps.map((s) => s.files)), names, holders, close })
    }
    close()
    return E.left(E.isLeft(done) ? done.left : name)
  } catch (error) {
    close()
    return E.left(`'${name}': ${reason(error)}`)
  }
}

/** Runs a command on a chain, and closes its files. */
export const withChain = async (
  name: string,
  options: OpenOptions,
  command: (open: OpenChain) => Promise<number>
): Promise<number> => {
  const chain = await openChain(name, options)
  if (E.isLeft(chain)) return fail(chain.left)
  try {
    return await command(chain.right)
  } catch (error) {
    return fail(`'${name}': ${reason(error)}`)
  } finally {
    chain.right.close()
  }
}
