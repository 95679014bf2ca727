/** `qcow2 assemble`: a dump back into an image. */
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { type Patch, patchOf } from '../../image/dump/dump.js'
import { fail, ok } from '../files/output.js'
import { type DumpFile, openDump } from './dump-file.js'
import { reason } from '../files/file.js'

const piece = 2 ** 20

/** Writes the bytes at a position, all of them. */
const writeAt = (fd: number, bytes: Uint8Array, at: number): void => {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done)
}

/** Bytes behind the end of the file are not written: zeros stand there anyhow, and nothing else may. */
const clip = (bytes: Uint8Array, at: number, length: number): E.Either<string, Uint8Array> =>
  bytes.subarray(Math.max(0, length - at)).some((b) => b !== 0)
    ? E.left(`bytes past file_length, ${length}`)
    : E.right(bytes.subarray(0, Math.max(0, length - at)))

const put = (fd: number, patch: Patch, length: number): E.Either<string, void> => {
  if (patch._tag === 'Bytes')
    return E.map((bytes: Uint8Array) => {
      writeAt(fd, bytes, patch.at)
    })(clip(patch.bytes, patch.at, length))
  if (patch.at + patch.size > length) return E.left(`bytes past file_length, ${length}`)
  if (patch.fill === 0) return E.right(undefined)
  for (let done = 0; done < patch.size; done += piece)
    writeAt(fd, new Uint8Array(Math.min(piece, patch.size - done)).fill(patch.fill), patch.at + done)
  return E.right(undefined)
}

const isStructure = (p: Patch): boolean => p._tag === 'Bytes' && p.structure !== 'bytes'

/** Goes through the patches of a dump that `wanted` picks, up to the first failure. */
const each = (
  dump: DumpFile,
  wanted: (p: Patch) => boolean,
  act: (p: Patch) => E.Either<string, void>
): E.Either<string, void> => {
  let n = 0
  for (const region of dump.regions()) {
    const patch = E.chain((u: unknown) => patchOf(u, dump.frame.geometry))(region)
    const done = E.isLeft(patch) ? patch : wanted(patch.right) ? act(patch.right) : E.right(undefined)
    if (E.isLeft(done)) return E.left(`regions: ${n}: ${done.left}`)
    n++
  }
  return E.right(undefined)
}

/** Whether two of the structures overlap. */
const overlapping = (ranges: readonly (readonly [number, number])[]): boolean => {
  const sorted = ranges.toSorted((a, b) => a[0] - b[0])
  let end = 0
  return sorted.some(([from, to]) => {
    const inside = from < end
    end = Math.max(end, to)
    return inside
  })
}

/** A structure whose bytes another one wrote over: two regions that do not agree. */
const agrees = (fd: number, patch: Patch, length: number): E.Either<string, void> => {
  if (patch._tag === 'Fill') return E.right(undefined)
  const size = Math.max(0, Math.min(patch.bytes.length, length - patch.at))
  const there = new Uint8Array(size)
  if (size > 0) readSync(fd, there, 0, size, patch.at)
  const at = there.findIndex((b, i) => b !== patch.bytes[i])
  return at < 0
    ? E.right(undefined)
    : E.left(`${patch.structure} at ${patch.at}: another region has a different byte at ${patch.at + at}`)
}

/** Structures go over the bytes that were nobody's, so that an edited structure may grow; they must agree with each other. */
const fill = (fd: number, dump: DumpFile): E.Either<string, void> => {
  const length = dump.frame.fileLength
  ftruncateSync(fd, length)
  const ranges: (readonly [number, number])[] = []
  const background = each(
    dump,
    (p) => !isStructure(p),
    (p) => put(fd, p, length)
  )
  if (E.isLeft(background)) return background
  const structures = each(dump, isStructure, (p) => {
    if (p._tag === 'Bytes') ranges.push([p.at, p.at + p.bytes.length])
    return put(fd, p, length)
  })
  if (E.isLeft(structures) || !overlapping(ranges)) return structures
  return each(dump, isStructure, (p) => agrees(fd, p, length))
}

/** Makes the image beside its name and moves it there when it is whole; on failure nothing stays behind. */
const assembleInto = (dump: DumpFile, name: string): E.Either<string, void> => {
  const partial = `${name}.${process.pid}.partial`
  const fd = openSync(partial, 'wx+')
  try {
    const done = fill(fd, dump)
    fsyncSync(fd)
    if (E.isRight(done)) renameSync(partial, name)
    return done
  } finally {
    closeSync(fd)
    rmSync(partial, { force: true })
  }
}

/** The command. */
export const assemble = (dumpName: string, imageName: string): number => {
  const dump = openDump(dumpName)
  if (E.isLeft(dump)) return fail(`Could not read the dump '${dumpName}': ${dump.left}`)
  const done = E.flatten(
    E.tryCatch(
      () => assembleInto(dump.right, imageName),
      (error) => reason(error)
    )
  )
  return E.isLeft(done) ? fail(`Could not assemble '${imageName}': ${done.left}`) : ok
}
