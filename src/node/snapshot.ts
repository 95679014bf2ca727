/** `qcow2 snapshot`: snapshots listed, taken, gone back to and deleted. */
import * as E from 'fp-ts/lib/Either.js'
import { fromText, toSomeText } from '../bytes/octets.js'
import { showFailure } from '../bytes/run-async.js'
import { icount, type SnapshotEntry, vmStateSize } from '../format/snapshot.js'
import { readMetadata, refusal } from '../image/metadata.js'
import type { Command } from '../transition/command.js'
import { fail, ok, refusalLine, withSource } from './command.js'
import { humanSize } from './info-text.js'
import { withImage } from './open-writing.js'
import { print } from './output.js'
import { run } from './world.js'

/** What is to be done: at most one of these. */
export interface SnapshotOptions {
  readonly list?: boolean
  readonly create?: string
  readonly apply?: string
  readonly delete?: string
  readonly forceShare?: boolean
}

const padded = (bytes: Uint8Array, width: number): string =>
  toSomeText(bytes) + ' '.repeat(Math.max(0, width - bytes.length))

const two = (n: number): string => String(n).padStart(2, '0')

/** A moment on the clock of this place. */
const date = (seconds: number): string => {
  const d = new Date(seconds * 1000)
  const day = [d.getFullYear(), two(d.getMonth() + 1), two(d.getDate())].join('-')
  return `${day} ${[d.getHours(), d.getMinutes(), d.getSeconds()].map(two).join(':')}`
}

/** Hours, minutes, seconds and thousandths. */
const clock = (nanoseconds: bigint): string => {
  const ms = nanoseconds / 1_000_000n
  const parts = [ms / 3_600_000n, (ms / 60_000n) % 60n, (ms / 1000n) % 60n].map((n) => two(Number(n)))
  return `${parts.join(':')}.${String(ms % 1000n).padStart(3, '0')}`
}

const line = (s: SnapshotEntry): string =>
  [
    padded(s.id, 9),
    ' ',
    padded(s.name, 16),
    ' ',
    humanSize(Number(vmStateSize(s))).padStart(8),
    date(s.dateSec).padStart(20),
    clock(s.vmClockNsec).padStart(13),
    String(icount(s) ?? '').padStart(11),
    '\n'
  ].join('')

const heading = `${padded(fromText('ID'), 9)} ${padded(fromText('TAG'), 16)}  VM SIZE${'DATE'.padStart(20)}${'VM CLOCK'.padStart(13)}${'ICOUNT'.padStart(11)}\n`

/** Lists the snapshots, if there are any, as qemu-img does. */
const list = (name: string): Promise<number> =>
  withSource(name, async ({ world }) => {
    const m = E.flattenW(await run(world, readMetadata))
    if (E.isLeft(m)) return fail(refusalLine(name, m.left))
    const refused = refusal(m.right.issues)
    if (refused !== undefined) return fail(refusalLine(name, [refused]))
    if (m.right.snapshots.length > 0) print(`Snapshot list:\n${heading}${m.right.snapshots.map(line).join('')}`)
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
