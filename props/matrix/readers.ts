/** The readers of the matrix: those that Debian bookworm, trixie and npm have, and the three of this package. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { portable } from '../../src/image/index.js'
import { native } from '../../src/node/index.js'
import { type Template, template } from '../../src/node/conform/template.js'
import { right } from '../image/world.js'
import { type ReadFolder, withDecoders, withReference } from './own.js'
import { librariesBelow, unpacked, unpackPackages } from '../run/debian.js'
import { cacheFolder, qemus, type Series } from '../run/qemus.js'

/** A reader that can be run. */
export interface Reader {
  readonly name: string
  /** The name that `qcow2 conform --reader` has for it. */
  readonly preset: string
  readonly source: string
  readonly version: string
  /** The words that run a line of this program here; or, for what is none, how it reads. */
  readonly words?: (line: string) => Template
  readonly read?: ReadFolder
  /** Whether it judges an image before it reads. The reference does not, and is asked about images that must be read. */
  readonly isJudge: boolean
}

const trixie = join(cacheFolder, 'readers/trixie')
const npmFolder = join(cacheFolder, 'readers/npm')
const xenOrchestra = '@xen-orchestra/qcow2'
/** The second is imported by the first, which does not name it among its dependencies. */
const npmPackages = [`${xenOrchestra}@1.3.1`, '@vates/read-chunk@1.2.1']

/** Downloads into the user's cache what is not there: the packages of trixie, and that of npm. */
export const setUp = (): void => {
  if (!existsSync(trixie)) unpackPackages('trixie', ['nbdkit', 'python3-libqcow'], trixie)
  if (existsSync(join(npmFolder, 'node_modules', xenOrchestra))) return
  mkdirSync(npmFolder, { recursive: true })
  spawnSync('npm', ['install', '--prefix', npmFolder, '--no-audit', '--no-fund', ...npmPackages])
}

const printedBy = ([program, ...args]: readonly [string, ...string[]]): string =>
  spawnSync(program, args, { encoding: 'utf8' }).stdout

/** A line of a command with another program in place of its own, and other words in the place of some. */
const inPlace =
  ([first, ...rest]: readonly [string, ...string[]], replaced: Readonly<Record<string, string>> = {}) =>
  (line: string): Template => {
    const { words, hasOut } = right(template(line, false))
    return { words: [first, ...rest, ...words.slice(1).map((word) => replaced[word] ?? word)], hasOut }
  }

const bookwormPython = ['/usr/bin/python3'] as const
const trixiePython = [
  'env',
  `PYTHONHOME=${join(trixie, 'usr')}`,
  `PYTHONPATH=${join(trixie, 'usr/lib/python3/dist-packages')}`,
  ...unpacked(trixie)('python3.13')
] as const
const pyqcowVersion = ['-c', 'import pyqcow; print(pyqcow.get_version())'] as const

const suites: Readonly<Record<Series, string>> = { '7.2': 'bookworm', '10': 'trixie', '11': 'sid' }

const nbdkitModules: Readonly<Record<string, string>> = Object.fromEntries<string>([
  ...['noextents', 'qcow2dec'].map((name): readonly [string, string] => [
    `--filter=${name}`,
    `--filter=${join(librariesBelow(trixie), `nbdkit/filters/nbdkit-${name}-filter.so`)}`
  ]),
  ['file', join(librariesBelow(trixie), 'nbdkit/plugins/nbdkit-file-plugin.so')]
])

const npmVersion = (): string =>
  /"version": *"([^"]*)"/.exec(
    printedBy(['cat', join(npmFolder, 'node_modules', xenOrchestra, 'package.json')])
  )?.[1] ?? ''

/** The readers of this machine, in the order of the matrix; those that it lacks have no version and are left out. */
export const readersHere = (version: string): readonly Reader[] => {
  const others = { isJudge: true } as const
  const all: readonly Reader[] = [
    ...qemus().map((qemu) => ({
      ...others,
      name: `QEMU ${qemu.series}`,
      preset: 'qemu-img',
      source: `Debian ${suites[qemu.series]}, qemu-utils`,
      version: qemu.version,
      words: inPlace(qemu.command('qemu-img'))
    })),
    {
      ...others,
      name: '7-Zip',
      preset: '7z',
      source: 'Debian bookworm, 7zip',
      version: /7-Zip \(z\) ([\d.]+)/.exec(printedBy(['7zz']))?.[1] ?? '',
      words: inPlace(['7zz'])
    },
    {
      ...others,
      name: 'libqcow',
      preset: 'libqcow',
      source: 'Debian bookworm, python3-libqcow',
      version: printedBy([...bookwormPython, ...pyqcowVersion]).trim(),
      words: inPlace(bookwormPython)
    },
    {
      ...others,
      name: 'libqcow of trixie',
      preset: 'libqcow',
      source: 'Debian trixie, python3-libqcow',
      version: printedBy([...trixiePython, ...pyqcowVersion]).trim(),
      words: inPlace(trixiePython)
    },
    {
      ...others,
      name: 'nbdkit',
      preset: 'nbdkit',
      source: 'Debian trixie, nbdkit: its filter qcow2dec',
      version: /nbdkit ([\d.]+)/.exec(printedBy([...unpacked(trixie)('nbdkit'), '--version']))?.[1] ?? '',
      words: inPlace(unpacked(trixie)('nbdkit'), nbdkitModules)
    },
    {
      ...others,
      name: xenOrchestra,
      preset: 'xen-orchestra',
      source: 'npm',
      version: npmVersion(),
      words: inPlace(['env', `NODE_PATH=${join(npmFolder, 'node_modules')}`, process.execPath])
    },
    {
      ...others,
      name: 'qcow2-spec',
      preset: 'none',
      source: "this package, readGuest with Node's decoders",
      version,
      read: withDecoders(native)
    },
    {
      ...others,
      name: 'qcow2-spec, portable',
      preset: 'none',
      source: 'this package, readGuest with portable decoders',
      version,
      read: withDecoders(portable)
    },
    {
      name: 'spec/reference',
      preset: 'none',
      source: 'this package, without the checks of an open',
      version,
      read: withReference,
      isJudge: false
    }
  ]
  return all.filter((reader) => reader.version !== '')
}
