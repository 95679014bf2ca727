/** An export: the disk of an image as NBD's requests see it. */
import * as E from 'fp-ts/lib/Either.js'
import { emit, failOn, onEmit, orFail, type Plan } from '../../bytes/plan.js'
import type { Decompressor } from '../../compression/decompress.js'
import { equal, fromText } from '../../bytes/octets.js'
import { type Chain, chainSize, isZeroExtent, type LocatedExtent, locations } from '../../image/guest/chain.js'
import { dirtyRanges, type DirtyRange } from '../../image/guest/bitmap-ranges.js'
import { extentBytes } from '../../image/guest/read.js'
import { readMetadata } from '../../image/metadata.js'
import type { Extent } from '../../nbd/messages.js'
import type { ExportInfo } from '../../nbd/negotiation.js'
import { allocation, exportFlags } from '../../nbd/numbers.js'
import type { ReadRange } from '../../nbd/replies.js'
import type { AnyCommand } from '../../transition/command.js'
import { type Cause, type CommandError, either, failure, get, onLeft, task, wait } from '../command-error.js'
import { cannotOpen } from '../files/source.js'
import { decodersOf } from '../images/guest.js'
import { zeroesFast } from '../io/allocation.js'
import { type IoFile, type IoRequest, openIoFile } from '../io/io-file.js'

/** What is exported, and as what. */
export interface ExportRequest extends Pick<ExportInfo, 'name' | 'description'> {
  readonly image: IoRequest
  /** Folders, beside the image's own, whose files may be opened as backing files and data files. */
  readonly allow: readonly string[]
  /** Dirty bitmaps whose bits are reported. */
  readonly bitmaps: readonly string[]
  /** Whether the depth of the layer that holds bytes is reported. */
  readonly allocationDepth: boolean
  /** Whether several clients may be connected at once. */
  readonly isShared: boolean
}

/** Most extents of a reply for one metadata context. */
const mostExtents = 2 ** 17
/** Bytes of the disk that are looked at before it is seen whether there are extents enough. */
const windowSize = 2 ** 28
/** Most bytes of zeros that are written as data at once. */
const zeroSize = 2 ** 25

/** Extents in order, equal neighbours joined. */
class Extents {
  private readonly found: { length: number; readonly state: number }[] = []

  add(length: number, state: number): void {
    const last = this.found.at(-1)
    if (last?.state === state) last.length += length
    else this.found.push({ length, state })
  }

  get count(): number {
    return this.found.length
  }

  /** The first ones. */
  first(most: number): readonly Extent[] {
    return this.found.slice(0, most)
  }
}

/** Adds the states of bytes `[at, end)`, or only the first of them where there are more than `most`. */
type Status = (file: IoFile, at: number, end: number, found: Extents, most: number) => E.Either<Cause, void>

/** The state of an extent of the disk. */
type StateOf = (e: LocatedExtent) => number

const allocationOf: StateOf = (e) =>
  (e.kind === 'zero' || e.kind === 'absent' ? allocation.hole : 0) | (isZeroExtent(e) ? allocation.zero : 0)

const depthOf: StateOf = ({ kind, depth }) => (kind === 'absent' ? 0 : depth + 1)

/** The states of where the bytes are. */
const ofLocations =
  (stateOf: StateOf): Status =>
  (file, at, end, found, most) => {
    for (let from = at, to = at; from < end && found.count <= most; from = to) {
      const start = from
      to = Math.min(end, from + windowSize)
      const add = (e: LocatedExtent): void =>
        found.add(Math.min(to, e.start + e.length) - Math.max(start, e.start), stateOf(e))
      const located = file.run(() => locations(file.chain(), start, to, true), add)
      if (E.isLeft(located)) return located
    }
    return E.right(undefined)
  }

/** Emits the ranges of a bitmap of the image, by its name, that have bytes of `[at, end)`. */
function* rangesOf(name: string, at: number, end: number): Plan<void, DirtyRange> {
  const m = yield* orFail(yield* readMetadata())
  const bitmap = m.bitmaps.find((each) => equal(each.name, fromText(name)))
  if (m.geometry === undefined || bitmap === undefined) return yield* failOn(m.issues)
  yield* dirtyRanges(m, m.geometry, bitmap, at, end)
}

/** The states of a bitmap: 1 for dirty bytes. */
const ofBitmap =
  (name: string): Status =>
  (file, at, end, found, most) =>
    file.run(
      () => rangesOf(name, at, end),
      ({ start, length, dirty }) => {
        if (found.count <= most) found.add(Math.min(end, start + length) - Math.max(at, start), Number(dirty))
      }
    )

/** Bytes of the disk in one extent; `undefined` for zeros. */
interface Contents {
  readonly at: number
  readonly length: number
  readonly bytes: Uint8Array | undefined
}

/** Emits bytes `[at, end)` of the disk, in order. */
function* contents(chain: Chain, at: number, end: number, decompressor: Decompressor): Plan<void, Contents> {
  yield* onEmit(locations(chain, at, end), function* (e): Plan<void, Contents> {
    const [from, to] = [Math.max(at, e.start), Math.min(end, e.start + e.length)]
    const bytes = yield* extentBytes(chain, e, from, to, decompressor)
    yield* emit<Contents>({ at: from, length: to - from, bytes })
  })
}

/** Zeros that a client writes. */
interface Zeros {
  readonly at: number
  readonly length: number
  /** Whether their clusters may be freed. */
  readonly unmap: boolean
}

/** An open export. */
export class Export {
  constructor(
    readonly info: ExportInfo,
    private readonly file: IoFile,
    private readonly decompressor: Decompressor,
    private readonly contexts: readonly Status[]
  ) {}

  /** Bytes `[at, at + length)`, neighbours of a kind in one range. */
  read(at: number, length: number): E.Either<Cause, readonly ReadRange[]> {
    const ranges: { readonly at: number; length: number; readonly parts: Uint8Array[] | undefined }[] = []
    const add = ({ at: start, length: more, bytes }: Contents): void => {
      const last = ranges.at(-1)
      if (last === undefined || (last.parts === undefined) !== (bytes === undefined))
        ranges.push({ at: start, length: more, parts: bytes === undefined ? undefined : [bytes] })
      else {
        last.length += more
        if (bytes !== undefined) last.parts?.push(bytes)
      }
    }
    const read = this.file.run(() => contents(this.file.chain(), at, at + length, this.decompressor), add)
    return E.map(() => ranges)(read)
  }

  /** The extents of a metadata context in bytes `[at, at + length)`, or the first of them. */
  status(context: number, at: number, length: number, onlyFirst: boolean): E.Either<Cause, readonly Extent[]> {
    const most = onlyFirst ? 1 : mostExtents
    const found = new Extents()
    const looked = this.contexts[context]?.(this.file, at, at + length, found, most) ?? E.right(undefined)
    return E.map(() => found.first(most))(looked)
  }

  write(at: number, bytes: Uint8Array): E.Either<Cause, void> {
    return this.change({ _tag: 'Write', at, bytes })
  }

  trim(at: number, length: number): E.Either<Cause, void> {
    return this.change({ _tag: 'Discard', at, length })
  }

  /** Whether zeros are written without data. */
  zeroesFast(zeros: Zeros): boolean {
    return zeroesFast(this.file, zeros)
  }

  /** Writes zeros; those that are data in parts, of which the first may be written where it fails. */
  writeZeroes(zeros: Zeros): E.Either<Cause, void> {
    const { at, length } = zeros
    const unmap = zeros.unmap && this.file.request.discards !== false
    const most = this.zeroesFast(zeros) ? length : zeroSize
    for (let done = 0; done < length; done += most) {
      const part = { at: at + done, length: Math.min(most, length - done) }
      const written = this.change({ _tag: 'WriteZeroes', ...part, unmap })
      if (E.isLeft(written)) return written
    }
    return E.right(undefined)
  }

  /** Makes everything durable that is written. */
  flush(): E.Either<CommandError, void> {
    return this.file.changes?.end() ?? E.right(undefined)
  }

  /** Makes everything durable, and closes the files. */
  close(): E.Either<CommandError, void> {
    return this.file.close()
  }

  private change(command: AnyCommand): E.Either<Cause, void> {
    const { changes } = this.file
    return changes === undefined ? E.right(undefined) : changes.command(command)
  }
}

const { hasFlags, readOnly, sendFlush, sendFua, sendTrim, sendWriteZeroes, canMultiConn, sendCache, sendFastZero } =
  exportFlags

const flagsOf = (isReadOnly: boolean, isShared: boolean): number =>
  hasFlags |
  sendFlush |
  sendFua |
  sendCache |
  (isReadOnly ? readOnly : sendTrim | sendWriteZeroes | sendFastZero) |
  (isShared ? canMultiConn : 0)

/** Fails unless a bitmap is there and can be read. */
const keepBitmap = either(function* (file: IoFile, image: string, name: string) {
  const known = file.run(function* () {
    const m = yield* orFail(yield* readMetadata())
    return m.bitmaps.some((each) => equal(each.name, fromText(name)))
  })
  if (!(yield* get(E.mapLeft(cannotOpen(image))(known))))
    yield* get(failure(`'${image}' has no bitmap '${name}'`, { file: image }))
  yield* get(E.mapLeft(cannotOpen(image))(file.run(() => rangesOf(name, 0, Infinity))))
})

/** Opens what is to be exported; after a failure nothing is open. */
export const openExport = task(async function* (request: ExportRequest) {
  const { image, name, description, allow, bitmaps, allocationDepth, isShared } = request
  const file = yield* wait(openIoFile(image, allow))
  const orClose = onLeft(() => void file.close())
  for (const bitmap of bitmaps) yield* get(orClose(keepBitmap(file, image.file.name, bitmap)))
  const contexts: readonly (readonly [name: string, status: Status])[] = [
    ['base:allocation', ofLocations(allocationOf)],
    ...(allocationDepth ? [['qemu:allocation-depth', ofLocations(depthOf)] as const] : []),
    ...bitmaps.map((bitmap) => [`qemu:dirty-bitmap:${bitmap}`, ofBitmap(bitmap)] as const)
  ]
  const info: ExportInfo = {
    name,
    description,
    size: chainSize(file.chain()),
    flags: flagsOf(file.changes === undefined, isShared),
    contexts: contexts.map(([context]) => context)
  }
  return new Export(
    info,
    file,
    await decodersOf(file.chain()),
    contexts.map(([, status]) => status)
  )
})
