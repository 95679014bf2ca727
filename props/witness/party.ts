/** The parties of a witness: QEMU's programs, or the command of this package, each in a folder of files. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { Qemu } from '../run/qemus.js'
import { writesOf } from '../qemu-crash/write-log.js'
import type { Printed } from './bytes.js'
import { epochLines } from './epochs.js'
import type { Party } from './document.js'
import type { Ours } from './ours.js'

type Words = readonly [string, ...string[]]

/** Carries out command lines of qemu-img, qemu-io and qcow2 in the working folder. */
export interface Actor {
  readonly party: Party
  readonly run: (words: Words) => Promise<Printed>
  /** Carries out a command line, and prints what it wrote to its image instead of what it printed. @see epochLines */
  readonly trace: (words: Words, counting: boolean) => Promise<Printed>
}

/** The image of a command line: its first word that is the name of a qcow2 file. */
const imageOf = (words: readonly string[]): string | undefined =>
  words.find((word) => existsSync(word) && readFileSync(word).subarray(0, 3).toString('latin1') === 'QFI')

const log = 'writes.log'

/** A command line that opens its image by way of QEMU's log of writes. */
const logged = ([program, ...words]: Words, image: string): Words => {
  const options = [
    'driver=qcow2,discard=unmap,file.driver=blklogwrites,file.file.driver=file',
    `file.file.filename=${image},file.log.driver=file,file.log.filename=${log},file.log-sector-size=512`
  ].join(',')
  const rest = words.map((word) => (word === image ? options : word))
  const [verb = '', ...others] = rest
  return program === 'qemu-io' ? [program, '--image-opts', ...rest] : [program, verb, '--image-opts', ...others]
}

const printed = (lines: readonly string[]): Printed => ({ code: 0, text: lines.map((line) => `${line}\n`).join('') })

/** Whether a command line creates a LUKS image: QEMU measures for seconds how many iterations the time allows. */
const createsLuks = (words: readonly string[]): boolean =>
  words[1] === 'create' && words.some((word) => word.includes('encrypt.format=luks'))

/** The measuring fails now and then where the machine is busy. */
const busy = 'Unable to get accurate CPU usage'
const attempts = 10

export const qemuActor = (qemu: Qemu, ours: Ours): Actor => {
  /** The LUKS images that were created, by their command lines: each is created once. */
  const created = new Map<string, Uint8Array>()
  const spawn = ([program, ...words]: Words): Printed => {
    const [file, ...args] = qemu.command(program)
    const { status, signal, stdout, stderr } = spawnSync(file, [...args, ...words], {
      encoding: 'latin1',
      input: '',
      maxBuffer: 2 ** 28
    })
    return { code: status ?? 128, text: stdout + stderr + (signal === null ? '' : `${signal}\n`) }
  }
  const createLuks = (words: Words): Printed => {
    const image = words.find((word) => word.endsWith('.qcow2')) ?? ''
    const known = created.get(words.join(' '))
    if (known !== undefined) {
      writeFileSync(image, known)
      return { code: 0, text: '' }
    }
    for (let attempt = 1; ; attempt++) {
      const printed = spawn(words)
      if (printed.code === 0) created.set(words.join(' '), readFileSync(image))
      if (attempt === attempts || !printed.text.includes(busy)) return printed
    }
  }
  const run = (words: Words): Printed => (createsLuks(words) ? createLuks(words) : spawn(words))
  return {
    party: qemu.series,
    run: (words) => (words[0] === 'qcow2' ? ours.run(words.slice(1)) : Promise.resolve(run(words))),
    trace: (words, counting) => {
      const image = imageOf(words)
      if (image === undefined) return Promise.resolve({ code: 1, text: 'no image to trace\n' })
      const before = readFileSync(image)
      writeFileSync(log, '')
      const { code, text } = spawn(logged(words, image))
      const writes = writesOf(readFileSync(log), { part: 'image', depth: 0 })
      rmSync(log)
      if (code !== 0) return Promise.resolve({ code, text })
      if (E.isLeft(writes)) return Promise.resolve({ code: 1, text: writes.left })
      return Promise.resolve(printed(epochLines(writes.right, before, readFileSync(image), counting)))
    }
  }
}

export const ourActor = (ours: Ours): Actor => {
  /** The words of qemu-img and qemu-io are those of the command. */
  const translated = ([program, ...words]: Words): readonly string[] =>
    program === 'qemu-io' ? ['io', ...words] : words
  return {
    party: 'ours',
    run: (words) => ours.run(translated(words)),
    trace: async (words, counting) => {
      const image = imageOf(words)
      if (image === undefined) return { code: 1, text: 'no image to trace\n' }
      const before = readFileSync(image)
      const { said, writes } = await ours.recorded(translated(words), image)
      return said.code === 0 ? printed(epochLines(writes, before, readFileSync(image), counting)) : said
    }
  }
}
