/** The QEMUs to compare with: the one on the PATH, and those that `npm run qemus` puts into a folder of the user's cache. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { unpacked } from './debian.js'

/** The series of QEMU whose behaviour the specification states. */
const series = ['7.2', '10', '11'] as const
export type Series = (typeof series)[number]

/** A QEMU that can be run. */
export interface Qemu {
  readonly series: Series
  /** Exactly: `10.0.13`. */
  readonly version: string
  /** The command line of one of its programs: `qemu-img`, `qemu-io`, `qemu-nbd`. */
  readonly command: (program: string) => readonly [string, ...string[]]
}

/** The folder of this project in the user's cache. */
export const cacheFolder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'qcow2-spec')

/** Where the packages of a version are unpacked. */
export const folderOf = (name: Series): string => join(process.env['QCOW2_QEMUS'] ?? join(cacheFolder, 'qemus'), name)

const versionOf = (command: Qemu['command']): string | undefined => {
  const [file, ...args] = command('qemu-img')
  const { stdout } = spawnSync(file, [...args, '--version'], { encoding: 'utf8' })
  return /version ([0-9.]+)/.exec(stdout)?.[1]
}

/** The series of a version: `10.0.13` is of 10. */
const seriesOf = (version: string): Series | undefined => series.find((name) => `${version}.`.startsWith(`${name}.`))

const found = (command: Qemu['command']): readonly Qemu[] => {
  const version = versionOf(command)
  const name = version === undefined ? undefined : seriesOf(version)
  return version === undefined || name === undefined ? [] : [{ series: name, version, command }]
}

/** The QEMUs of this machine, one of each series at most, the older first. */
export const qemus = (): readonly Qemu[] => {
  const all = [
    ...found((program) => [program]),
    ...series.flatMap((name) =>
      existsSync(join(folderOf(name), 'usr/bin/qemu-img')) ? found(unpacked(folderOf(name))) : []
    )
  ]
  return series.flatMap((name) => all.find((qemu) => qemu.series === name) ?? [])
}
