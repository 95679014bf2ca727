/** Sources: images that are open for reading, in files and on servers, and plans that run on them. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { empty } from '../../bytes/octets.js'
import { allStored, type Answer, type Plan, type Read, type SeekData, type StoredRange } from '../../bytes/plan.js'
import { because, type Cause, type CommandError } from '../command-error.js'
import { pause } from './partial.js'

/** What answers the requests of a plan: files at once, servers in their own time. */
export type World = (
  | { readonly _tag: 'Sync'; readonly read: (request: Read) => Uint8Array | CommandError }
  | { readonly _tag: 'Async'; readonly read: (request: Read) => TaskEither<CommandError, Uint8Array> }
) & {
  /** Where bytes are stored; everywhere unless given. */
  readonly seekData?: ((request: SeekData) => StoredRange) | undefined
}

/** Where a file is that may be on a server. */
export interface RemotePlace {
  /** Its name, which may lead through links, or its URL. */
  readonly name: string
  /** Seconds that a server may take for an answer; 0 for as long as it takes. */
  readonly answerTime?: number
  /** The value of the `Authorization` header for the server. */
  readonly authorization?: string
}

/** How images on servers, in pipes and in compressed files are read. */
export interface RemoteOptions {
  /** Headers of the requests, `Name: value` each; they go to the host of the URL alone. */
  readonly headers: readonly string[]
  /** Seconds that reading an image may take in all. */
  readonly timeout: number | undefined
  /** Whether the server may redirect to another host. */
  readonly allowRedirect: boolean
  /** Whether a gzip or a zstd file is decompressed into a temporary file. */
  readonly decompress: boolean
  /** Most bytes of a temporary file for a pipe or a compressed file. */
  readonly spoolLimit: number | undefined
}

/** An open file. */
export interface OpenFile {
  readonly fd: number
  readonly identity: string
  /** Bytes. */
  readonly length: number
  /** Bytes it takes on its disk. */
  readonly actualSize: number
}

/** An open image, backing file or data file. */
export interface Source {
  /** The path or the URL. */
  readonly name: string
  /** The path that it was resolved to before it was opened, where an image names the file. */
  readonly resolved?: string
  /** What distinguishes a file from all others, whatever its names. */
  readonly identity?: string
  /** Bytes. */
  readonly length: number
  /** Bytes of the file that it is a part of. */
  readonly wholeLength?: number
  /** Bytes it takes on its disk, where that can be known. */
  readonly actualSize?: number
  /** Whether it is a temporary file, which nothing else can open. */
  readonly spooled?: boolean
  /** Requests past the end get zeros. */
  readonly world: World
  readonly close: () => void
}

/**
 * Whether a name is the URL of an image on a server.
 *
 * @example
 * import { isUrl } from 'qcow2-spec/node'
 * import * as assert from 'node:assert/strict'
 *
 * assert.ok(isUrl('https://example.org/disk.qcow2'))
 * assert.ok(!isUrl('disk.qcow2'))
 */
export const isUrl = (name: string): boolean => /^https?:\/\//i.test(name)

/** Takes what a plan emits; a failure ends the plan. */
export type Act<W> = (what: W) => Acted | Promise<Acted>
type Acted = E.Either<CommandError, void> | undefined

/** The error for what makes an image one that cannot be opened. */
export const cannotOpen = (name: string): ((cause: Cause) => CommandError) => because(`Could not open '${name}'`, name)

/**
 * Runs a plan on an image or a chain that is open; only answers of servers are awaited, and what `act` is busy with.
 *
 * @example
 * import { fileURLToPath } from 'node:url'
 * import { readGuest } from 'qcow2-spec/image'
 * import { native, openChain, run } from 'qcow2-spec/node'
 * import * as assert from 'node:assert/strict'
 *
 * const opened = await openChain(fileURLToPath(import.meta.url), { allow: [], format: 'raw' })()
 * assert.ok(opened._tag === 'Right')
 * const read = await run(opened.right, () => readGuest(opened.right.chain, 0, 6, native))()
 * opened.right.close()
 * assert.ok(read._tag === 'Right')
 * assert.equal(new TextDecoder().decode(read.right), 'import')
 */
export const run =
  <A, W>(
    { name, world }: Pick<Source, 'name' | 'world'>,
    plan: () => Plan<A, W>,
    act: Act<W> = () => undefined
  ): TaskEither<CommandError, A> =>
  async () => {
    const running = plan()
    let answer: Answer = empty
    for (;;) {
      const paused = pause()
      if (paused !== undefined) await paused
      const step = running.next(answer)
      if (step.done === true) return E.right(step.value)
      const request = step.value
      if (request._tag === 'Fail') return E.left(cannotOpen(name)(request.issues))
      if (request._tag === 'Emit') {
        const acted = act(request.what)
        const done = acted instanceof Promise ? await acted : acted
        if (done !== undefined && E.isLeft(done)) return done
      } else if (request._tag === 'SeekData') answer = (world.seekData ?? allStored)(request)
      else {
        const bytes = world._tag === 'Sync' ? world.read(request) : E.toUnion(await world.read(request)())
        if (!(bytes instanceof Uint8Array)) return E.left(bytes)
        answer = bytes
      }
    }
  }

/** A world that answers like another one, in its own time. */
export const inOwnTime = (world: World): ((request: Read) => TaskEither<CommandError, Uint8Array>) => {
  if (world._tag === 'Async') return world.read
  const { read } = world
  return (request) => () => {
    const bytes = read(request)
    return Promise.resolve(bytes instanceof Uint8Array ? E.right(bytes) : E.left(bytes))
  }
}
