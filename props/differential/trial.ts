/** Trials: a script carried out by each party on twins, then by both in turns on one file, with the abstract disk beside them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ClauseId } from '../../spec/clauses/index.js'
import { type Disk, step } from '../../spec/disk.js'
import type { Command } from '../../src/transition/command.js'
import { commandOf, type Move } from '../arbitrary/script.js'
import type { Shape } from '../arbitrary/shape.js'
import { atOnce, isNothing } from '../qemu-crash/record.js'
import type { Files } from '../transition/model/machine.js'
import { ofSpace } from '../transition/model/square.js'
import { load, made, store } from './files.js'
import { type Answer, Disagreement, isAlone, ours, type Party, qemu } from './party.js'
import { judgedByQemu, judgedByUs, type Mapped, mappedByQemu, mappedByUs } from './seen.js'
import type { Tally } from './tally.js'

/** An image, what is done to it, and whose turn each move is: bit by bit, 1 for QEMU. */
export interface Script {
  readonly shape: Shape
  /** Whether qemu-img makes the image. */
  readonly byQemu: boolean
  readonly moves: readonly Move[]
  readonly turns: number
  /** Whether what bitmaps hold is read through qemu-nbd. */
  readonly nbd: boolean
}

/** A command, and who was to carry it out. */
export interface Done {
  readonly command: Command
  readonly by: 'both' | 'ours' | 'QEMU'
}

/** A trial that failed: why, and what had been asked for until then. */
export interface Failed {
  readonly why: string
  readonly done: readonly Done[]
}

/** The disk after a command. Fails where the party did what the disk refuses, or refused what only space can. */
const followed = (disk: Disk, command: Command, answer: Answer): Disk => {
  const outcome = step(command, disk)
  if (answer.done) {
    if (outcome._tag === 'Done') return outcome.disk
    throw new Disagreement(`${command._tag} is carried out, which ${outcome.clause} forbids`)
  }
  const allowed: readonly (ClauseId | undefined)[] = outcome._tag === 'Refused' ? [outcome.clause] : []
  if (![...allowed, ...ofSpace].includes(answer.clause))
    throw new Disagreement(`${command._tag} is refused${answer.clause === undefined ? '' : ` by ${answer.clause}`}`)
  return disk
}

/** The commands that some moves begin with and one process carries out, and how many moves they take up. */
const segmentOf = (
  disk: Disk,
  moves: readonly Move[],
  mark: number,
  ends: (command: Command, i: number) => boolean
): { readonly commands: readonly Command[]; readonly moves: number } => {
  const commands: Command[] = []
  for (const [i, m] of moves.entries()) {
    const command = atOnce(commandOf(m, disk, mark + i), disk)
    if (isAlone(command)) return commands.length > 0 ? { commands, moves: i } : { commands: [command], moves: i + 1 }
    if (!isNothing(command)) commands.push(command)
    if (ends(command, i)) return { commands, moves: i + 1 }
  }
  return { commands, moves: moves.length }
}

/** A map that says of a place only that it is one: neighbours that say the same are joined. */
const shapeOf = (entries: Mapped): string => {
  const parts: { end: number; readonly what: string }[] = []
  for (const { start, length, depth, present, zero, data, offset } of entries) {
    const what = `depth ${depth}${present ? ' present' : ''}${zero ? ' zero' : ''}${data ? ' data' : ''}${offset === undefined ? '' : ' placed'}`
    const last = parts.at(-1)
    if (last?.what === what) last.end = start + length
    else parts.push({ end: start + length, what })
  }
  return parts.map(({ end, what }) => `to ${end} ${what}`).join('; ')
}

/** One script under trial. */
class Trial {
  readonly done: Done[] = []
  private readonly script: Script
  private readonly files: Files
  private readonly disk: Disk
  /** Whether the file that changes hands has clusters that are counted and not used. */
  private leaking = false

  constructor(
    private readonly folder: string,
    script: Script,
    private readonly tally: Tally
  ) {
    this.script = script
    const { files, disk } = made(folder, script.shape, script.byQemu)
    this.files = files
    this.disk = disk
  }

  /** A folder with the image in it. */
  private place(name: string, files = this.files): string {
    const folder = join(this.folder, name)
    mkdirSync(folder, { recursive: true })
    store(folder, files)
    return folder
  }

  private note(command: Command, by: Done['by'], answer: Answer): void {
    this.done.push({ command, by })
    this.tally.carriedOut(command)
    if (!answer.done) this.tally.refused(answer.clause ?? 'unknown')
  }

  private judgedByQemu(folder: string, disk: Disk, leaking: boolean): void {
    judgedByQemu(folder, disk, { leaking, bitmaps: this.script.nbd })
    this.tally.views += 1 + disk.snapshots.length
    if (this.script.nbd) this.tally.bitmaps += disk.bitmaps.length
  }

  /** Both carry the script out on twins. */
  async twins(): Promise<void> {
    const { moves } = this.script
    const folders = { ours: this.place('ours'), qemu: this.place('qemu') }
    let [ourDisk, theirDisk, apart, leaking, remapped] = [this.disk, this.disk, false, false, false]
    for (let at = 0; at < moves.length;) {
      const segment = segmentOf(ourDisk, moves.slice(at), at + 1, () => false)
      at += segment.moves
      if (segment.commands.length === 0) continue
      for (const command of segment.commands) this.done.push({ command, by: 'both' })
      const answers = await ours(folders.ours, segment.commands)
      const theirs = apart ? [] : await qemu(folders.qemu, segment.commands)
      this.done.splice(-segment.commands.length)
      for (const [i, command] of segment.commands.entries()) {
        const answer = answers[i] ?? { done: false }
        this.note(command, 'both', answer)
        const other = theirs[i]
        if (other !== undefined && !apart) {
          const parting = { command, disk: theirDisk, ours: answer, qemu: other, files: () => load(folders.qemu) }
          const row = this.tally.explained(parting)
          if (row === undefined && other.done !== answer.done)
            throw new Disagreement(
              `QEMU ${other.done ? 'carries out' : 'refuses'} what we do not, ${answer.clause ?? ''}`
            )
          if (row?.leaks === true) leaking = true
          if (row?.remaps === true) remapped = true
          if (row !== undefined && (row.after === undefined || row.parts === true)) apart = true
          else theirDisk = row?.after?.(parting) ?? followed(theirDisk, command, answer)
        }
        ourDisk = followed(ourDisk, command, answer)
      }
    }
    this.judgedByQemu(folders.ours, ourDisk, false)
    const [first, second] = [load(folders.ours), load(folders.qemu)]
    judgedByUs(first, ourDisk, false)
    if (apart) return
    judgedByUs(second, theirDisk, leaking)
    const [ourMap, theirMap] = [mappedByQemu(folders.ours), mappedByQemu(folders.qemu)]
    this.tally.maps++
    if (!remapped && shapeOf(ourMap) !== shapeOf(theirMap))
      throw new Disagreement(`the maps differ\n  ours: ${shapeOf(ourMap)}\n  QEMU: ${shapeOf(theirMap)}`)
    for (const [files, wanted] of [
      [first, ourMap],
      [second, theirMap]
    ] as const) {
      const found = mappedByUs(files)
      if (JSON.stringify(found) !== JSON.stringify(wanted))
        throw new Disagreement(`our map is ${JSON.stringify(found)}, qemu-img's ${JSON.stringify(wanted)}`)
    }
  }

  /** They take turns on one file. */
  async relay(): Promise<void> {
    const { moves, turns } = this.script
    const isTheirs = (i: number): boolean => ((turns >> (i % 30)) & 1) === 1
    const folder = this.place('relay')
    let disk = this.disk
    this.done.splice(0)
    for (let at = 0; at < moves.length;) {
      const first = at
      const segment = segmentOf(
        disk,
        moves.slice(at),
        at + 1,
        (c, i) => c._tag === 'WriteCompressed' || isTheirs(first + i + 1) !== isTheirs(first)
      )
      at += segment.moves
      if (segment.commands.length === 0) continue
      const by = isTheirs(first) ? 'QEMU' : 'ours'
      const party: Party = by === 'QEMU' ? qemu : ours
      for (const command of segment.commands) this.done.push({ command, by })
      const answers = await party(folder, segment.commands)
      this.done.splice(-segment.commands.length)
      if (first > 0 && isTheirs(first) !== isTheirs(first - 1)) this.tally.relays++
      for (const [i, command] of segment.commands.entries()) {
        const answer = answers[i] ?? { done: false }
        if (by === 'ours') this.note(command, by, answer)
        disk = by === 'ours' ? followed(disk, command, answer) : await this.afterTheirs(folder, disk, command, answer)
      }
    }
    this.judgedByQemu(folder, disk, this.leaking)
    judgedByUs(load(folder), disk, this.leaking)
  }

  /** The disk after QEMU's turn. Of what it refuses, this package is asked on a copy whether it would. */
  private async afterTheirs(folder: string, disk: Disk, command: Command, qemu: Answer): Promise<Disk> {
    const [asked = qemu] = qemu.done ? [] : await ours(this.place('asked', load(folder)), [command])
    const parting = { command, disk, ours: asked, qemu, files: () => load(folder) }
    const row = this.tally.explained(parting)
    this.note(command, 'QEMU', asked)
    if (row === undefined && asked.done !== qemu.done)
      throw new Disagreement(`QEMU refuses ${command._tag}, which we carry out`)
    if (row === undefined) return followed(disk, command, asked)
    if (row.leaks === true) this.leaking = true
    return row.after?.(parting) ?? disk
  }
}

/** Tries a script; why it fails, if it does. */
export const tried = async (folder: string, script: Script, tally: Tally): Promise<Failed | undefined> => {
  const trial = new Trial(folder, script, tally)
  try {
    await trial.twins()
    await trial.relay()
    tally.scripts++
    return undefined
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error), done: trial.done }
  }
}
