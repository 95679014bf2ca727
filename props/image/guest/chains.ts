/** The chains of the corpus: an image, its backing files and its data file, all in memory. */
import { lastExtension } from '../../../src/format/extension-area.js'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { isObject } from '../../../src/bytes/json.js'
import { label } from '../../../src/bytes/octets.js'
import { fromMemory, type Plan, type Read, runSync } from '../../../src/bytes/plan.js'
import type { Chain, Layer } from '../../../src/image/guest/chain.js'
import { activeDisk, type GuestDisk, snapshotDisk } from '../../../src/image/guest/extents.js'
import { type Metadata, readMetadata, refusal } from '../../../src/image/metadata.js'
import { inPlansMemory, runOn } from '../world.js'

/** An image, the files it may stand on by their names, and whether QEMU needs more options to open it. */
export interface Files {
  readonly image: Uint8Array
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly expect: { readonly opts?: string }
}

/** A chain and what answers its requests. */
export interface MemoryChain {
  readonly chain: Chain
  readonly read: (request: Read) => Uint8Array
}

interface Step {
  readonly layer: Layer
  readonly image: Uint8Array
  readonly data?: Uint8Array
}

/** The file a backing file name of the corpus stands for: recipes use one folder. */
const plainName = (name: string): string => {
  const json = E.tryCatch((): unknown => JSON.parse(name.slice(5)), String)
  const named = name.startsWith('json:') && E.isRight(json) ? json.right : undefined
  const file = isObject(named) && isObject(named['file']) ? named['file']['filename'] : name
  return /^(?:\.*\/)*([^/]*)$/.exec(String(file))?.[1] ?? ''
}

/** The format of a backing file: the one that is named, or else the one that its first byte indicates, for QEMU guesses it. @see BACK-05 */
const formatOf = (m: Metadata, bytes: Uint8Array): string => {
  const format = lastExtension(m.extensions, 'BackingFormat')?.data
  return format === undefined || format.length === 0 ? (bytes[0] === 0x51 ? 'qcow2' : 'raw') : upToZero(format)
}

/** Text up to the first zero byte, as QEMU takes it. @see EXT-05 */
const upToZero = (bytes: Uint8Array): string => label(bytes).split('\0', 1)[0] ?? ''

interface Companions {
  readonly data?: Uint8Array
  readonly backing?: { readonly bytes: Uint8Array; readonly format: string }
}

/** The files an image stands on; the reason when one of them is not there, or is of no known format. */
export const companionsOf = (loaded: Files, m: Metadata): E.Either<string, Companions> => {
  const stored = lastExtension(m.extensions, 'DataFile')
  const dataName = stored === undefined ? (loaded.expect.opts === undefined ? '' : 'img.raw') : upToZero(stored.data)
  const data = m.header.incompatibleFeatures.externalDataFile ? loaded.files.get(plainName(dataName)) : undefined
  if (m.header.incompatibleFeatures.externalDataFile && data === undefined) return E.left('no data file')
  const withData = data === undefined ? {} : { data }
  if (m.backingName === undefined) return E.right(withData)
  const name = upToZero(m.backingName)
  if (name === '') return E.right(withData)
  const bytes = loaded.files.get(plainName(name))
  if (bytes === undefined) return E.left('no backing file')
  const format = formatOf(m, bytes)
  return format === 'raw' || format === 'qcow2'
    ? E.right({ ...withData, backing: { bytes, format } })
    : E.left(`no backing file format ${format}`)
}

const stepsOf = (
  loaded: Files,
  image: Uint8Array,
  pick: (m: Metadata) => GuestDisk | undefined
): E.Either<string, readonly Step[]> => {
  const read = E.flatten(runOn(image, readMetadata()))
  if (E.isLeft(read)) return E.left(read.left[0]?.message ?? '')
  const m = read.right
  const refused = refusal(m.issues)
  const disk = pick(m)
  if (refused !== undefined || disk === undefined) return E.left(refused?.message ?? 'no geometry')
  const companions = companionsOf(loaded, m)
  if (E.isLeft(companions)) return companions
  const { data, backing } = companions.right
  const step: Step = { layer: { _tag: 'Image', disk }, image, ...(data === undefined ? {} : { data }) }
  if (backing === undefined) return E.right([step])
  if (backing.format === 'raw')
    return E.right([step, { layer: { _tag: 'Raw', size: backing.bytes.length }, image: backing.bytes }])
  return E.map((rest: readonly Step[]) => [step, ...rest])(stepsOf(loaded, backing.bytes, active))
}

const active = (m: Metadata): GuestDisk | undefined =>
  m.geometry === undefined ? undefined : activeDisk(m, m.geometry)

/** The chain of an image of the corpus, or of one of its snapshots; the reason when it must be refused. */
export const chainOf = (loaded: Files, snapshot?: string): E.Either<string, MemoryChain> => {
  const pick = (m: Metadata): GuestDisk | undefined => {
    const s = m.snapshots.find((x) => label(x.id) === snapshot)
    return s === undefined || m.geometry === undefined
      ? active(m)
      : O.toUndefined(O.fromEither(snapshotDisk(m, m.geometry, s)))
  }
  return E.chain((steps: readonly Step[]): E.Either<string, MemoryChain> => {
    const [top, ...rest] = steps
    if (top === undefined) return E.left('empty')
    return E.right({
      chain: [top.layer, ...rest.map((s) => s.layer)],
      read: (request) => {
        const step = steps[request.file.depth]
        return fromMemory((request.file.part === 'data' ? step?.data : step?.image) ?? new Uint8Array(0))(request)
      }
    })
  })(stepsOf(loaded, loaded.image, pick))
}

/** Runs a plan of a chain; the first reason when it fails. */
export const runChain = <A, W>(
  { read }: MemoryChain,
  plan: Plan<A, W>,
  tell: (what: W) => void = () => undefined
): E.Either<string, A> =>
  E.mapLeft((issues: readonly { readonly message: string }[]) => issues[0]?.message ?? '')(
    runSync(plan, { read: inPlansMemory(read), emit: tell })
  )
