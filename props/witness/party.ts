/** The parties of a witness: QEMU's programs, or the command of this package, each in a folder of files. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Qemu } from '../run/qemus.js'
import { writesOf } from '../qemu-crash/write-log.js'
import type { Printed } from './bytes.js'
import { printedEpochs } from './epochs.js'
import type { Party } from './document.js'
import type { Ours } from './ours.js'

type Words = readonly [string, ...string[]]

/** Carries out command lines of qemu-img, qemu-io and qcow2 in the working folder. */
export interface Actor {
  readonly party: Party
  readonly run: (words: Words) => Promise<Printed>
  /** Carries out a command line, and prints what it wrote to its image instead of what it printed. */
  readonly trace: (words: Words) => Promise<Printed>
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

export const qemuActor = (qemu: Qemu, ours: Ours): Actor => {
  const spawn = ([program, ...words]: Words): Printed => {
    const [file, ...args] = qemu.command(program)
    const { status, signal, stdout, stderr } = spawnSync(file, [...args, ...words], { encoding: 'latin1', input: '' })
    return { code: status ?? 128, text: stdout + stderr + (signal === null ? '' : `${signal}\n`) }
  }
  return {
    party: qemu.series,
    run: (words) => (words[0] === 'qcow2' ? ours.run(words.slice(1)) : Promise.resolve(spawn(words))),
    trace: (words) => {
      const image = imageOf(words)
      if (image === undefined) return Promise.resolve({ code: 1, text: 'no image to trace\n' })
      const before = readFileSync(image)
      writeFileSync(log, '')
      const { code, text } = spawn(logged(words, image))
      const writes = writesOf(readFileSync(log), { part: 'image', depth: 0 })
      rmSync(log)
      return Promise.resolve({ code, text: code === 0 ? printedEpochs(writes, before, readFileSync(image)) : text })
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
    trace: async (words) => {
      const image = imageOf(words)
      if (image === undefined) return { code: 1, text: 'no image to trace\n' }
      const before = readFileSync(image)
      const { printed, writes } = await ours.recorded(translated(words), image)
      return printed.code === 0
        ? { code: 0, text: printedEpochs({ _tag: 'Right', right: writes }, before, readFileSync(join('.', image))) }
        : printed
    }
  }
}
