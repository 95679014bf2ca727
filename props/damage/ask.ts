/** Asking QEMU: its verdict on a damaged image. */
import { execFile } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { imageName } from '../../corpus/recipe.js'
import { quotedWords } from '../../src/node/conform/template.js'
import { isObject } from '../../src/bytes/json.js'
import type { RepairMode } from '../../src/transition/repair/repair.js'
import { fixedIn, outcomeText, type RepairOutcome } from './repairs.js'
import {
  askable,
  countsText,
  digest,
  mapText,
  type Question,
  snapshotId,
  type Subject,
  type Verdict
} from './verdict.js'

interface Said {
  /** An exit code, the name of a signal, or `late`. */
  readonly end: string
  readonly stdout: string
  readonly stderr: string
}

/** How long qemu-img may take for one answer, in milliseconds: no answer on a busy machine takes so long, but one that never comes. */
const usual = 300_000

const img = (folder: string, args: readonly string[], timeout: number): Promise<Said> =>
  new Promise((resolve) => {
    const options = { cwd: folder, timeout, killSignal: 'SIGKILL', maxBuffer: 2 ** 28 } as const
    const child = execFile('qemu-img', args, options, (error, stdout, stderr) => {
      const code = child.exitCode ?? child.signalCode ?? 'none'
      resolve({ end: error?.killed === true ? 'late' : String(code), stdout, stderr })
    })
  })

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const checkText = ({ end, stdout }: Said): string => {
  const json = jsonOf(stdout)
  if (!isObject(json)) return end
  const count = (key: string): number => Number(json[key] ?? 0)
  return countsText(Number(end), {
    corruptions: count('corruptions'),
    leaks: count('leaks'),
    checkErrors: count('check-errors'),
    totalClusters: count('total-clusters'),
    allocatedClusters: count('allocated-clusters'),
    fragmentedClusters: count('fragmented-clusters'),
    compressedClusters: count('compressed-clusters'),
    imageEndOffset: count('image-end-offset')
  })
}

const mapAnswer = ({ end, stdout }: Said): string => {
  const json = jsonOf(stdout)
  if (end !== '0' || !Array.isArray(json)) return end
  const entries = json.filter(isObject).map((e) => ({
    start: Number(e['start']),
    length: Number(e['length']),
    depth: Number(e['depth']),
    present: e['present'] === true,
    zero: e['zero'] === true,
    data: e['data'] === true,
    ...(e['offset'] === undefined ? {} : { offset: Number(e['offset']) })
  }))
  return digest(mapText(entries))
}

/** What QEMU says, and why. */
export interface Asked {
  readonly verdict: Verdict
  readonly stderr: Readonly<Record<Question, string>>
}

/** Most bytes that a repair adds to a file and that are read. */
const most = 2 ** 22

/** The options that open an image. */
const opening = ({ expect: { opts } }: Subject): readonly string[] =>
  opts === undefined ? ['-f', 'qcow2', imageName] : (quotedWords(opts) ?? [])

/** A folder with the companions of an image, in which QEMU is asked about one damage of it after the other. */
export class QemuFolder {
  readonly folder = mkdtempSync(join(tmpdir(), 'qcow2-damaged-'))

  private readonly image = join(this.folder, imageName)

  constructor(
    loaded: Subject,
    private readonly patience = usual
  ) {
    for (const [file, bytes] of loaded.files) writeFileSync(join(this.folder, file), bytes)
  }

  async ask(loaded: Subject): Promise<Asked> {
    writeFileSync(this.image, loaded.image)
    const open = opening(loaded)
    const stderr: Record<Question, string> = { check: '', map: '', guest: '', snapshot: '' }
    const verdict: Record<Question, string> = { check: '-', map: '-', guest: '-', snapshot: '-' }
    for (const question of askable(loaded)) {
      const said = await img(this.folder, this.arguments(question, open), this.patience)
      stderr[question] = said.stderr
      verdict[question] =
        question === 'check' ? checkText(said) : question === 'map' ? mapAnswer(said) : this.readAnswer(said)
    }
    return { verdict, stderr }
  }

  /** Repairs an image with `qemu-img check -r`. */
  async repair(loaded: Subject, mode: RepairMode): Promise<RepairOutcome> {
    writeFileSync(this.image, loaded.image)
    const said = await img(this.folder, ['check', '-r', mode, '--output=json', ...opening(loaded)], this.patience)
    const report = outcomeText(checkText(said), fixedIn(jsonOf(said.stdout)))
    return { report, image: this.left(loaded.image.length) }
  }

  /** The counts that `qemu-img check` reports of an image. */
  async check(loaded: Subject): Promise<string> {
    writeFileSync(this.image, loaded.image)
    return checkText(await img(this.folder, this.arguments('check', opening(loaded)), this.patience))
  }

  close(): void {
    rmSync(this.folder, { recursive: true })
  }

  private arguments(question: Question, open: readonly string[]): readonly string[] {
    switch (question) {
      case 'check':
      case 'map':
        return [question, '--output=json', ...open]
      case 'guest':
        return ['convert', '-O', 'raw', ...open, 'guest.raw']
      case 'snapshot':
        return ['convert', '-O', 'raw', '-l', `snapshot.id=${snapshotId}`, ...open, 'guest.raw']
    }
  }

  /** The image as QEMU has left it, without what it adds past `length` and {@link most} bytes: a file may become very long. */
  private left(length: number): Uint8Array {
    const bytes = new Uint8Array(length + most)
    const file = openSync(this.image, 'r')
    const read = readSync(file, bytes)
    closeSync(file)
    return bytes.subarray(0, read)
  }

  private readAnswer({ end }: Said): string {
    const path = join(this.folder, 'guest.raw')
    const answer = end === '0' && existsSync(path) ? digest(readFileSync(path)) : end
    rmSync(path, { force: true })
    return answer
  }
}
