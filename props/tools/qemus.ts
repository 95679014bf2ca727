/**
 * Sets up QEMU 10 and 11 beside the installed one: `npm run qemus`.
 *
 * Debian's packages of other suites are downloaded by apt and unpacked into the user's cache (or QCOW2_QEMUS); nothing is
 * installed, and no rights are needed. About 12 MB and 10 seconds each. Where they cannot be had, a line says so, and the
 * exit code is 1.
 */
import { unpackPackages } from '../run/debian.js'
import { folderOf, qemus, type Series } from '../run/qemus.js'

/** The suite of Debian whose qemu-utils is of this series. */
const suites: Readonly<Partial<Record<Series, string>>> = { '10': 'trixie', '11': 'sid' }

const lacking = (): readonly (readonly [Series, string])[] => {
  const here = new Set(qemus().map((qemu) => qemu.series))
  return (['10', '11'] as const).flatMap((name) => (here.has(name) ? [] : [[name, suites[name] ?? ''] as const]))
}

for (const [name, suite] of lacking()) {
  try {
    unpackPackages(suite, ['qemu-utils'], folderOf(name))
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
