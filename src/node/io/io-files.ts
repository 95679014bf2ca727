/** The file that the lines of `qcow2 io` are about: opened for reading or for writing, as an image or as raw bytes. */
import { realpathSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { runSync } from '../../bytes/plan.js'
import type { Changes } from '../images/changes.js'
import { reason } from '../files/file.js'
import type { Wanted } from '../text/image-opts.js'
import { type Target, writingTarget } from './io-run.js'
import { openChain } from '../images/open.js'
import { openForWriting } from '../images/open-writing.js'
import { openRaw } from '../images/raw.js'

/** An open file. Closing it makes durable what waits. */
export interface Current {
  readonly wanted: Wanted
  readonly target: Target
  readonly close: () => void
}

/** Where what is said goes. */
export type Out = Pick<Target, 'print' | 'complain'>

const toRead = async (wanted: Wanted, allow: readonly string[], out: Out): Promise<E.Either<string, Current>> => {
  const open = await openChain(wanted.name, { allow, format: wanted.format })
  if (E.isLeft(open)) return open
  const { chain, world, close } = open.right
  if (world._tag === 'Async') {
    close()
    return E.left(`Could not open '${wanted.name}': it is on a server`)
  }
  const { read } = world
  const run: Target['run'] = (plan, tell = () => undefined) => runSync(plan(), { read, emit: tell })
  return E.right({ wanted, target: { ...out, chain: () => chain, run, session: undefined }, close })
}

const toWrite = async (wanted: Wanted, allow: readonly string[], out: Out): Promise<E.Either<string, Current>> => {
  if (wanted.format === 'raw')
    return E.tryCatch(
      () => {
        const session = openRaw(realpathSync(wanted.name))
        return { wanted, target: writingTarget(session, out), close: session.close }
      },
      (error) => `Could not open '${wanted.name}': ${reason(error)}`
    )
  return E.map(({ session, close }: { session: Changes; close: () => void }) => ({
    wanted,
    target: writingTarget(session, out),
    close: () => {
      try {
        session.end()
      } finally {
        close()
      }
    }
  }))(await openForWriting(wanted.name, { allow }))
}

/** Opens a file as it is wanted; the reason when that cannot be. */
export const openCurrent = (wanted: Wanted, allow: readonly string[], out: Out): Promise<E.Either<string, Current>> =>
  wanted.readOnly ? toRead(wanted, allow, out) : toWrite(wanted, allow, out)
