/** Packages of Debian's suites, unpacked below a folder beside the installed ones: nothing is installed, and no rights are needed. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

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

/** Unpacks packages of a suite, with all that they depend on, into the folder `goal`, which it replaces. */
export const unpackPackages = (suite: string, packages: readonly string[], goal: string): void => {
  mkdirSync(dirname(goal), { recursive: true })
  const work = mkdtempSync(`${goal}.`)
  try {
    for (const each of ['state/lists/partial', 'cache/archives/partial', 'root'])
      mkdirSync(join(work, each), { recursive: true })
    writeFileSync(join(work, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`)
    writeFileSync(join(work, 'status'), '')
    const apt = aptIn(work)
    apt('update')
    apt('install', '-y', '--download-only', '--no-install-recommends', ...packages)
    const archives = join(work, 'cache/archives')
    for (const file of readdirSync(archives).filter((one) => one.endsWith('.deb')))
      execFileSync('dpkg-deb', ['-x', join(archives, file), join(work, 'root')])
    rmSync(goal, { recursive: true, force: true })
    renameSync(join(work, 'root'), goal)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The folder of libraries and the loader of Debian's packages for this machine. */
const { triplet, loader } =
  process.arch === 'arm64'
    ? { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' }
    : { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' }

/** The folder of the libraries of packages that are unpacked below `folder`. */
export const librariesBelow = (folder: string): string => join(folder, 'usr/lib', triplet)

/** The command line of a program of packages unpacked below `folder`, with their own libraries. */
export const unpacked =
  (folder: string) =>
  (program: string): readonly [string, ...string[]] => {
    const libraries = librariesBelow(folder)
    return [join(libraries, loader), '--library-path', libraries, '--argv0', program, join(folder, 'usr/bin', program)]
  }
