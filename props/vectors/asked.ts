/** What the QEMUs of this machine make of the image of a vector. */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../src/node/conform/suite.js'
import { quotedWords } from '../../src/node/conform/template.js'
import { isObject } from '../../src/bytes/json.js'
import type { Vector } from '../../src/node/conform/vector.js'
import type { Subject } from '../damage/verdict.js'
import type { Qemu } from '../run/qemus.js'

type Verdict = Omit<Vector['qemu'][number], 'versions'>

const run = (qemu: Qemu, folder: string, args: readonly string[]) => {
  const [file, ...first] = qemu.command('qemu-img')
  return spawnSync(file, [...first, ...args], { cwd: folder, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' })
}

const checkOf = (stdout: string): Verdict['check'] => {
  try {
    const json: unknown = JSON.parse(stdout)
    if (!isObject(json)) return { opens: false }
    return { opens: true, corruptions: Number(json['corruptions'] ?? 0), leaks: Number(json['leaks'] ?? 0) }
  } catch {
    return { opens: false }
  }
}

const verdictOf = (qemu: Qemu, folder: string, open: readonly string[], read: boolean): Verdict => {
  const check = checkOf(run(qemu, folder, ['check', '--output=json', ...open]).stdout)
  if (!read) return { opens: run(qemu, folder, ['map', '--output=json', ...open]).status === 0, check }
  const raw = join(folder, 'guest.raw')
  const opens = run(qemu, folder, ['convert', '-O', 'raw', ...open, 'guest.raw']).status === 0
  const disk = opens ? { disk: sha256(readFileSync(raw)) } : {}
  rmSync(raw, { force: true })
  return { opens, check, ...disk }
}

/** The verdicts, equal ones together. `folder` is empty; the disk is not read unless `read`. */
export const askAll = (qemus: readonly Qemu[], folder: string, loaded: Subject, read: boolean): Vector['qemu'] => {
  for (const [name, bytes] of loaded.files) writeFileSync(join(folder, name), bytes)
  const { opts } = loaded.expect
  const open = opts === undefined ? ['-f', 'qcow2', 'img.qcow2'] : (quotedWords(opts) ?? [])
  const groups: { versions: string[]; verdict: Verdict }[] = []
  for (const qemu of qemus) {
    const verdict = verdictOf(qemu, folder, open, read)
    const same = groups.find((group) => JSON.stringify(group.verdict) === JSON.stringify(verdict))
    if (same === undefined) groups.push({ versions: [qemu.version], verdict })
    else same.versions.push(qemu.version)
  }
  for (const name of loaded.files.keys()) rmSync(join(folder, name))
  return groups.map(({ versions, verdict }) => ({ versions, ...verdict }))
}
