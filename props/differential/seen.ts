/** What the readers see in an image: ours, the reference, and QEMU. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { Bitmap, Disk } from '../../spec/disk.js'
import { isObject } from '../../src/bytes/json.js'
import { label } from '../../src/bytes/octets.js'
import { type DirtyRange, dirtyRanges } from '../../src/image/guest/bitmap-ranges.js'
import type { Chain } from '../../src/image/guest/chain.js'
import { check } from '../../src/image/check/check.js'
import type { Finding } from '../../src/image/check/findings.js'
import { activeDisk, type GuestDisk as Tree, snapshotDisk } from '../../src/image/guest/extents.js'
import { map, type MapEntry } from '../../src/image/guest/map.js'
import { readMetadata } from '../../src/image/metadata.js'
import { readGuest } from '../../src/image/guest/read.js'
import { native } from '../../src/node/compression/native.js'
import { abstraction, countsOf, type Files, right, runOver } from '../transition/model/machine.js'
import { difference } from '../transition/model/square.js'
import { load, names, run, store } from './files.js'
import { Disagreement } from './party.js'

const chainOf = (files: Files, disk: Tree): Chain => [
  { _tag: 'Image', disk },
  ...(files.backing.length > 0 ? [{ _tag: 'Raw', size: files.backing.length } as const] : [])
]

const opened = (files: Files) => {
  const m = right(E.flatten(runOver(files, readMetadata())))
  if (m.geometry === undefined) throw new Disagreement('the image has no geometry')
  return { m, g: m.geometry }
}

const granules = (ranges: readonly DirtyRange[], granularity: number): ReadonlySet<number> =>
  new Set(
    ranges.flatMap(({ start, length, dirty }) =>
      dirty ? Array.from({ length: Math.ceil(length / granularity) }, (_, i) => start / granularity + i) : []
    )
  )

/** The disk as our reader sees it. */
const seenByUs = (files: Files, { traits }: Disk): Disk => {
  const { m, g } = opened(files)
  const guest = (tree: Tree): Uint8Array => right(runOver(files, readGuest(chainOf(files, tree), 0, tree.size, native)))
  return {
    traits,
    content: guest(activeDisk(m, g)),
    snapshots: m.snapshots.map((s) => ({
      id: label(s.id),
      name: label(s.name),
      content: guest(right(snapshotDisk(m, g, s)))
    })),
    bitmaps: m.bitmaps.map((b) => {
      const ranges: DirtyRange[] = []
      right(runOver(files, dirtyRanges(m, g, b), (range: DirtyRange) => ranges.push(range)))
      const granularity = 2 ** b.granularityBits
      return { name: label(b.name), granularity, enabled: b.flags.auto, dirty: granules(ranges, granularity) }
    })
  }
}

const unlike = (who: string, found: Disk, wanted: Disk): void => {
  const how = difference(found, wanted)
  if (how !== undefined) throw new Disagreement(`${who} reads ${how}`)
}

/** Whether a finding is a note on what a command of QEMU would do to a sound image. */
const isOnQemu = ({ severity, clause }: Finding): boolean =>
  severity === 'note' && ['CHK-14', 'AM-07', 'DATA-08'].includes(clause)

/** Fails unless our checker and the reference's find nothing in an image but expected leaks, and both readers see the disk in it. */
export const judgedByUs = (files: Files, disk: Disk, leaking: boolean): void => {
  const report = right(E.flatten(runOver(files, check(files.image.length, { deep: native }))))
  const findings = report.findings.filter((f) => !isOnQemu(f) && !(leaking && f.severity === 'leak'))
  if (findings.length > 0) throw new Disagreement(`our checker finds ${findings.map((f) => f.message).join('; ')}`)
  const { corruptions, leaks, checkErrors } = countsOf(files)
  if (corruptions + (leaking ? 0 : leaks) + checkErrors > 0)
    throw new Disagreement(`the reference counts ${corruptions} corruptions, ${leaks} leaks, ${checkErrors} errors`)
  unlike('our reader', seenByUs(files, disk), disk)
  unlike('the reference', abstraction(files, disk.traits), disk)
}

const printed = (folder: string, program: string, args: readonly string[], orCode = 0): string => {
  const { code, out, error } = run(folder, program, args)
  if (code !== 0 && code !== orCode)
    throw new Disagreement(`${program} ${args.join(' ')} ends with exit code ${code ?? 'none'}: ${out}${error}`)
  return out
}

const list = (u: unknown): readonly Readonly<Record<string, unknown>>[] => (Array.isArray(u) ? u.filter(isObject) : [])

const raw = (folder: string, ...args: readonly string[]): Uint8Array => {
  printed(folder, 'qemu-img', ['convert', '-t', 'unsafe', '-f', 'qcow2', '-O', 'raw', ...args, names.image, 'out.raw'])
  return new Uint8Array(readFileSync(join(folder, 'out.raw')))
}

/** The bytes of a snapshot that QEMU reads: as many as the disk has now, so that only those of both sizes say something. */
const asLongAs = (wanted: Uint8Array | undefined, read: Uint8Array): Uint8Array => {
  const content = wanted?.slice() ?? new Uint8Array()
  content.set(read.subarray(0, content.length))
  return content
}

/** Dirty granules of a bitmap as qemu-nbd reports them to a client. Each server has a copy and a socket of its own, since it ends in its own time. */
const dirtyByNbd = (folder: string, { name, granularity }: Bitmap): ReadonlySet<number> => {
  const served = mkdtempSync(join(folder, 'served-'))
  store(served, load(folder))
  const [socket, pidFile] = [join(served, 'nbd'), join(served, 'pid')]
  const serve = ['--fork', '--pid-file', pidFile, '-r', '-k', socket, '-f', 'qcow2', '-B', name, names.image]
  if (spawnSync('qemu-nbd', serve, { cwd: served, stdio: 'ignore' }).status !== 0)
    throw new Disagreement(`qemu-nbd does not serve bitmap ${name}`)
  const server = Number(readFileSync(pidFile, 'utf8'))
  const options = `driver=nbd,server.type=unix,server.path=${socket},x-dirty-bitmap=qemu:dirty-bitmap:${name}`
  const { code, out, error } = run(served, 'qemu-img', ['map', '--output=json', '--image-opts', options])
  if (code !== 0) {
    // It has ended by itself if it had a client.
    try {
      process.kill(server)
    } catch {}
    throw new Disagreement(`the dirty ranges of ${name} cannot be read from qemu-nbd: ${error}`)
  }
  rmSync(served, { recursive: true, force: true, maxRetries: 5 })
  const entries: unknown = JSON.parse(out)
  return granules(
    list(entries).map(({ start, length, data }) => ({
      start: Number(start),
      length: Number(length),
      dirty: data === false
    })),
    granularity
  )
}

/**
 * Fails unless `qemu-img check` finds nothing in an image but expected leaks, and QEMU sees the disk in it. What bitmaps
 * hold is read only with `bitmaps`, since that takes processes of its own.
 */
export const judgedByQemu = (
  folder: string,
  disk: Disk,
  { leaking, bitmaps }: { readonly leaking: boolean; readonly bitmaps: boolean }
): void => {
  printed(folder, 'qemu-img', ['check', '-f', 'qcow2', names.image], leaking ? 3 : 0)
  const info: unknown = JSON.parse(printed(folder, 'qemu-img', ['info', '-f', 'qcow2', '--output=json', names.image]))
  const specific = isObject(info) && isObject(info['format-specific']) ? info['format-specific']['data'] : undefined
  const seen: Disk = {
    traits: disk.traits,
    content: raw(folder),
    snapshots: list(isObject(info) ? info['snapshots'] : undefined).map(({ id, name }) => ({
      id: String(id),
      name: String(name),
      content: asLongAs(
        disk.snapshots.find((s) => s.id === id)?.content,
        raw(folder, '-l', `snapshot.id=${String(id)}`)
      )
    })),
    bitmaps: list(isObject(specific) ? specific['bitmaps'] : undefined).map((b, i) => {
      const flags: readonly unknown[] = Array.isArray(b['flags']) ? b['flags'] : []
      if (flags.includes('in-use')) throw new Disagreement(`bitmap ${String(b['name'])} is in use`)
      const found = { name: String(b['name']), granularity: Number(b['granularity']), enabled: flags.includes('auto') }
      const dirty = disk.bitmaps[i]?.dirty ?? new Set<number>()
      return { ...found, dirty: bitmaps ? dirtyByNbd(folder, { ...found, dirty }) : dirty }
    })
  }
  unlike('QEMU', seen, disk)
}

export type Mapped = readonly MapEntry[]

/**
 * A map that says nothing of holes: where a file is sparse enough, QEMU asks the system which stored bytes are in holes, and
 * calls them zeros.
 */
const withoutHoles = (entries: Mapped): Mapped => {
  const joined: MapEntry[] = []
  for (const entry of entries) {
    const next = entry.data && entry.offset !== undefined ? { ...entry, zero: false } : entry
    const last = joined.at(-1)
    const follows =
      last?.offset !== undefined &&
      next.data &&
      last.data &&
      last.depth === next.depth &&
      last.offset + last.length === next.offset
    if (follows) joined[joined.length - 1] = { ...last, length: last.length + next.length }
    else joined.push(next)
  }
  return joined
}

export const mappedByUs = (files: Files): Mapped => {
  const { m, g } = opened(files)
  const entries: MapEntry[] = []
  right(runOver(files, map(chainOf(files, activeDisk(m, g))), (e: MapEntry) => entries.push(e)))
  return entries
}

export const mappedByQemu = (folder: string): Mapped => {
  const entries: unknown = JSON.parse(printed(folder, 'qemu-img', ['map', '-f', 'qcow2', '--output=json', names.image]))
  const mapped: Mapped = list(entries).map((e) => ({
    start: Number(e['start']),
    length: Number(e['length']),
    depth: Number(e['depth']),
    present: e['present'] === true,
    zero: e['zero'] === true,
    data: e['data'] === true,
    ...(e['offset'] === undefined ? {} : { offset: Number(e['offset']) })
  }))
  return withoutHoles(mapped)
}
