/** A scratch copy of QEMU's shell tests, in which they run with this package's command, or with QEMU. */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Who carries out the command lines of a test. */
export type Party = 'ours' | 'QEMU'

/** The outcome of a test: both outputs after the test's own filters, or why it does not run. */
export type Ran =
  | { readonly _tag: 'Ran'; readonly reference: string; readonly output: string; readonly seconds: number }
  | { readonly _tag: 'NotRun'; readonly why: string }

const command = fileURLToPath(new URL('../../src/node/bin.cjs', import.meta.url))

/** The shell commands that the tests' scripts run, by the names of QEMU's programs. */
const programs = (party: Party): Readonly<Record<string, string>> => {
  const ours = `'${process.execPath}' '${command}'`
  return {
    'qemu-img': party === 'ours' ? ours : 'qemu-img',
    'qemu-io': party === 'ours' ? `${ours} io` : 'qemu-io',
    'qemu-nbd': 'false',
    'qemu-system': 'false',
    'qemu-storage-daemon': 'false'
  }
}

/** The environment that QEMU's `check -qcow2` gives a test. */
const environment = (folder: string, work: string): NodeJS.ProcessEnv => {
  const program = (name: string): string => join(folder, 'bin', name)
  const options = '--cache writeback --aio threads'
  return {
    ...process.env,
    TEST_DIR: work,
    SOCK_DIR: `${work}.sock`,
    SAMPLE_IMG_DIR: join(folder, 'qemu-iotests', 'sample_images'),
    PYTHON: 'python3',
    QEMU_PROG: program('qemu-system'),
    QEMU_IMG_PROG: program('qemu-img'),
    QEMU_IO_PROG: program('qemu-io'),
    QEMU_NBD_PROG: program('qemu-nbd'),
    QSD_PROG: program('qemu-storage-daemon'),
    QEMU_IO_OPTIONS: `${options} -f qcow2`,
    QEMU_IO_OPTIONS_NO_FMT: options,
    IMGFMT: 'qcow2',
    IMGFMT_GENERIC: 'true',
    IMGOPTSSYNTAX: 'false',
    IMGPROTO: 'file',
    AIOMODE: 'threads',
    CACHEMODE: 'writeback',
    CACHEMODE_IS_DEFAULT: 'true'
  }
}

/** A scratch folder with the tests below `sources`, and with the programs of a party. */
export class Scratch {
  private readonly folder = mkdtempSync(join(tmpdir(), 'qcow2-iotests-'))

  /** @param sources QEMU's sources, below which `tests/qemu-iotests` lies */
  constructor(sources: string, party: Party) {
    cpSync(join(sources, 'tests', 'qemu-iotests'), join(this.folder, 'qemu-iotests'), { recursive: true })
    mkdirSync(join(this.folder, 'bin'))
    for (const [name, words] of Object.entries(programs(party)))
      writeFileSync(join(this.folder, 'bin', name), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
  }

  /** Runs a test. @param patience its time limit, in seconds */
  async run(name: string, patience: number): Promise<Ran> {
    const test = join(this.folder, 'qemu-iotests', name)
    const work = join(this.folder, 'work', name)
    for (const each of [work, `${work}.sock`]) mkdirSync(each, { recursive: true })
    const began = performance.now()
    const printed = await this.play(test, environment(this.folder, work), patience)
    const notRun = join(work, `${basename(name)}.notrun`)
    const why = existsSync(notRun) ? readFileSync(notRun, 'utf8').trim() : undefined
    for (const each of [work, `${work}.sock`]) rmSync(each, { recursive: true, force: true })
    if (why !== undefined) return { _tag: 'NotRun', why }
    const [reference = ''] = [`${test}.out.qcow2`, `${test}.out`].filter((path) => existsSync(path))
    const seconds = (performance.now() - began) / 1000
    return { _tag: 'Ran', reference: readFileSync(reference, 'utf8'), output: printed, seconds }
  }

  /** Everything that a test prints; at the end how it failed, if it did. */
  private play(test: string, env: NodeJS.ProcessEnv, patience: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const play = spawn('bash', ['-c', 'exec "$0" 2>&1', test], {
        cwd: dirname(test),
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
        timeout: patience * 1000
      })
      const chunks: Buffer[] = []
      play.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
      play.on('error', reject)
      play.on('close', (code, signal) => {
        const failed = code === 0 ? '' : `exit code ${code ?? signal ?? ''}\n`
        resolve(`${Buffer.concat(chunks).toString('latin1')}${failed}`)
      })
    })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
