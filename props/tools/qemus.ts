/**
 * Sets up QEMU 10 and 11 beside the installed one: `npm run qemus`.
 *
 * Debian's packages of other suites are downloaded by apt and unpacked into the user's cache (or QCOW2_QEMUS); nothing is
 * installed, and no rights are needed. About 12 MB and 10 seconds each. Where they cannot be had, a line says so, and the
 * exit code is 1.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { folderOf, qemus, type Series } from '../run/qemus.js'

/** The suite of Debian whose qemu-utils is of this series. */
const suites: Readonly<Partial<Record<Series, string>>> = { '10': 'trixie', '11': 'sid' }

const mirror = 'http://deb.debian.org/debian'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Runs apt-get with lists, cache and settings of its own, as on a machine with no package installed. */
const aptIn =
  (folder: string) =>
  (...args: readonly string[]): void => {
    const settings = {
      'Dir::State': join(folder, 'state'),
      'Dir::State::status': join(folder, 'status'),
      'Dir::Cache': join(folder, 'cache'),
      'Dir::Etc::sourcelist': join(folder, 'sources.list'),
      'Dir::Etc::sourceparts': '/dev/null',
      'Dir::Etc::preferencesparts': '/dev/null',
      'APT::Sandbox::User': '',
      'Debug::NoLocking': '1'
    }
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
    const { status, stderr, error } = spawnSync('apt-get', ['-qq', ...options, ...args], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`apt-get ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
  }

const setUp = (name: Series, suite: string): void => {
  const goal = folderOf(name)
  mkdirSync(dirname(goal), { recursive: true })
  const work = mkdtempSync(`${goal}.`)
  try {
    for (const each of ['state/lists/partial', 'cache/archives/partial', 'root'])
      mkdirSync(join(work, each), { recursive: true })
    writeFileSync(join(work, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`)
    writeFileSync(join(work, 'status'), '')
    const apt = aptIn(work)
    apt('update')
    apt('install', '-y', '--download-only', '--no-install-recommends', 'qemu-utils')
    const archives = join(work, 'cache/archives')
    for (const file of readdirSync(archives).filter((one) => one.endsWith('.deb')))
      execFileSync('dpkg-deb', ['-x', join(archives, file), join(work, 'root')])
    rmSync(goal, { recursive: true, force: true })
    renameSync(join(work, 'root'), goal)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const lacking = (): readonly (readonly [Series, string])[] => {
  const here = new Set(qemus().map((qemu) => qemu.series))
  return (['10', '11'] as const).flatMap((name) => (here.has(name) ? [] : [[name, suites[name] ?? ''] as const]))
}

for (const [name, suite] of lacking()) {
  try {
    setUp(name, suite)
  } catch (error) {
    console.log(`QEMU ${name} cannot be had here: ${error instanceof Error ? error.message : String(error)}`)
  }
}
for (const { series, version, command } of qemus())
  console.log(`QEMU ${series}: ${version}, ${command('qemu-img').at(-1) ?? ''}`)
for (const [name, suite] of lacking()) {
  console.log(`QEMU ${name} is missing; Debian ${suite} may have another version by now`)
  process.exitCode = 1
}
