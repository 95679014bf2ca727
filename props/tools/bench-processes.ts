/** Benchmarks of whole processes, ours and QEMU's: their images, their input, both command lines. */
import { deepStrictEqual } from 'node:assert'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { corpusFolder } from '../../corpus/load.js'

/** The work of both sides. */
export interface Sides {
  readonly ours: () => unknown
  readonly theirs: () => unknown
  /** A part of our work that is not counted. */
  readonly start?: () => unknown
  /** Our command line, if our work is a process. */
  readonly process?: readonly string[]
}

/** Both sides, after a check that they give equal values. */
export const equal = (sides: Sides): Sides => {
  deepStrictEqual(sides.ours(), sides.theirs())
  return sides
}

export const mebi = 2 ** 20

// With this variable every Node process reads certificates before it starts: a cost of the machine, not of a command.
delete process.env['NODE_EXTRA_CA_CERTS']

export const scratch = mkdtempSync(join(tmpdir(), 'qcow2-bench-'))
process.on('exit', () => {
  rmSync(scratch, { recursive: true })
})

/** The path of a small image, from the corpus or else made by qemu-img; undefined without either. */
export const smallImage = (): string | undefined => {
  const path = join(scratch, 'small.qcow2')
  const kept = `${corpusFolder}images/matrix-64k-w16-v3-zstd-ext.qcow2.gz`
  if (existsSync(kept)) writeFileSync(path, gunzipSync(readFileSync(kept)))
  else spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1G'])
  return existsSync(path) ? path : undefined
}

export const qemu = (...args: readonly string[]): number | null =>
  spawnSync('qemu-img', args, { stdio: 'ignore' }).status

export const command = fileURLToPath(new URL('../../src/node/bin.cjs', import.meta.url))

/** Our command and QEMU's on one image; their exit codes are equal. */
export const besideQemu = (
  image: string,
  ours: readonly string[],
  theirs: readonly string[],
  make: () => number | null
): Sides | string => {
  if (!existsSync(image) && make() !== 0) return 'no qemu-img'
  return equal({ ours: () => node(command, ...ours), theirs: () => qemu(...theirs), process: ours })
}

/** Runs a command on an image of this size in GiB with preallocated metadata and no data. */
export const metadataOnly =
  (gigabytes: number, ...words: readonly string[]) =>
  (): Sides | string => {
    const image = join(scratch, `metadata-${gigabytes}.qcow2`)
    return besideQemu(image, [...words, image], [...words, image], () =>
      qemu('create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', image, `${gigabytes}G`)
    )
  }

/** Creates, applies and deletes a snapshot of an image with preallocated metadata: three processes. */
export const snapshotting = (gigabytes: number) => (): Sides | string => {
  const [mine, qemus] = ['ours', 'theirs'].map((name) => join(scratch, `${name}-${gigabytes}.qcow2`))
  if (mine === undefined || qemus === undefined) return 'no image'
  for (const image of [mine, qemus])
    if (qemu('create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', image, `${gigabytes}G`) !== 0)
      return 'no qemu-img'
  const all = (run: (...args: readonly string[]) => number | null, image: string): readonly (number | null)[] =>
    ['-c', '-a', '-d'].map((action) => run('snapshot', action, 'a', image))
  return equal({
    ours: () => all((...args) => node(command, ...args), mine),
    theirs: () => all(qemu, qemus)
  })
}

/** Reads 4 KiB this many times at scattered offsets of an image of 256 MiB of real data: one process that reads io lines. */
export const reading = (reads: number) => (): Sides | string => {
  const image = join(scratch, 'read.qcow2')
  if (qemu('convert', '-f', 'raw', '-O', 'qcow2', realData(256), image) !== 0) return 'no qemu-img'
  const script = join(scratch, `reads-${reads}`)
  writeFileSync(
    script,
    Array.from({ length: reads }, (_, i) => `read -q ${((i * 167_777) % 2 ** 16) * 4096} 4k\n`).join('')
  )
  const run =
    (program: string, ...args: readonly string[]) =>
    (): number | null => {
      const input = openSync(script, 'r')
      const { status } = spawnSync(program, [...args, '-r', image], { stdio: [input, 'ignore', 'ignore'] })
      closeSync(input)
      return status
    }
  return equal({ ours: run(process.execPath, command, 'io'), theirs: run('qemu-io') })
}

/** Writes 4 KiB this many times at scattered offsets of a new image of 1 GiB: one process that reads io lines, with a flush at the end. */
export const writing = (writes: number) => (): Sides | string => {
  const image = join(scratch, 'written.qcow2')
  if (qemu('create', '-q', '-f', 'qcow2', image, '1G') !== 0) return 'no qemu-img'
  const empty = readFileSync(image)
  const script = join(scratch, `writes-${writes}`)
  const blocks = 2 ** 18
  const lines = Array.from({ length: writes }, (_, i) => `write -q -P ${i % 251} ${((i * 167_777) % blocks) * 4096} 4k`)
  writeFileSync(script, `${[...lines, 'flush'].join('\n')}\n`)
  const run =
    (program: string, ...args: readonly string[]) =>
    (): number | null => {
      writeFileSync(image, empty)
      const input = openSync(script, 'r')
      const { status } = spawnSync(program, [...args, image], { stdio: [input, 'ignore', 'ignore'] })
      closeSync(input)
      return status
    }
  return equal({ ours: run(process.execPath, command, 'io'), theirs: run('qemu-io') })
}

/** The path of a raw file of this many MiB of real data: Node's own program, repeated. */
export const realData = (megabytes: number): string => {
  const path = join(scratch, `real-${megabytes}.raw`)
  const program = readFileSync(process.execPath)
  if (!existsSync(path))
    for (let left = megabytes * mebi; left > 0; left -= program.length)
      appendFileSync(path, program.subarray(0, Math.min(left, program.length)))
  return path
}

/** Converts an image of this many MiB of real data, made with these options, back to raw. */
export const converting =
  (megabytes: number, ...options: readonly string[]) =>
  (): Sides | string => {
    const image = join(scratch, `${[megabytes, ...options].join('')}.qcow2`)
    const out = join(scratch, 'out.raw')
    return besideQemu(image, ['convert', image, out], ['convert', '-O', 'raw', image, out], () =>
      qemu('convert', '-f', 'raw', '-O', 'qcow2', ...options, realData(megabytes), image)
    )
  }

/** Compares an image of this many MiB of real data with the raw file that it was made of. */
export const comparing =
  (megabytes: number, ...options: readonly string[]) =>
  (): Sides | string => {
    const image = join(scratch, `${[megabytes, ...options].join('')}.qcow2`)
    const words = ['compare', '-F', 'raw', image, realData(megabytes)]
    return besideQemu(image, words, words, () =>
      qemu('convert', '-f', 'raw', '-O', 'qcow2', ...options, realData(megabytes), image)
    )
  }

/** Converts this many MiB of real data to a new image. Both sides remove the image of the round before. */
export const filling =
  (megabytes: number, ...options: readonly string[]) =>
  (): Sides | string => {
    if (qemu('--version') !== 0) return 'no qemu-img'
    const words = ['convert', '-f', 'raw', '-O', 'qcow2', ...options, realData(megabytes)]
    const out = join(scratch, 'filled.qcow2')
    const anew = (run: () => number | null) => (): number | null => {
      rmSync(out, { force: true })
      return run()
    }
    return equal({
      ours: anew(() => node(command, ...words, out)),
      theirs: anew(() => qemu(...words, out)),
      process: [...words, out]
    })
  }

export const node = (...args: readonly string[]): number | null =>
  spawnSync(process.execPath, args, { stdio: 'ignore' }).status

/** The path of a new image, made by qemu-img; undefined without it. */
const newImage = (): string | undefined => {
  const path = join(scratch, 'new.qcow2')
  return qemu('create', '-q', '-f', 'qcow2', path, '1G') === 0 ? path : undefined
}

/** A command on a small image, and Node alone. */
export const starting = (word: string) => (): Sides | string => {
  const image = word === 'info' ? smallImage() : newImage()
  if (image === undefined) return 'no image'
  return equal({ ours: () => node(command, word, image), theirs: () => node('-e', '0'), process: [word, image] })
}

/** A module that prints the peak memory of its process in KiB to standard error. */
const reportMemory = `import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
if (isMainThread) process.on('exit', () => writeSync(2, String(process.resourceUsage().maxRSS)))`

/** The peak memory of our command in MiB. */
export const memoryOf = (words: readonly string[]): number => {
  const spy = `data:text/javascript,${encodeURIComponent(reportMemory)}`
  const stdio = ['ignore', 'ignore', 'pipe'] as const
  return Number(spawnSync(process.execPath, ['--import', spy, command, ...words], { stdio: [...stdio] }).stderr) / 1024
}
