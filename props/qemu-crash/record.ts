/** Recordings of QEMU: a script that it carries out, and the writes and flushes it makes meanwhile. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type Disk, step } from '../../spec/disk.js'
import type { HostWrite } from '../../src/bytes/host-write.js'
import type { Command } from '../../src/transition/command.js'
import { commandOf, type Move } from '../arbitrary/script.js'
import type { Shape } from '../arbitrary/shape.js'
import { abstraction } from '../transition/model/machine.js'
import { begin, type Recording, stored } from '../transition/model/recording.js'
import { writesOf } from './write-log.js'

/** Commands of a guest, which one process does until a flush; the others have a process each. */
export const isOfGuest = (c: Command): boolean =>
  c._tag === 'Write' || c._tag === 'WriteCompressed' || c._tag === 'WriteZeroes' || c._tag === 'Discard'

const image = 'image.qcow2'
const log = 'writes.log'

/** The image with a log of what is written to it, which goes on where it is there already. */
const logged = ({ backing }: Shape, first: boolean): string =>
  [
    'driver=qcow2,discard=unmap,file.driver=blklogwrites,file.file.driver=file',
    `file.file.filename=${image},file.log.driver=file,file.log.filename=${log}`,
    first ? 'file.log-sector-size=512' : 'file.log-append=on',
    ...(backing > 0 ? ['backing.driver=raw,backing.file.driver=file,backing.file.filename=backing.raw'] : [])
  ].join(',')

const span = (at: number, length: number): string => `${at} ${length}`

/** A command in the words of qemu-io; the bytes of a write are in the file `bytes`. */
export const lineOf = (c: Command, bytes: string): string => {
  switch (c._tag) {
    case 'Write':
      return `write -s ${bytes} ${span(c.at, c.bytes.length)}`
    case 'WriteCompressed':
      return `write -c -s ${bytes} ${span(c.at, c.bytes.length)}`
    case 'WriteZeroes':
      return `write -z ${c.unmap ? '-u ' : ''}${span(c.at, c.length)}`
    case 'Discard':
      return `discard ${span(c.at, c.length)}`
    default:
      throw new Error(`qemu-io has no ${c._tag}`)
  }
}

/** A command in the words of qemu-img, without the image. */
export const wordsOf = (c: Command): readonly string[] => {
  switch (c._tag) {
    case 'SnapshotCreate':
      return ['snapshot', '-c', c.name]
    case 'SnapshotApply':
      return ['snapshot', '-a', c.name]
    case 'SnapshotDelete':
      return ['snapshot', '-d', c.name]
    case 'Resize':
      return ['resize', '-q', '--shrink', String(c.size)]
    default:
      throw new Error(`qemu-img has no ${c._tag}`)
  }
}

/** Why a script proves nothing on crashes: QEMU did what the abstract disk refuses, or made another disk. */
export class Disagreement extends Error {}

/** The disk after a command that QEMU carried out or refused. */
const after = (disk: Disk, command: Command, done: boolean): Disk => {
  if (!done) return disk
  const outcome = step(command, disk)
  if (outcome._tag === 'Done') return outcome.disk
  throw new Disagreement(`${command._tag} is refused by ${outcome.clause}, but not by QEMU`)
}

/** Runs commands in one process of qemu-io: for each, whether it was carried out. */
const runIo = (folder: string, options: string, commands: readonly Command[]): readonly boolean[] => {
  const lines = commands.map((c, i) => {
    if ('bytes' in c) writeFileSync(join(folder, `bytes${i}`), c.bytes)
    return lineOf(c, `bytes${i}`)
  })
  const args = lines.flatMap((line) => ['-c', line])
  const { stdout, stderr } = spawnSync('qemu-io', ['--image-opts', options, ...args], { cwd: folder, encoding: 'utf8' })
  const answers = stdout.split('\n').filter((line) => /^(wrote|discard) [0-9]|failed: /.test(line))
  if (answers.length !== commands.length) throw new Error(`${lines.join('; ')}: ${stdout}${stderr}`)
  return answers.map((line) => !line.includes('failed: '))
}

const runImg = (folder: string, options: string, command: Command): boolean => {
  const [verb = '', ...rest] = wordsOf(command)
  const args =
    verb === 'resize'
      ? [...rest.slice(0, -1), '--image-opts', options, ...rest.slice(-1)]
      : [...rest, '--image-opts', options]
  return spawnSync('qemu-img', [verb, ...args], { cwd: folder }).status === 0
}

/** What QEMU has written so far; a log of which it made nothing yet is empty. */
const written = (folder: string): readonly HostWrite[] => {
  const bytes = new Uint8Array(readFileSync(join(folder, log)))
  const writes = bytes.length === 0 ? E.right([]) : writesOf(bytes, { part: 'image', depth: 0 })
  if (E.isRight(writes)) return writes.right
  throw new Error(writes.left)
}

/** What one process does: guest commands up to a flush, or one command of another kind. At its end everything is durable. */
interface Segment {
  readonly commands: readonly Command[]
  /** Moves that it takes up. */
  readonly moves: number
}

/** One cluster of a compressed write: of several, QEMU may write some and then refuse. */
export const atOnce = (c: Command, { traits }: Disk): Command =>
  c._tag === 'WriteCompressed' ? { ...c, bytes: c.bytes.subarray(0, traits.grain) } : c

/** Whether a command names no bytes, which qemu-io says nothing about. */
export const isNothing = (c: Command): boolean => 'at' in c && ('bytes' in c ? c.bytes.length : c.length) === 0

/** The segment that some moves begin with; `mark` is what the bytes of the first are to say. */
const segmentOf = (disk: Disk, moves: readonly Move[], mark: number): Segment => {
  const commands: Command[] = []
  for (const [i, m] of moves.entries()) {
    const command = atOnce(commandOf(m, disk, mark + i), disk)
    if (command._tag === 'Flush') return { commands, moves: i + 1 }
    if (!isOfGuest(command)) return commands.length > 0 ? { commands, moves: i } : { commands: [command], moves: i + 1 }
    if (!isNothing(command)) commands.push(command)
  }
  return { commands, moves: moves.length }
}

const inFolder = <A>(work: (folder: string) => A): A => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-crash-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const sameContent = (a: Disk, b: Disk): boolean =>
  Buffer.compare(a.content, b.content) === 0 &&
  a.snapshots.length === b.snapshots.length &&
  a.snapshots.every((s, i) => Buffer.compare(s.content, b.snapshots[i]?.content ?? new Uint8Array(0)) === 0)

/** A recording, and the image file that QEMU left. */
export interface QemuRecording extends Recording {
  readonly image: Uint8Array
}

/**
 * A script as QEMU carries it out. Its own flushes promise a guest nothing: what is durable is what a segment left, and
 * until the next one is done any of its commands may be seen or not. Truncations are not in the log.
 */
export const recordQemu = (shape: Shape, moves: readonly Move[]): QemuRecording =>
  inFolder((folder) => {
    const { machine, disk: blank } = begin(shape)
    writeFileSync(join(folder, image), machine.files.image)
    writeFileSync(join(folder, 'backing.raw'), machine.files.backing)
    writeFileSync(join(folder, log), '')
    const commands: Command[] = []
    const disks: Disk[] = [blank]
    const madeBy: (readonly [number, number])[] = []
    let disk = blank
    let writes: readonly HostWrite[] = []
    for (let at = 0; at < moves.length;) {
      const segment = segmentOf(disk, moves.slice(at), at + 1)
      at += segment.moves
      const [only] = segment.commands
      if (only === undefined) continue
      const options = logged(shape, statSync(join(folder, log)).size === 0)
      const done = isOfGuest(only) ? runIo(folder, options, segment.commands) : [runImg(folder, options, only)]
      const first = commands.length + 1
      for (const [i, command] of segment.commands.entries()) {
        disk = after(disk, command, done[i] === true)
        commands.push(command)
        disks.push(disk)
      }
      writes = written(folder)
      while (madeBy.length < writes.length) madeBy.push([first, commands.length])
    }
    const files = { ...machine.files, image: new Uint8Array(readFileSync(join(folder, image))) }
    if (!sameContent(abstraction(files, disk.traits), disk)) throw new Disagreement('QEMU came to another disk')
    return { before: stored(machine.files), writes, madeBy, commands, disks, image: files.image }
  })

/** The exit code of a check of an image after qemu-img has repaired all that it can. */
export const repairedByQemu = (bytes: Uint8Array): number | null =>
  inFolder((folder) => {
    writeFileSync(join(folder, image), bytes)
    const check = (...args: readonly string[]): number | null =>
      spawnSync('qemu-img', ['check', '-q', ...args, image], { cwd: folder }).status
    check('-r', 'all')
    return check()
  })
