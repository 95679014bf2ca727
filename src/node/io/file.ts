/** The file that lines are about: opened for reading or for writing, as an image or as raw bytes. */
import { realpathSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { type Plan, runSync } from '../../bytes/plan.js'
import type { Failure } from '../../bytes/run-async.js'
import type { Chain } from '../../image/guest/chain.js'
import { reason } from '../files/file.js'
import type { Changes } from '../images/changes.js'
import { openChain } from '../images/open.js'
import { openForWriting } from '../images/open-writing.js'
import { openRaw } from '../images/raw.js'
import type { OpenRequest } from '../text/image-opts.js'

/** An open file. */
export interface IoFile {
  /** What it was opened by. */
  readonly request: OpenRequest
  readonly chain: () => Chain
  /** Runs a plan that reads. */
  readonly run: <A, W>(plan: () => Plan<A, W>, emit?: (what: W) => void) => E.Either<Failure, A>
  /** What changes it; `undefined` where it is open for reading only. */
  readonly changes: Changes | undefined
  /** Makes durable what is written, and closes it. */
  readonly close: () => void
}

const forReading = async (request: OpenRequest, allow: readonly string[]): Promise<E.Either<string, IoFile>> => {
  const open = await openChain(request.name, { allow, format: request.format })
  if (E.isLeft(open)) return open
  const { chain, world, close } = open.right
  if (world._tag === 'Async') {
    close()
    return E.left(`Could not open '${request.name}': it is on a server`)
  }
  const { read } = world
  const run: IoFile['run'] = (plan, emit = () => undefined) => runSync(plan(), { read, emit })
  return E.right({ request, chain: () => chain, run, changes: undefined, close })
}

const writable = (request: OpenRequest, changes: Changes, close: () => void): IoFile => ({
  request,
  chain: () => changes.chain,
  run: (plan, emit = () => undefined) => runSync(plan(), { read: changes.read, emit }),
  changes,
  close
})

const forWriting = async (request: OpenRequest, allow: readonly string[]): Promise<E.Either<string, IoFile>> => {
  if (request.format === 'raw')
    return E.tryCatch(
      () => {
        const raw = openRaw(realpathSync(request.name))
        return writable(request, raw, raw.close)
      },
      (error) => `Could not open '${request.name}': ${reason(error)}`
    )
  return E.map(({ session, close }: { readonly session: Changes; readonly close: () => void }) =>
    writable(request, session, () => {
      try {
        session.end()
      } finally {
        close()
      }
    })
  )(await openForWriting(request.name, { allow }))
}

/** Opens a file as requested; the reason when that fails. */
export const openIoFile = (request: OpenRequest, allow: readonly string[]): Promise<E.Either<string, IoFile>> =>
  request.readOnly ? forReading(request, allow) : forWriting(request, allow)
