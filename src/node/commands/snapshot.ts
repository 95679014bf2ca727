/** `qcow2 snapshot`: snapshots listed, taken, gone back to and deleted. */
import * as E from 'fp-ts/lib/Either.js'
import { showFailure } from '../../bytes/run-async.js'
import { snapshotInfo } from '../../image/info.js'
import type { Command } from '../../transition/command.js'
import { fail, ok, print } from '../files/output.js'
import { usableIn, withSource } from '../images/usable.js'
import { withImage } from '../images/open-writing.js'
import { snapshotLines } from '../text/snapshot-text.js'

/** What is to be done: at most one of these. */
export interface SnapshotOptions {
  readonly list?: boolean
  readonly create?: string
  readonly apply?: string
  readonly delete?: string
  readonly forceShare?: boolean
}

/** Lists the snapshots, if there are any, as qemu-img does. */
const list = (name: string): Promise<number> =>
  withSource(name, async ({ world }) => {
    const m = await usableIn(name, world)
    if (E.isLeft(m)) return fail(m.left)
    print(
      snapshotLines(m.right.snapshots.map(snapshotInfo))
        .map((line) => `${line}\n`)
        .join('')
    )
    return ok
  })

const change = (image: string, command: Command, what: string): Promise<number> =>
  withImage(image, { alone: true }, (session) => {
    const done = session.command(command)
    return E.isRight(done) ? ok : fail(`Could not ${what}: ${showFailure(done.left)}`)
  })

/** The command. */
export const snapshot = (image: string, o: SnapshotOptions): Promise<number> => {
  const { create, apply, delete: gone, forceShare } = o
  if ([create, apply, gone].filter((name) => name !== undefined).length > 1)
    return Promise.resolve(fail("Cannot mix '-l', '-a', '-c', '-d'"))
  if (create !== undefined) {
    const now = Date.now()
    const moment = { seconds: Math.floor(now / 1000), nanoseconds: (now % 1000) * 1_000_000 }
    return change(image, { _tag: 'SnapshotCreate', name: create, ...moment }, `create snapshot '${create}'`)
  }
  if (apply !== undefined) return change(image, { _tag: 'SnapshotApply', name: apply }, `apply snapshot '${apply}'`)
  if (gone !== undefined) return change(image, { _tag: 'SnapshotDelete', name: gone }, `delete snapshot '${gone}'`)
  if (o.list === true) return list(image)
  if (forceShare === true) return Promise.resolve(fail(`Could not open '${image}': -U is only for -l`))
  return withImage(image, { alone: true }, () => ok)
}
