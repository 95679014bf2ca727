/** Benchmarks of chains, of extended L2 entries, and of commands that change an image: whole processes. */
import { copyFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { besideQemu, command, equal, mebi, node, qemu, realData, scratch, type Sides } from './bench-processes.js'

/** The path of the top image of four layers of this many MiB, made by qemu-img; undefined without it. */
const topOfFour = (megabytes: number): string | undefined => {
  const layers = [3, 2, 1, 0].map((depth) => join(scratch, `layer-${depth}.qcow2`))
  const [base = '', ...overlays] = layers
  if (qemu('convert', '-f', 'raw', '-O', 'qcow2', realData(megabytes), base) !== 0) return undefined
  let below = base
  for (const overlay of overlays) {
    qemu('create', '-q', '-f', 'qcow2', '-b', basename(below), '-F', 'qcow2', overlay)
    below = overlay
  }
  return below
}

/** A command line on the top of four layers. */
export const onChain = (words: (image: string) => readonly string[]) => (): Sides | string => {
  const top = topOfFour(64)
  if (top === undefined) return 'no qemu-img'
  return besideQemu(top, words(top), words(top), () => 0)
}

/** A command line on an image with extended L2 entries, of real data. */
export const onExtended = (words: (image: string) => readonly string[]) => (): Sides | string => {
  const image = join(scratch, 'extended.qcow2')
  return besideQemu(image, words(image), words(image), () =>
    qemu('convert', '-f', 'raw', '-O', 'qcow2', '-o', 'extended_l2=on,cluster_size=128k', realData(256), image)
  )
}

/** A command line that changes an overlay of 64 MiB of data on a base: each side has files of its own, made anew. */
export const changing = (words: (image: string) => readonly string[]) => (): Sides | string => {
  const [base, overlay] = ['changed-base', 'changed-overlay'].map((name) => join(scratch, `${name}.qcow2`))
  if (base === undefined || overlay === undefined) return 'no image'
  const kept = [base, overlay].map((path) => `${path}.kept`)
  if (qemu('create', '-q', '-f', 'qcow2', base, `${64 * mebi}`) !== 0) return 'no qemu-img'
  qemu('create', '-q', '-f', 'qcow2', '-b', basename(base), '-F', 'qcow2', overlay)
  qemu('convert', '-n', '-f', 'raw', '-O', 'qcow2', realData(64), overlay)
  const all = [base, overlay]
  for (const [i, path] of all.entries()) copyFileSync(path, kept[i] ?? '')
  const anew = (): void => {
    for (const [i, path] of all.entries()) copyFileSync(kept[i] ?? '', path)
  }
  return equal({
    ours: () => (anew(), node(command, ...words(overlay))),
    theirs: () => (anew(), qemu(...words(overlay))),
    process: words(overlay)
  })
}

/** Creates a snapshot of an image of this many GiB with preallocated metadata: its command line, for the memory that it takes. */
export const snapshotOf = (gigabytes: number) => (): Sides | string => {
  const image = join(scratch, `snapshot-${gigabytes}.qcow2`)
  rmSync(image, { force: true })
  if (qemu('create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', image, `${gigabytes}G`) !== 0)
    return 'no qemu-img'
  const words = ['snapshot', '-c', 'a', image]
  return { ours: () => node(command, ...words), theirs: () => qemu(...words), process: words }
}
