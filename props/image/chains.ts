/** The chains of the corpus: an image, its backing files and its data file, all in memory. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Loaded } from '../../corpus/load.js'
import { isObject } from '../../src/bytes/json.js'
import { label } from '../../src/bytes/octets.js'
import { fromMemory, type Plan, type Read, runSync } from '../../src/bytes/plan.js'
import type { Chain, Layer } from '../../src/image/chain.js'
import { activeDisk, type Disk, snapshotDisk } from '../../src/image/disk.js'
import { lastExtension, type Metadata, readMetadata, refusal } from '../../src/image/metadata.js'
import { runOn } from './world.js'

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
  const named: unknown = name.startsWith('json:') ? JSON.parse(name.slice(5)) : undefined
  const file = isObject(named) && isObject(named['file']) ? named['file']['filename'] : name
  return String(file).split('/').at(-1) ?? ''
}

const isRaw = (m: Metadata, bytes: Uint8Array): boolean => {
  const format = lastExtension(m.extensions, 'BackingFormat')
  return format === undefined ? bytes[0] !== 0x51 : label(format.data) === 'raw'
}

const stepsOf = (
  loaded: Loaded,
  image: Uint8Array,
  pick: (m: Metadata) => Disk | undefined
): E.Either<string, readonly Step[]> => {
  const read = E.flatten(runOn(image, readMetadata()))
  if (E.isLeft(read)) return E.left(read.left[0]?.message ?? '')
  const m = read.right
  const refused = refusal(m.issues)
  const disk = pick(m)
  if (refused !== undefined || disk === undefined) return E.left(refused?.message ?? 'no geometry')
  const stored = lastExtension(m.extensions, 'DataFile')
  const data = loaded.files.get(stored === undefined ? 'img.raw' : label(stored.data))
  if (m.header.incompatibleFeatures.externalDataFile && data === undefined) return E.left('no data file')
  const step: Step = { layer: { _tag: 'Image', disk }, image, ...(data === undefined ? {} : { data }) }
  if (m.backingName === undefined) return E.right([step])
  const bytes = loaded.files.get(plainName(label(m.backingName)))
  if (bytes === undefined) return E.left('no backing file')
  if (isRaw(m, bytes))
    return E.right([step, { layer: { _tag: 'Raw', size: Math.ceil(bytes.length / 512) * 512 }, image: bytes }])
  return E.map((rest: readonly Step[]) => [step, ...rest])(stepsOf(loaded, bytes, active))
}

const active = (m: Metadata): Disk | undefined => (m.geometry === undefined ? undefined : activeDisk(m, m.geometry))

/** The chain of an image of the corpus, or of one of its snapshots; the reason when it must be refused. */
export const chainOf = (loaded: Loaded, snapshot?: string): E.Either<string, MemoryChain> => {
  const pick = (m: Metadata): Disk | undefined => {
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
    runSync(plan, { read, tell })
  )
