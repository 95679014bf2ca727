/**
 * `npm run nodes [-- VERSION...]`: installs the packed package without the scripts of packages, and runs its command, its entries
 * and some tests on versions of Node, which npx downloads. Exit code 1 if one of them fails.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isObject } from '../../src/bytes/json.js'

const given = process.argv.slice(2)
const versions = given.length > 0 ? given : ['20', '22', '24', '26']
const tests = ['props/bytes', 'props/format/header', 'props/compression', 'props/node/code-cache', 'props/recipes']

const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'))
const entries = isObject(manifest) && isObject(manifest['exports']) ? Object.keys(manifest['exports']) : []
const modules = entries.filter((path) => !path.endsWith('.json')).map((path) => `qcow2-spec${path.slice(1)}`)

/** Every entry, imported and required. */
const load = `const names = ${JSON.stringify(modules)}
  const all = async () => {
    for (const name of names)
      if (Object.keys(require(name)).join() !== Object.keys(await import(name)).join()) throw new Error(name)
  }
  all().catch((error) => { console.error(error); process.exitCode = 1 })`

/** Command lines that use every package that the bundle loads, and threads. */
const lines = [
  'create -q disk.qcow2 16M',
  'io -c write\u00a0-q\u00a0-P\u00a07\u00a00\u00a04M disk.qcow2',
  'snapshot -c before disk.qcow2',
  'convert -O qcow2 -c -o compression_type=zstd disk.qcow2 zstd.qcow2',
  'convert -O qcow2 -c disk.qcow2 deflate.qcow2',
  'convert zstd.qcow2 disk.raw',
  'compare -q -F raw deflate.qcow2 disk.raw',
  'check -q --strict --deep zstd.qcow2',
  'info zstd.qcow2'
]

const folder = mkdtempSync(join(tmpdir(), 'qcow2-spec-nodes-'))

/** What a program that fails prints; `undefined` where it does not fail. */
const failureOf = (node: string, args: readonly string[], cwd: string): string | undefined => {
  const { status, stdout, stderr } = spawnSync(node, args, { cwd, encoding: 'utf8' })
  return status === 0 ? undefined : `${args.join(' ').slice(0, 80)}: ${(stderr + stdout).trim().slice(0, 500)}`
}

/** The binary of a version, and the version that it says it is. */
const binaryOf = (version: string): readonly string[] =>
  execFileSync('npx', ['--yes', '-p', `node@${version}`, '-c', 'command -v node; node -v'], { encoding: 'utf8' }).split(
    '\n'
  )

/** What fails on a version of Node. */
const failuresOn = (node: string): readonly string[] => {
  const bin = join(folder, 'node_modules/qcow2-spec/dist/src/node/bin.cjs')
  const commands = lines.map((line) => [bin, ...line.split(' ').map((word) => word.replaceAll('\u00a0', ' '))])
  return [
    ...[...commands, ['--eval', load]].map((args) => failureOf(node, args, folder)),
    failureOf(node, ['dist/props/run/run.js', ...tests], process.cwd())
  ].filter((failure) => failure !== undefined)
}

try {
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { stdio: 'ignore' })
  const packages = ['./qcow2-spec-0.1.0.tgz', 'fast-check@4']
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], {
    cwd: folder,
    stdio: 'ignore'
  })
  for (const version of versions) {
    const [node = '', full = ''] = binaryOf(version)
    const failures = failuresOn(node)
    console.log(
      `node ${full}: ${lines.length} commands, ${modules.length} entries, tests of ${tests.length} rooms, ${failures.length} failed`
    )
    for (const failure of failures) console.log(`  ${failure}`)
    if (failures.length > 0) process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true })
}
