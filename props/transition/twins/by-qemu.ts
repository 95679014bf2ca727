/** Twins: an image that QEMU makes and changes, and the same image changed here by the same commands. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { entryOf, offsetIn, openImage, word } from '../../../spec/reference/image.js'
import type { Command } from '../../../src/transition/command.js'
import { type Files, type Machine, machineOf, perhaps } from '../model/machine.js'

/** An image as QEMU is asked for it. */
export interface Recipe {
  /** Creation options as qemu-img spells them. */
  readonly create: string
  readonly size: number
  /** Bytes of a raw backing file. */
  readonly backing?: Uint8Array
  /** What is done to it: lines of qemu-io, between snapshots. */
  readonly eras: readonly (readonly string[])[]
}

/** A folder of its own for the time of `work`. */
export const inFolder = <A>(work: (folder: string) => A): A => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-twin-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const names = { image: 'image.qcow2', data: 'data.raw', backing: 'base.raw' } as const

const store = (folder: string, files: Files): void => {
  for (const part of ['image', 'data', 'backing'] as const)
    if (files[part].length > 0) writeFileSync(join(folder, names[part]), files[part])
}

const load = (folder: string): Files => {
  const read = (name: string): Uint8Array =>
    existsSync(join(folder, name)) ? new Uint8Array(readFileSync(join(folder, name))) : new Uint8Array()
  return { image: read(names.image), data: read(names.data), backing: read(names.backing) }
}

const io = (folder: string, lines: readonly string[]): string => {
  if (lines.length === 0) return ''
  const args = lines.flatMap((line) => ['-c', line])
  const { stdout, stderr } = spawnSync('qemu-io', ['-f', 'qcow2', '-t', 'unsafe', ...args, names.image], {
    cwd: folder,
    encoding: 'utf8'
  })
  return stdout + stderr
}

/** The files of a recipe, made by QEMU; every line must succeed. */
export const prepare = (folder: string, { create, size, backing, eras }: Recipe): Files => {
  if (backing !== undefined) writeFileSync(join(folder, names.backing), backing)
  const over = backing === undefined ? [] : ['-b', names.backing, '-F', 'raw']
  const img = (...args: readonly string[]): unknown => execFileSync('qemu-img', args, { cwd: folder })
  img('create', '-q', '-f', 'qcow2', '-o', create, ...over, names.image, String(size))
  for (const [i, lines] of eras.entries()) {
    if (i > 0) img('snapshot', '-c', `s${i}`, names.image)
    const said = io(folder, lines)
    if (/fail|error/i.test(said)) throw new Error(said)
  }
  return load(folder)
}

const span = (at: number, length: number): string => `${at} ${length}`

/** A command in the words of qemu-io; what is written is one byte over and over. */
export const lineOf = (c: Command): string => {
  switch (c._tag) {
    case 'Write':
      return `write -P ${c.bytes[0] ?? 0} ${span(c.at, c.bytes.length)}`
    case 'WriteCompressed':
      return `write -c -P ${c.bytes[0] ?? 0} ${span(c.at, c.bytes.length)}`
    case 'WriteZeroes':
      return `write -z ${c.unmap ? '-u ' : ''}${span(c.at, c.length)}`
    case 'Discard':
      return `discard ${span(c.at, c.length)}`
    case 'Flush':
      return 'flush'
    default:
      throw new Error(`qemu-io has no ${c._tag}`)
  }
}

/** The files after QEMU has done each list of commands to them; a command that it refuses changes nothing. */
export const byQemu = (folder: string, files: Files, lists: readonly (readonly Command[])[]): readonly Files[] => {
  const folders = lists.map((_, i) => join(folder, String(i)))
  for (const each of folders) {
    mkdirSync(each, { recursive: true })
    store(each, files)
  }
  const dataFile = (i: number): string => (files.data.length > 0 ? `,data-file.filename=${i}/${names.data}` : '')
  const lines = lists.map((commands, i) => [
    `open -o driver=qcow2,cache.no-flush=on,file.filename=${i}/${names.image}${dataFile(i)}`,
    ...commands.map(lineOf),
    'close'
  ])
  spawnSync(
    'qemu-io',
    lines.flat().flatMap((line) => ['-c', line]),
    { cwd: folder }
  )
  return folders.map(load)
}

/** The machine after the commands; one that is refused changes nothing. */
export const byUs = (files: Files, commands: readonly Command[]): Machine =>
  commands.reduce((m, c) => E.getOrElse(() => m)(perhaps(m, c)), machineOf(files))

/** Whether `qemu-img check` finds nothing at all wrong with an image. */
export const isCleanForQemu = (folder: string, files: Files): boolean => {
  store(folder, files)
  return spawnSync('qemu-img', ['check', '-q', '-f', 'qcow2', names.image], { cwd: folder }).status === 0
}

const hex = (bits: bigint): string => bits.toString(16).padStart(16, '0')

/** The bits of the L2 entry of every guest cluster, as they stand in the image: the descriptor, and the bitmap if there is one. */
export const l2Entries = (files: Files): readonly (readonly bigint[])[] => {
  const image = openImage(files.image)
  const perTable = image.clusterSize / (image.extendedL2 ? 16 : 8)
  return Array.from({ length: Math.ceil(image.size / image.clusterSize) }, (_, cluster) => {
    const table = offsetIn(word(image.file, image.l1.offset + 8 * Math.floor(cluster / perTable)))
    const { bits, bitmap } = table === 0 ? { bits: 0n, bitmap: 0n } : entryOf(image, table, cluster % perTable)
    return image.extendedL2 ? [bits, bitmap] : [bits]
  })
}

/** L2 entries in hexadecimal. */
export const l2Text = (files: Files): readonly string[] => l2Entries(files).map((words) => words.map(hex).join(' '))

const offsetBits = 0x00ff_ffff_ffff_fe00n
const compressed = 1n << 62n

/** L2 entries in which a host cluster or a payload is only named as that of `before`, or another. */
export const l2Shapes = (files: Files, before: Files): readonly string[] => {
  const old = l2Entries(before)
  return l2Entries(files).map(([bits = 0n, ...bitmap], i) => {
    const was = old[i]?.[0] ?? 0n
    const isCompressed = (bits & compressed) !== 0n
    const same = isCompressed ? bits === was : (bits & offsetBits) === (was & offsetBits)
    const place = (bits & offsetBits) === 0n ? 'none' : same ? 'kept' : 'new'
    return [isCompressed ? 'compressed' : hex(bits & ~offsetBits), place, ...bitmap.map(hex)].join(' ')
  })
}
