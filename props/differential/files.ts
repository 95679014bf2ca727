/** The folder of a trial: the files of an image under the names that its header and qemu-img know. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Disk } from '../../spec/disk.js'
import type { Shape } from '../arbitrary/shape.js'
import type { Files } from '../transition/model/machine.js'
import { begin } from '../transition/model/recording.js'

export const names = { image: 'image.qcow2', data: 'data.raw', backing: 'backing.raw' } as const

const memory = '/dev/shm'

/** A folder of its own for the time of `work`, in memory where the system has such. */
export const inFolder = async <A>(work: (folder: string) => Promise<A>): Promise<A> => {
  const folder = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'qcow2-differential-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const store = (folder: string, files: Files): void => {
  for (const part of ['image', 'data', 'backing'] as const)
    if (files[part].length > 0) writeFileSync(join(folder, names[part]), files[part])
    else rmSync(join(folder, names[part]), { force: true })
}

export const load = (folder: string): Files => {
  const read = (name: string): Uint8Array =>
    existsSync(join(folder, name)) ? new Uint8Array(readFileSync(join(folder, name))) : new Uint8Array()
  return { image: read(names.image), data: read(names.data), backing: read(names.backing) }
}

/** What a program came to. */
export interface Told {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

export const run = (folder: string, program: string, args: readonly string[]): Told => {
  const done = spawnSync(program, args, { cwd: folder, encoding: 'utf8', input: '' })
  return { code: done.status, out: done.stdout, error: done.stderr }
}

/** The words with which qemu-img makes an image of a shape. */
export const creation = ({ options: o, backing }: Shape): readonly string[] => {
  const settings = [
    `cluster_size=${2 ** (o.clusterBits ?? 16)}`,
    ...(o.version === 2 ? ['compat=0.10'] : []),
    ...(o.refcountOrder === undefined ? [] : [`refcount_bits=${2 ** o.refcountOrder}`]),
    ...(o.extendedL2 === true ? ['extended_l2=on'] : []),
    ...(o.lazyRefcounts === true ? ['lazy_refcounts=on'] : []),
    ...(o.compressionType === undefined ? [] : [`compression_type=${o.compressionType}`]),
    ...(o.dataFile === undefined
      ? []
      : [`data_file=${o.dataFile.name}`, ...(o.dataFile.raw ? ['data_file_raw=on'] : [])])
  ]
  const over = backing > 0 ? ['-b', names.backing, '-F', 'raw'] : []
  return ['create', '-q', '-f', 'qcow2', '-o', settings.join(','), ...over, names.image, String(o.size)]
}

/** The files of a new image, made here or by qemu-img, and the disk they stand for. */
export const made = (folder: string, shape: Shape, byQemu: boolean): { readonly files: Files; readonly disk: Disk } => {
  const { machine, disk } = begin(shape)
  if (!byQemu) return { files: machine.files, disk }
  store(folder, { ...machine.files, image: new Uint8Array(), data: new Uint8Array() })
  const { code, error } = run(folder, 'qemu-img', creation(shape))
  if (code !== 0) throw new Error(error)
  return { files: load(folder), disk }
}
