/** The disk of an epoch: its content for any version of every sector, built from the state asked for before. */
import { type Digest, lengthDigest, mixed, sectorDigest, sectorsDigest } from './digest.js'
import type { Cell, Epoch, Version } from './epoch.js'
import type { Files } from './files.js'
import { clipped, has, patched, type Sector, sectorSize, zeros } from './sector.js'
import { type Store, truncate } from './store.js'
import { withSectors } from './tree.js'

/** What a disk has of an epoch: for each cell the index of its version, then for each cut 1 if the disk has it, else 0. */
export type Holding = readonly number[]

/** A torn sector: a version that a cell has in place of that of the holding. */
export interface Torn {
  /** Index of the cell in the epoch. */
  readonly cell: number
  readonly version: Version
}

/** The files after a crash. */
export interface CrashState {
  readonly files: Files
  /** Equal for states of the same list of epochs with the same content, and for no others but by chance. */
  readonly digest: Digest
}

/** A disk in the middle of an epoch. */
export interface EpochDisk {
  /** The state of a holding. Costs as much as differs from the state asked for last, unless a cut differs. */
  readonly state: (holding: Holding, torn?: Torn) => CrashState
  /** The torn versions of a cell, with the cuts of a holding. */
  readonly tears: (holding: Holding, cell: number) => readonly Version[]
}

/** A sector is torn at a multiple of this many bytes. */
const word = 8

/** The sectors that begin as one version and from some word on are the other, without the two versions themselves. */
const tearsBetween = ({ file, index }: Cell, old: Version, young: Version): readonly Version[] => {
  const a = old.sector ?? zeros
  const b = young.sector ?? zeros
  const tear = (head: Sector, tail: Uint8Array, at: number): Version => {
    const sector = patched(head, at, tail.subarray(at))
    return { sector, end: Math.max(old.end, young.end), digest: sectorDigest(file, index, sector), by: young.by }
  }
  const words = Array.from({ length: sectorSize / word }, (_, i) => i * word)
  const differ = words.filter((at) => !has(a, at, b, at, at + word))
  // A tear is new after each word that differs, except the last one.
  return differ.slice(0, -1).flatMap((at) => [tear(old.sector, b, at + word), tear(young.sector, a, at + word)])
}

/** What the states with the same cuts have in common. */
interface CutLayout {
  /** 1 for each cut that the disk has, as in the holding. */
  readonly cuts: readonly number[]
  readonly stores: readonly Store[]
  /** Of the sectors, without the lengths. */
  readonly digest: Digest
  /** The versions of each cell, in order. Those before a cut end there, and no longer extend the file. */
  readonly choices: readonly (readonly Version[])[]
}

const layoutOf = ({ before, digest, cells, cuts }: Epoch, chosen: readonly number[]): CutLayout => {
  const kept = cuts.filter((_, i) => chosen[i] === 1)
  const files = before.map(({ file, store }, place) => ({
    file,
    store: kept.filter((cut) => cut.place === place).reduce((s, cut) => truncate(s, cut.length), store)
  }))
  const choice = ({ file, place, index }: Cell, version: Version): Version => {
    const later = kept.filter((cut) => cut.place === place && cut.by > version.by)
    if (later.length === 0) return version
    const sector = clipped(version.sector, index, Math.min(...later.map((cut) => cut.length)))
    return { ...version, sector, end: 0, digest: sectorDigest(file, index, sector) }
  }
  return {
    cuts: chosen,
    stores: files.map(({ store }) => store),
    digest: mixed(digest, sectorsDigest(before, files)),
    choices: cells.map((cell) => cell.versions.map((version) => choice(cell, version)))
  }
}

const noTears: readonly Version[] = []

/** The disk of an epoch, in the state before it. */
export const epochDisk = (epoch: Epoch): EpochDisk => {
  const { before, cells, cuts } = epoch
  const start = (chosen: readonly number[]) => {
    const layout = layoutOf(epoch, chosen)
    return {
      layout,
      /** The version of each cell. */
      held: layout.choices.map(([first]) => first),
      trees: layout.stores.map(({ tree }) => tree),
      digest: layout.digest,
      /** The cell whose tears were asked for last, and these tears. */
      torn: -1,
      tears: noTears
    }
  }
  let now = start(cuts.map(() => 0))

  const turnTo = (holding: Holding): void => {
    if (cuts.some((_, i) => holding[cells.length + i] !== now.layout.cuts[i])) now = start(holding.slice(cells.length))
  }

  return {
    state: (holding, torn) => {
      turnTo(holding)
      const lengths = now.layout.stores.map(({ length }) => length)
      cells.forEach(({ place, index }, i) => {
        const version = torn?.cell === i ? torn.version : now.layout.choices[i]?.[holding[i] ?? 0]
        const old = now.held[i]
        if (version === undefined || old === undefined) return
        lengths[place] = Math.max(lengths[place] ?? 0, version.end)
        if (version === old) return
        now.held[i] = version
        now.trees[place] = withSectors(now.trees[place], index, [version.sector])
        now.digest = mixed(now.digest, mixed(old.digest, version.digest))
      })
      const files = before.map(({ file }, i) => ({ file, store: { length: lengths[i] ?? 0, tree: now.trees[i] } }))
      return { files, digest: files.reduce((d, f) => mixed(d, lengthDigest(f.file, f.store.length)), now.digest) }
    },
    tears: (holding, i) => {
      turnTo(holding)
      const cell = cells[i]
      if (cell !== undefined && now.torn !== i) {
        const versions = now.layout.choices[i] ?? []
        now.tears = versions.flatMap((b, n) => versions.slice(0, n).flatMap((a) => tearsBetween(cell, a, b)))
        now.torn = i
      }
      return now.tears
    }
  }
}
