/** The older commit, built in a folder of its own that later runs use again. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { probePath } from './protocol.js'
import { tidy } from './work-folder.js'

/** Where the probe is before it is built. */
const probeSource = probePath.replace(/^dist\/(.*)\.js$/, '$1.ts')

/** Why a side cannot be asked anything. */
export class NotBuilt extends Error {}

const git = (root: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new NotBuilt(`git ${args.join(' ')}: ${stderr.trim()}`)
  return stdout.trim()
}

/** The commit that a name is of, in full. */
export const commitOf = (root: string, name: string): string =>
  git(root, 'rev-parse', '--verify', '--end-of-options', `${name}^{commit}`)

/** The files of a commit, without a worktree: nothing is registered that a killed run could leave. */
const unpack = (root: string, commit: string, folder: string): void => {
  mkdirSync(folder, { recursive: true })
  const archive = execFileSync('git', ['archive', commit], { cwd: root, maxBuffer: 2 ** 30 })
  execFileSync('tar', ['-x', '-C', folder], { input: archive })
}

const run = (folder: string, command: string, args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new NotBuilt(`${command} ${args.join(' ')} in ${folder} ends with ${code ?? 'a signal'}:\n${said}`))
    })
  })

const lock = (folder: string): string => readFileSync(join(folder, 'package-lock.json'), 'utf8')

const build = async (root: string, folder: string): Promise<void> => {
  if (lock(folder) === lock(root)) symlinkSync(realpathSync(join(root, 'node_modules')), join(folder, 'node_modules'))
  else await run(folder, 'npm', ['ci', '--ignore-scripts'])
  await run(folder, 'npm', ['run', 'build'])
}

const withoutProbe = (name: string): string =>
  `${name} has no probe (${probeSource}): it is older than npm run same, and cannot be compared`

/** Whether a commit is built in this folder. Its packages are a link into the tree that built it, which may be gone. */
const isBuilt = (folder: string): boolean =>
  existsSync(join(folder, '.built')) && existsSync(join(folder, 'node_modules'))

/** The folder of a commit that is built; it is made unless it is there. */
export const builtCommit = async (root: string, commit: string): Promise<string> => {
  const base = join(tmpdir(), 'qcow2-same')
  const folder = join(base, commit)
  tidy(base, /\.(\d+)$/)
  if (!isBuilt(folder)) {
    rmSync(folder, { recursive: true, force: true })
    const making = `${folder}.${process.pid}`
    try {
      unpack(root, commit, making)
      if (!existsSync(join(making, probeSource))) throw new NotBuilt(withoutProbe(commit))
      await build(root, making)
      writeFileSync(join(making, '.built'), '')
      // Another run may have been faster.
      if (!existsSync(folder)) renameSync(making, folder)
    } finally {
      rmSync(making, { recursive: true, force: true })
    }
  }
  return folder
}

/** The probe of a tree that is built. */
export const probeOf = (folder: string): string => {
  const path = join(folder, probePath)
  if (!existsSync(path)) throw new NotBuilt(withoutProbe(folder))
  return path
}
