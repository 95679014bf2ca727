/** Disks: what a disk holds that has some version of every sector of an epoch, made from what it held in the state before. */
import { type Digest, lengthDigest, mixed, sectorDigest, sectorsDigest } from './digest.js'
import type { Cell, Epoch, Version } from './epoch.js'
import type { Files } from './files.js'
import { clipped, has, patched, type Sector, sectorSize, zeros } from './sector.js'
import { type Store, truncate } from './store.js'
import { withSectors } from './tree.js'

/** For each cell of the epoch the place of the version that the disk has, then for each cut 1 if it has it, 0 if not. */
export type Holding = readonly number[]

/** A version that a cell has in place of the one its holding says. */
export interface Torn {
  /** Place of the cell in the epoch. */
  readonly cell: number
  readonly version: Version
}

/** What the files may be after a crash. */
export interface CrashState {
  readonly files: Files
  /** Equal for states of the same list of epochs that hold the same, and for no others. */
  readonly digest: Digest
}

/** A disk in the middle of an epoch. */
export interface Disk {
  /** What it holds. Costs what differs from the state asked for last, unless a cut does. */
  readonly state: (holding: Holding, torn?: Torn) => CrashState
  /** What a cell may be when it is torn, with the cuts of a holding. */
  readonly tears: (holding: Holding, cell: number) => readonly Version[]
}

/** Bytes: a sector is torn at a multiple of these. */
const word = 8

/** The sectors that begin as one version and, from some word on, are the other. Neither of the two is among them. */
const tearsBetween = ({ file, index }: Cell, old: Version, young: Version): readonly Version[] => {
  const a = old.sector ?? zeros
  const b = young.sector ?? zeros
  const tear = (head: Sector, tail: Uint8Array, at: number): Version => {
    const sector = patched(head, at, tail.subarray(at))
    return { sector, end: Math.max(old.end, young.end), digest: sectorDigest(file, index, sector), by: young.by }
  }
  const words = Array.from({ length: sectorSize / word }, (_, i) => i * word)
  const differ = words.filter((at) => !has(a, at, b, at, at + word))
  // A tear is new behind each word that differs, but for the last one.
  return differ.slice(0, -1).flatMap((at) => [tear(old.sector, b, at + word), tear(young.sector, a, at + word)])
}

/** What all states have in common that have the same cuts. */
interface Layout {
  /** Of the holding: 1 for each cut that the disk has. */
  readonly cuts: readonly number[]
  readonly stores: readonly Store[]
  /** Of the sectors, without the lengths. */
  readonly digest: Digest
  /** The versions of each cell, in their order. A cut takes from those before it what lies past it, and their say about the length. */
  readonly choices: readonly (readonly Version[])[]
}

const layoutOf = ({ before, digest, cells, cuts }: Epoch, chosen: readonly number[]): Layout => {
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

/** The disk of an epoch, as it was before. */
export const diskOf = (epoch: Epoch): Disk => {
  const { before, cells, cuts } = epoch
  const start = (chosen: readonly number[]) => {
    const layout = layoutOf(epoch, chosen)
    return {
      layout,
      /** The version each cell has. */
      held: layout.choices.map(([first]) => first),
      trees: layout.stores.map(({ tree }) => tree),
      digest: layout.digest,
      /** The tears of the cell last asked for. */
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
