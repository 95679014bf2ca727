/** Opening a chain: the image, its data file and its backing files, as far as their names may be followed. */
import { basename, dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { allStored, type FileRef, fromMemory } from '../../bytes/plan.js'
import { type Chain, chainSize, type Layer } from '../../image/guest/chain.js'
import { hasPreallocatedClusters } from '../../image/guest/holes.js'
import { activeDisk, type GuestDisk, snapshotDisk } from '../../image/guest/extents.js'
import { type Metadata } from '../../image/metadata.js'
import { vmStateDisk } from '../../image/guest/vm-state.js'
import { type CommandError, type Failed, failure, get, inContext, onLeft, task, using, wait } from '../command-error.js'
import { openPlace, openWhole, resolvedPath } from '../files/file.js'
import { keepApart } from '../files/identity.js'
import { readAccess } from '../files/lock.js'
import { partLength } from '../files/part.js'
import { cannotOpen, inOwnTime, isUrl, type RemoteOptions, run, type Source, type World } from '../files/source.js'
import { remoteFor } from '../files/url.js'
import { backingNode, dataFilePlace, keepVersion, newBackingNode } from './below.js'
import { holderName, type ImageNode, nodeAt, realName } from './image-node.js'
import { decryptionOf } from './key.js'
import { openableMetadata, type OpenableMetadata, snapshotNamed } from './openable-metadata.js'
import type { Secrets } from './secrets.js'

/** A chain whose files are open. */
export interface OpenChain {
  /** The name of the top image. */
  readonly name: string
  readonly chain: Chain
  /** Answers the requests of plans on the chain. */
  readonly world: World
  /** The files of the layers. */
  readonly sources: readonly [Source, ...Source[]]
  /** What the layers are, by which each can be opened by itself. */
  readonly nodes: readonly [ImageNode, ...ImageNode[]]
  /** The file that a plan asks for; `undefined` where there is none. */
  readonly fileOf: (file: FileRef) => Source | undefined
  /** All files of the chain: those of the layers, and their data files. */
  readonly files: readonly Source[]
  /** The names of the layers' files. */
  readonly names: readonly string[]
  /** The names of the files that hold their guest bytes. */
  readonly holders: readonly string[]
  readonly close: () => void
}

/** What may be followed, and what is opened. */
export interface OpenOptions {
  /** Folders, beside the image's own, whose files may be opened as backing files and data files. */
  readonly allow: readonly string[]
  /** A snapshot by id or name, in place of the active disk. @see SNAP-10 */
  readonly snapshot?: string | undefined
  /** The VM state of that snapshot in place of its disk. @see SNAP-12 */
  readonly vmState?: boolean
  /** What the top file is; qcow2 unless it is given. */
  readonly format?: 'qcow2' | 'raw'
  /** Whether images are read also while other processes write them. */
  readonly forceShare?: boolean
  /** How the files of servers are read. Its headers go to the server of the top image alone. */
  readonly remote?: RemoteOptions | undefined
  /** The id of the secret that decrypts the top image, and the passwords by the ids of secrets. */
  readonly keySecret?: string
  readonly secrets?: Secrets
}

/** Most backing files of a chain. */
const maxDepth = 64

interface Files {
  readonly image: Source
  readonly data?: Source
}

/** An open layer, and what is below it. */
interface Step {
  readonly layer: Layer
  readonly files: Files
  readonly next?: ImageNode | undefined
}

const rawStep = (image: Source, { file: { part } }: ImageNode): E.Either<CommandError, Step> => {
  const hasHoles = image.world.seekData !== undefined
  if (part === undefined) return E.right({ layer: { _tag: 'Raw', size: image.length, hasHoles }, files: { image } })
  return E.bimap(inContext(`Could not open '${image.name}'`), (size: number): Step => ({
    layer: { _tag: 'Raw', size, start: part.offset, hasHoles },
    files: { image }
  }))(partLength(part, image.length))
}

/** The disk of an image that is wanted: the active one, or a snapshot's, or its VM state. */
const diskOf = (
  image: string,
  m: OpenableMetadata,
  { snapshot: wanted, vmState }: Partial<OpenOptions>
): E.Either<CommandError, GuestDisk> => {
  if (wanted === undefined) return E.right(activeDisk(m, m.geometry))
  const diskIn = vmState === true ? vmStateDisk : snapshotDisk
  return E.chain((snapshot: Metadata['snapshots'][number]) =>
    E.mapLeft(cannotOpen(image))(diskIn(m, m.geometry, snapshot))
  )(snapshotNamed(image, m, wanted))
}

/** Whether the holes of an image's file are asked for. */
const asksForHoles = task(async function* (image: Source, m: OpenableMetadata) {
  const { actualSize, length, world } = image
  if (actualSize === undefined || world.seekData === undefined) return false
  return yield* wait(run(image, () => hasPreallocatedClusters(m, m.geometry, { length, actualSize })))
})

/** The external data file of an image; `undefined` for an image without one. */
export const openDataFile = task(async function* (m: Metadata, node: ImageNode, options: OpenOptions) {
  const place = yield* get(dataFilePlace(m, node, options.allow))
  if (place === undefined) return undefined
  const access = options.forceShare === true ? 'shared' : 'data'
  return yield* wait(openPlace(place, access, remoteFor(options.remote, node.file.name, place.name)))
})

/** @param isTop whether the options say what is opened of it; of every other image that is the active disk */
const imageStep = task(async function* (image: Source, node: ImageNode, options: OpenOptions, isTop: boolean) {
  const wanted: Partial<OpenOptions> = isTop ? options : {}
  const m = yield* wait(openableMetadata(image))
  yield* get(keepVersion(node, m))
  const disk = yield* get(diskOf(image.name, m, wanted))
  const hasHoles = yield* wait(asksForHoles(image, m))
  const next = wanted.vmState === true ? undefined : yield* get(backingNode(m, node, options.allow))
  const decryption = yield* wait(decryptionOf(image, m, node))
  const data = yield* get(onLeft(() => decryption?.wipe())(await openDataFile(m, node, options)()))
  const layer: Layer = { _tag: 'Image', disk: { ...disk, decryption }, hasHoles }
  return { layer, files: { image, ...(data === undefined ? {} : { data }) }, next }
})

const zeros = fromMemory(new Uint8Array(0))
/** What answers for a file that is not there. */
const nowhere: World = { _tag: 'Sync', read: zeros }

/** The file of a chain that a plan asks for. */
const fileIn =
  (files: readonly Files[]): OpenChain['fileOf'] =>
  ({ part, depth }) =>
    part === 'data' ? files[depth]?.data : files[depth]?.image

/** The world of a chain: each request goes to the file it is about. It answers at once if all of them do. */
const worldOf = (files: readonly Files[]): World => {
  const fileOf = fileIn(files)
  const of = ({ file }: { readonly file: FileRef }): World => fileOf(file)?.world ?? nowhere
  const seekData: World['seekData'] = (request) => (of(request).seekData ?? allStored)(request)
  if (files.some(({ image, data }) => image.world._tag === 'Async' || data?.world._tag === 'Async'))
    return { _tag: 'Async', read: (request) => inOwnTime(of(request))(request), seekData }
  return {
    _tag: 'Sync',
    read: (request) => {
      const world = of(request)
      return world._tag === 'Sync' ? world.read(request) : zeros(request)
    },
    seekData
  }
}

/**
 * Opens a chain from its top image down; after a failure nothing is open. Each image may be on a server.
 *
 * @example
 * import { fileURLToPath } from 'node:url'
 * import { openChain } from 'qcow2-spec/node'
 * import * as assert from 'node:assert/strict'
 *
 * const name = fileURLToPath(import.meta.url) // any file may be opened as raw, and none is guessed to be
 * const raw = await openChain(name, { allow: [], format: 'raw' })()
 * assert.ok(raw._tag === 'Right')
 * assert.deepEqual(raw.right.names, [name])
 * raw.right.close()
 * const image = await openChain(name)()
 * assert.equal(image._tag === 'Left' && image.left.clause, 'OPEN-01')
 */
export const openChain = (name: string, options: OpenOptions = { allow: [] }): TaskEither<CommandError, OpenChain> =>
  openImage({ ...nodeAt(name, options.format), ...keysOf(options) }, options)

const keysOf = ({ keySecret, secrets }: OpenOptions): Pick<OpenOptions, 'keySecret' | 'secrets'> => ({
  ...(keySecret === undefined ? {} : { keySecret }),
  ...(secrets === undefined ? {} : { secrets })
})

/** Opens the chain of an image. */
export const openImage = (top: ImageNode, options: OpenOptions): TaskEither<CommandError, OpenChain> => {
  const { name } = top.file
  const opened: { readonly close: () => void }[] = []
  const close = (): void => {
    for (const file of opened.splice(0)) file.close()
  }
  /** The steps from a layer down; `seen` are the real paths of those above it. */
  const down = async function* (
    node: ImageNode,
    isForced: boolean | undefined,
    seen: readonly string[]
  ): AsyncGenerator<Failed, readonly [Step, ...Step[]]> {
    if (seen.length > maxDepth) yield* get(failure(`'${name}' has more than ${maxDepth} backing files`, { file: name }))
    const { file: place, driver } = node
    const forceShare = isForced === true || node.forceShare === true
    const open = driver === 'raw' ? openWhole : openPlace
    const remote = remoteFor(options.remote, name, place.name)
    const file = yield* wait(open(place, readAccess(driver, forceShare), remote))
    opened.push(file)
    const real = realName(place, isUrl(place.name) ? place.name : yield* get(resolvedPath(place.name)))
    if (seen.includes(real))
      yield* get(failure(`'${name}': the backing files of '${basename(place.name)}' lead back to it`, { file: name }))
    const step =
      driver === 'raw'
        ? yield* get(rawStep(file, node))
        : yield* wait(imageStep(file, node, { ...options, forceShare, remote }, seen.length === 0))
    if (step.files.data !== undefined) opened.push(step.files.data)
    if (step.layer._tag === 'Image') opened.push({ close: step.layer.disk.decryption?.wipe ?? (() => undefined) })
    return step.next === undefined ? [step] : [step, ...(yield* down(step.next, forceShare, [...seen, real]))]
  }
  const open = task(async function* () {
    const steps = yield* down(top, options.forceShare, [])
    const [first, ...rest] = steps
    const chain: Chain = [first.layer, ...rest.map(({ layer }) => layer)]
    const sources = [first.files.image, ...rest.map(({ files }) => files.image)] as const
    const nodes = [top, ...steps.flatMap(({ next }) => next ?? [])] as const
    const names = sources.map((source) => source.name)
    const ofLayers = steps.map((step) => step.files)
    const holders = nodes.map((node, depth) => holderName(node, ofLayers[depth]?.data))
    const files = ofLayers.flatMap(({ image, data }) => (data === undefined ? [image] : [image, data]))
    return {
      name,
      chain,
      world: worldOf(ofLayers),
      sources,
      nodes,
      fileOf: fileIn(ofLayers),
      files,
      names,
      holders,
      close
    }
  })
  return () => open()().then(onLeft(close))
}

/** The files of all chains. */
export const filesOf = (chains: readonly OpenChain[]): readonly Source[] => chains.flatMap(({ files }) => files)

/** Bytes of the disk that a backing file presents, which an image is to get; as in QEMU, whoever writes it. */
export const backingSize = task(async function* (image: string, name: string, format: string) {
  if (format !== 'qcow2' && format !== 'raw') return yield* get(failure(`Unknown driver '${format}'`))
  const node = yield* get(newBackingNode(image, name, format))
  return yield* using(
    openImage(node, { allow: [dirname(node.file.name)], forceShare: true }),
    function* ({ chain, files }) {
      yield* get(keepApart(image, files))
      return chainSize(chain)
    }
  )
})
