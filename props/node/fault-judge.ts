/** What a command may leave behind that a fault or a signal has ended. */
import { statSync } from 'node:fs'
import * as assert from 'uvu/assert'
import type { Finding } from '../../src/image/check/findings.js'
import {
  type FaultCase,
  type Contents,
  contentsOf,
  type Files,
  filesThere,
  findingsOf,
  pathOf,
  putFiles
} from './fault-cases.js'

/** A command, and its outcome without faults. */
export interface Prepared {
  readonly one: FaultCase
  readonly files: Files
  /** What each image holds before it and after it, and what is wrong with it before. */
  readonly images: ReadonlyMap<
    string,
    { readonly old: Contents; readonly wanted: Contents; readonly wrong: readonly string[] }
  >
  /** The writes, flushes and truncations of the command. */
  readonly calls: number
}

/** How a command ended. */
export interface Ending {
  readonly failed: boolean
  /** Whether nothing could be undone: by a signal, or on a disk that does not answer any more. */
  readonly crashed: boolean
  /** Whether a full repair came after it, which frees clusters and leaves the file as long as it is. */
  readonly repaired?: boolean
}

const sector = 512

/** Whether each sector is the old or the new one; past the end of a disk it may be any. */
const isMix = (bytes: Uint8Array, old: Uint8Array, wanted: Uint8Array): boolean => {
  if (![old.length, wanted.length].includes(bytes.length)) return false
  for (let at = 0; at < bytes.length; at += sector) {
    const part = Buffer.from(bytes.subarray(at, at + sector))
    if (![old, wanted].some((disk) => part.equals(disk.subarray(at, at + sector)))) return false
  }
  return true
}

/** The images whose guest bytes are looked at, the one that changes first. */
const imagesOf = ({ scene, output }: FaultCase): readonly string[] =>
  output === undefined ? [...(scene === 'overlay' ? ['overlay.qcow2'] : []), 'disk.qcow2'] : []

const isWrong = ({ severity }: { readonly severity: string }): boolean => severity !== 'flaw' && severity !== 'note'

const wrongIn = (name: string): readonly string[] =>
  findingsOf(name)
    .filter(isWrong)
    .map(({ message }) => message)

/** Looks at a command that has no fault. @param run runs it, and returns how many calls it made */
export const prepare = async (one: FaultCase, files: Files, run: () => Promise<number>): Promise<Prepared> => {
  putFiles(files)
  const before = []
  for (const name of imagesOf(one)) before.push({ name, old: await contentsOf(name), wrong: wrongIn(name) })
  const calls = await run()
  const images = new Map<string, { old: Contents; wanted: Contents; wrong: readonly string[] }>()
  for (const { name, ...rest } of before) images.set(name, { ...rest, wanted: await contentsOf(name) })
  return { one, files, images, calls }
}

const sameBytes = (a: Uint8Array, b: Uint8Array | undefined): boolean => b !== undefined && Buffer.compare(a, b) === 0

const sameSnapshots = (a: Contents, b: Contents): boolean =>
  a.snapshots.size === b.snapshots.size &&
  [...a.snapshots].every(([name, bytes]) => sameBytes(bytes, b.snapshots.get(name)))

/** The files of a command that makes one: it is complete, or there is nothing of it. */
const judgeOutput = ({ files }: Prepared, output: string, { failed, crashed }: Ending): void => {
  const names = filesThere().filter((name) => !crashed || !name.endsWith('.partial'))
  const isThere = names.includes(output)
  assert.ok(failed || isThere, 'no output')
  assert.equal(names, [...files.keys(), ...(isThere && (crashed || !failed) ? [output] : [])].sort(), 'files')
  if (isThere) assert.equal(findingsOf(output).filter(isWrong), [], 'findings')
}

/** Whether a file is longer than it was. */
const isLonger = ({ files }: Prepared, name: string): boolean =>
  statSync(pathOf(name)).size > (files.get(name)?.length ?? 0)

/** Compares what there is with what may be left: after a failure that was undone the file is as long as it was. */
export const judge = async (prepared: Prepared, ending: Ending): Promise<void> => {
  const { one, images } = prepared
  const { failed, crashed, repaired = false } = ending
  for (const [name, { old, wanted, wrong }] of images) {
    const found = findingsOf(name)
    const allowed = (f: Finding): boolean =>
      (failed && wrong.includes(f.message)) || (crashed && (f.severity === 'leak' || f.field === 'copied'))
    assert.equal(
      found.filter((f) => isWrong(f) && !allowed(f)).map(({ message }) => message),
      [],
      'findings'
    )
    if (crashed && one.unnamed === true) continue
    const now = await contentsOf(name)
    const isDone = sameBytes(now.active, wanted.active) && sameSnapshots(now, wanted)
    if (isDone) continue
    if (!crashed && !repaired && sameBytes(now.active, old.active))
      assert.ok(!isLonger(prepared, name), 'the file is longer')
    assert.ok(failed, 'it is not done')
    assert.ok(sameSnapshots(now, old) || sameSnapshots(now, wanted), 'snapshots')
    if (one.sectors === true) assert.ok(isMix(now.active, old.active, wanted.active), 'sectors')
    else assert.ok(sameBytes(now.active, old.active) || sameBytes(now.active, wanted.active), 'the disk')
  }
  if (one.output !== undefined) judgeOutput(prepared, one.output, ending)
}
