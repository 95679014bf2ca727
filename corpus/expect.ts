/** What qemu-img says about an image: asked once, kept beside the image, and read back by the tests. */

import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { imageName, type Recipe } from './recipe.js'
import { sha256 } from '../src/node/conform/suite.js'
import { quotedWords } from '../src/node/conform/template.js'
import { say, type Said } from './run.js'

const Ended = t.intersection([t.type({ exit: t.union([t.number, t.null]) }), t.partial({ signal: t.string })])

/** A question to qemu-img: how it ended, its JSON (null when it printed none), its complaints. */
const answer = <A extends t.Mixed>(json: A) =>
  t.intersection([Ended, t.type({ stdout: t.union([json, t.null]), stderr: t.string })])

/** A snapshot in `qemu-img info`. `icount` is absent when it is unknown. */
const SnapshotInfo = t.intersection([
  t.type({
    id: t.string,
    name: t.string,
    'vm-state-size': t.number,
    'date-sec': t.number,
    'date-nsec': t.number,
    'vm-clock-sec': t.number,
    'vm-clock-nsec': t.number
  }),
  t.partial({ icount: t.number })
])

/** `qemu-img info`, without `actual-size`, which depends on the file system. */
const Info = t.intersection([
  t.type({
    filename: t.string,
    format: t.string,
    'virtual-size': t.number,
    'cluster-size': t.number,
    'dirty-flag': t.boolean,
    'format-specific': t.type({ type: t.literal('qcow2'), data: t.UnknownRecord })
  }),
  t.partial({
    encrypted: t.boolean,
    'backing-filename': t.string,
    'full-backing-filename': t.string,
    'backing-filename-format': t.string,
    snapshots: t.readonlyArray(SnapshotInfo)
  })
])

/** `qemu-img check`: a count is absent when it is zero. */
const Check = t.intersection([
  t.type({ filename: t.string, format: t.string, 'check-errors': t.number }),
  t.partial({
    'image-end-offset': t.number,
    corruptions: t.number,
    leaks: t.number,
    'corruptions-fixed': t.number,
    'leaks-fixed': t.number,
    'total-clusters': t.number,
    'allocated-clusters': t.number,
    'fragmented-clusters': t.number,
    'compressed-clusters': t.number
  })
])

/** An extent in `qemu-img map`. */
const Extent = t.intersection([
  t.type({
    start: t.number,
    length: t.number,
    depth: t.number,
    present: t.boolean,
    zero: t.boolean,
    data: t.boolean
  }),
  t.partial({ offset: t.number })
])

/**
 * A guest's disk as `qemu-img convert -O raw` reads it: its digest, or why it could not be read, or was not.
 * A snapshot is read at the size of the active disk, whatever its own.
 */
const Guest = t.intersection([
  Ended,
  t.partial({ sha256: t.string, length: t.number, stderr: t.string, skipped: t.string })
])

export const Expect = t.intersection([
  t.type({
    name: t.string,
    title: t.string,
    steps: t.readonlyArray(t.string),
    /** Files of the recipe's folder, the image first, and the names they are kept under in images/. */
    files: t.record(t.string, t.string),
    /** Digest and length of the image file. */
    sha256: t.string,
    length: t.number,
    info: answer(Info),
    check: answer(Check),
    map: answer(t.readonlyArray(Extent)),
    guest: t.type({
      active: Guest,
      snapshots: t.readonlyArray(t.intersection([t.type({ id: t.string, name: t.string }), Guest]))
    })
  }),
  t.partial({ opts: t.string, varies: t.string })
])

type Guest = t.TypeOf<typeof Guest>
export type Expect = t.TypeOf<typeof Expect>

/** A guest's disk larger than this is not read. */
const mostGuest = 2 ** 31

const sha256File = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash)
  return hash.digest('hex')
}

const ended = ({ exit, signal }: Said): t.TypeOf<typeof Ended> => ({
  exit,
  ...(signal === undefined ? {} : { signal })
})

/** JSON of this shape, else null. */
const json = <A>(type: t.Decoder<unknown, A>, text: string): A | null => {
  const known = (key: string, value: unknown): unknown => (key === 'actual-size' ? undefined : value)
  const parsed = E.tryCatch((): unknown => JSON.parse(text, known), String)
  const decoded = E.isRight(parsed) ? type.decode(parsed.right) : parsed
  return E.isRight(decoded) ? decoded.right : null
}

const readGuest = async (folder: string, size: number, args: readonly string[]): Promise<Guest> => {
  if (size > mostGuest) return { exit: null, skipped: `a disk of ${size} bytes is not read` }
  const raw = join(folder, 'guest.raw')
  const said = await say(folder, 'qemu-img', ['convert', '-O', 'raw', ...args, 'guest.raw'])
  const read: Guest =
    said.exit === 0
      ? { ...ended(said), sha256: await sha256File(raw), length: statSync(raw).size }
      : { ...ended(said), stderr: said.stderr }
  rmSync(raw, { force: true })
  return read
}

/** Asks qemu-img about the image that a recipe left in this folder. */
export const ask = async (folder: string, recipe: Recipe): Promise<Omit<Expect, 'files'>> => {
  const { name, title, steps, opts, varies } = recipe
  const image = readFileSync(join(folder, imageName))
  const plain = ['-f', 'qcow2', imageName]
  const open = opts === undefined ? plain : (quotedWords(opts) ?? [])
  const question = async <A>(type: t.Decoder<unknown, A>, verb: string, args: readonly string[]) => {
    const said = await say(folder, 'qemu-img', [verb, '--output=json', ...args])
    return { ...ended(said), stdout: json(type, said.stdout), stderr: said.stderr }
  }
  const info = await question(Info, 'info', plain)
  const check = await question(Check, 'check', open)
  const map = await question(t.readonlyArray(Extent), 'map', open)
  const size = info.stdout?.['virtual-size'] ?? 0
  const active = await readGuest(folder, size, open)
  const snapshots: Expect['guest']['snapshots'][number][] = []
  for (const { id, name } of info.stdout?.snapshots ?? [])
    snapshots.push({ id, name, ...(await readGuest(folder, size, ['-l', `snapshot.id=${id}`, ...open])) })
  return {
    name,
    title,
    steps,
    ...(opts === undefined ? {} : { opts }),
    ...(varies === undefined ? {} : { varies }),
    sha256: sha256(image),
    length: image.length,
    info,
    check,
    map,
    guest: { active, snapshots }
  }
}
