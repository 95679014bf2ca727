/** The file that lines are about: opened for reading or for writing, as an image or as raw bytes. */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Plan, runSync } from '../../bytes/plan.js'
import type { Chain } from '../../image/guest/chain.js'
import { type Cause, type CommandError, type Failed, failure, get, task, wait } from '../command-error.js'
import { openWritable } from '../images/locked-image.js'
import { openChain } from '../images/open.js'
import type { Writable } from '../images/raw.js'
import type { Changes } from '../images/session.js'
import type { OpenRequest } from '../text/image-opts.js'

/** An open file. */
export interface IoFile {
  /** What it was opened by. */
  readonly request: OpenRequest
  readonly chain: () => Chain
  /** Runs a plan that reads. */
  readonly run: <A, W>(plan: () => Plan<A, W>, emit?: (what: W) => void) => E.Either<Cause, A>
  /** What changes it; `undefined` where it is open for reading only. */
  readonly changes: Changes | undefined
  /** Makes durable what is written, and closes it. */
  readonly close: () => E.Either<CommandError, void>
}

const forReading = task(async function* (
  request: OpenRequest,
  allow: readonly string[]
): AsyncGenerator<Failed, IoFile> {
  const { name, format, snapshot, forceShare = false } = request
  const { chain, world, close } = yield* wait(openChain(name, { allow, format, snapshot, forceShare }))
  if (world._tag === 'Async') {
    close()
    return yield* get(failure(`Could not open '${name}': it is on a server`, { file: name }))
  }
  const { read, seekData } = world
  return {
    request,
    chain: () => chain,
    run: (plan, emit = () => undefined) => runSync(plan(), { read, seekData, emit }),
    changes: undefined,
    close: () => {
      close()
      return E.right(undefined)
    }
  }
})

const writable = (request: OpenRequest, { session, close }: Writable): IoFile => ({
  request,
  chain: () => session.chain,
  run: (plan, emit = () => undefined) => runSync(plan(), { read: session.read, seekData: session.seekData, emit }),
  changes: session,
  close: () => {
    const ended = session.end()
    close()
    return ended
  }
})

const openAny = (request: OpenRequest, allow: readonly string[]): TaskEither<CommandError, IoFile> =>
  request.readOnly
    ? forReading(request, allow)
    : TE.map((opened: Writable) => writable(request, opened))(openWritable(request.name, request.format, allow))

/** Opens a file as requested. */
export const openIoFile = task(async function* (request: OpenRequest, allow: readonly string[]) {
  const file = yield* wait(openAny(request, allow))
  const [top] = file.chain()
  if (request.lazyRefcounts !== true || top._tag === 'Raw' || top.disk.g.version > 2) return file
  yield* get(file.close())
  return yield* get(
    failure(`Could not open '${request.name}': lazy refcounts need an image of version 3`, {
      file: request.name
    })
  )
})
