/** Plans: pure descriptions of reading. A plan asks for bytes, may emit what it finds, and ends in a value or in issues. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from './issue.js'

/** Which file a request is about: an image or its external data file, `depth` backing files down. */
export interface FileRef {
  /** The image file, or the external data file that it names. */
  readonly part: 'image' | 'data'
  /** 0 for the image itself, 1 for its backing file, and so on down the chain. */
  readonly depth: number
}

/** Bytes `[at, at + length)` of a file. */
export interface FileRange {
  /** Byte offset. */
  readonly at: number
  /** Number of bytes; the range may reach past the end of the file. */
  readonly length: number
}

/** The image itself, and its external data file. */
export const imageFile: FileRef = { part: 'image', depth: 0 }
export const dataFile: FileRef = { part: 'data', depth: 0 }

/** A request for `length` bytes at byte `at` of a file. The answer has exactly that length: zeros past the end of the file. @see GEN-03 */
export interface Read extends FileRange {
  readonly _tag: 'Read'
  readonly file: FileRef
  /** Memory of the plan's own, of this length, that the answer may be put in. */
  readonly into?: Uint8Array
}

/** A request for where a file has stored bytes, from byte `at` on. What is not stored is a hole, and reads as zeros. */
export interface SeekData {
  readonly _tag: 'SeekData'
  readonly file: FileRef
  readonly at: number
}

/** The first stored bytes `[from, to)` of a file at or after the byte of a request; both are Infinity if there are none. */
export interface StoredRange {
  readonly from: number
  readonly to: number
}

/** A request that is never answered: the plan ends with these issues. */
export interface Fail {
  readonly _tag: 'Fail'
  readonly issues: readonly Issue[]
}

/** Something found on the way, which the driver passes on and forgets. */
export interface Emit<W> {
  readonly _tag: 'Emit'
  readonly what: W
}

const nothing = new Uint8Array(0)

/** What a plan may ask of its driver. */
export type Request<W> = Read | SeekData | Fail | Emit<W>

/** What a driver answers: bytes to a `Read`, a range to a `SeekData`. */
export type Answer = Uint8Array | StoredRange

/** A plan that ends in an `A` and emits `W`s on its way. Each call of a planning function makes a fresh plan. */
export type Plan<A, W = never> = Generator<Request<W>, A, Answer>

/** The answer to a `Read`. */
export const bytesOf = (answer: Answer): Uint8Array => (answer instanceof Uint8Array ? answer : nothing)

/**
 * Asks for bytes.
 *
 * @example
 * import { fromMemory, readAt, runSync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const read = runSync(readAt(1, 2), { read: fromMemory(Uint8Array.of(1, 2, 3)), emit: () => undefined })
 * assert.deepEqual(read._tag === 'Right' && read.right, Uint8Array.of(2, 3))
 */
export function* readAt(at: number, length: number, file: FileRef = imageFile): Plan<Uint8Array> {
  return bytesOf(yield { _tag: 'Read', file, at, length })
}

/** The answer of a driver that does not know the holes of a file: everything is stored. */
export const allStored = ({ at }: Pick<SeekData, 'at'>): StoredRange => ({ from: at, to: Infinity })

/** Memory that a plan reads into again and again: what it read before may be gone then. */
export class Memory {
  private bytes = nothing

  /** The first `length` bytes of it. */
  take(length: number): Uint8Array {
    if (this.bytes.length < length) this.bytes = new Uint8Array(length)
    return this.bytes.subarray(0, length)
  }
}

/** Asks for as many bytes as `into` has, which may be put there: to be used only until that is written again. */
export function* readOver(into: Uint8Array, at: number, file: FileRef = imageFile): Plan<Uint8Array> {
  return bytesOf(yield { _tag: 'Read', file, at, length: into.length, into })
}

/** Asks for bytes, to be used only until more are read into the same memory. */
export const readInto = (memory: Memory, at: number, length: number, file?: FileRef): Plan<Uint8Array> =>
  readOver(memory.take(length), at, file)

/**
 * Emits a result before the plan ends.
 *
 * @example
 * import { emit, fromMemory, runSync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const emitted: string[] = []
 * runSync(emit('a line'), { read: fromMemory(new Uint8Array(0)), emit: (line) => emitted.push(line) })
 * assert.deepEqual(emitted, ['a line'])
 */
export function* emit<W>(what: W): Plan<void, W> {
  yield { _tag: 'Emit', what }
}

/**
 * Ends the plan.
 *
 * @example
 * import { failWith, fromMemory, runSync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const failed = runSync(failWith<number>([]), { read: fromMemory(new Uint8Array(0)), emit: () => undefined })
 * assert.deepEqual(failed, { _tag: 'Left', left: [] })
 */
export function* failWith<A>(issues: readonly Issue[]): Plan<A> {
  yield { _tag: 'Fail', issues }
  return yield* failWith(issues)
}

/** Goes on where there are no issues, or ends the plan with them. */
export function* failOn(issues: readonly Issue[]): Plan<void> {
  if (issues.length > 0) yield* failWith(issues)
}

/**
 * Goes on with a value, or ends the plan with its issues.
 *
 * @example
 * import { fromMemory, orFail, readMetadata, runSync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const clusterBits = function* () {
 *   return (yield* orFail(yield* readMetadata())).header.clusterBits
 * }
 * const failed = runSync(clusterBits(), { read: fromMemory(new Uint8Array(512)), emit: () => undefined })
 * assert.equal(failed._tag, 'Left')
 */
export function* orFail<A>(result: E.Either<readonly Issue[], A>): Plan<A> {
  return E.isRight(result) ? result.right : yield* failWith<A>(result.left)
}

/** The same plan, carried out `depth` backing files down. */
export function* atDepth<A, W>(depth: number, plan: Plan<A, W>): Plan<A, W> {
  let answer: Answer = nothing
  for (;;) {
    const step = plan.next(answer)
    if (step.done === true) return step.value
    const request = step.value
    answer = yield 'file' in request && depth > 0
      ? { ...request, file: { ...request.file, depth: request.file.depth + depth } }
      : request
  }
}

/**
 * The same plan, but for what it emits: `each` goes on from there, and may read and emit on its own.
 *
 * @example
 * import { emit, fromMemory, onEmit, runSync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const twice = onEmit(emit(3), (n) => emit(2 * n))
 * const emitted: number[] = []
 * runSync(twice, { read: fromMemory(new Uint8Array(0)), emit: (n) => emitted.push(n) })
 * assert.deepEqual(emitted, [6])
 */
export function* onEmit<A, W, V>(plan: Plan<A, W>, each: (what: W) => Plan<void, V>): Plan<A, V> {
  let answer: Answer = nothing
  for (;;) {
    const step = plan.next(answer)
    if (step.done === true) return step.value
    if (step.value._tag === 'Emit') yield* each(step.value.what)
    else answer = yield step.value
  }
}

/** The same plan, which emits what `change` makes of each of its emissions; `undefined` for nothing. */
export function* mapEmissions<A, W, V>(plan: Plan<A, W>, change: (what: W) => V | undefined): Plan<A, V> {
  let answer: Answer = nothing
  for (;;) {
    const step = plan.next(answer)
    if (step.done === true) return step.value
    const request = step.value
    if (request._tag !== 'Emit') answer = yield request
    else {
      const what = change(request.what)
      if (what !== undefined) yield { _tag: 'Emit', what }
    }
  }
}

/** How a world answers at once. Emissions without a listener are dropped. */
export interface SyncWorld<W, L = never> {
  /** The bytes; or, where the world has none to give, the reason, with which the plan ends. */
  readonly read: (request: Read) => Uint8Array | L
  /** Where bytes are stored; everywhere unless given. */
  readonly seekData?: ((request: SeekData) => StoredRange) | undefined
  readonly emit?: (what: W) => void
}

/**
 * Runs a plan in a world that answers at once: memory, a file, the simulated store.
 *
 * @example
 * import { check, fromMemory, runSync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const checked = runSync(check(512), { read: fromMemory(new Uint8Array(512)), emit: () => undefined })
 * assert.equal(checked._tag === 'Right' && checked.right._tag, 'Left') // there is no header
 */
export function runSync<A, W>(plan: Plan<A, W>, world: SyncWorld<W>): E.Either<readonly Issue[], A>
export function runSync<A, W, L>(plan: Plan<A, W>, world: SyncWorld<W, L>): E.Either<readonly Issue[] | L, A>
export function runSync<A, W, L>(plan: Plan<A, W>, world: SyncWorld<W, L>): E.Either<readonly Issue[] | L, A> {
  let answer: Answer = nothing
  for (;;) {
    const step = plan.next(answer)
    if (step.done === true) return E.right(step.value)
    const request = step.value
    if (request._tag === 'Fail') return E.left(request.issues)
    if (request._tag === 'Read') {
      const bytes = world.read(request)
      if (!(bytes instanceof Uint8Array)) return E.left(bytes)
      answer = bytes
    } else if (request._tag === 'SeekData') answer = (world.seekData ?? allStored)(request)
    else world.emit?.(request.what)
  }
}

/**
 * The bytes of a file in memory, as a plan asks for them: zeros past the end.
 *
 * @example
 * import { fromMemory, readAt, runSync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const world = { read: fromMemory(Uint8Array.of(1)), emit: () => undefined }
 * assert.deepEqual(runSync(readAt(0, 3), world), { _tag: 'Right', right: Uint8Array.of(1, 0, 0) })
 */
export const fromMemory =
  (bytes: Uint8Array) =>
  ({ at, length }: FileRange): Uint8Array => {
    const there = bytes.subarray(Math.min(at, bytes.length), Math.min(at + length, bytes.length))
    if (there.length === length) return there
    const out = new Uint8Array(length)
    out.set(there)
    return out
  }
