/** `qcow2 assemble`: a dump back into an image. */
import { fsyncSync, readSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { type Patch, patchOf } from '../../image/dump/dump.js'
import { type CommandError, either, failure, get, inContext, orError, system, task, wait } from '../command-error.js'
import { createFile } from '../files/atomic-file.js'
import { keepApart } from '../files/identity.js'
import { pause } from '../files/partial.js'
import { writeAt } from '../files/sparse.js'
import { argument, command, text } from './command.js'
import { type DumpFile, openDump } from './dump-file.js'

const piece = 2 ** 20

/** An image that is being made, `length` bytes long. */
interface Target {
  readonly name: string
  readonly fd: number
  readonly length: number
}

const pastEnd = ({ length }: Target): E.Either<CommandError, never> => failure(`bytes past file_length, ${length}`)

/** Bytes past the end of the file are not written: they read as zeros, and may be nothing else. */
const clip = (bytes: Uint8Array, at: number, to: Target): E.Either<CommandError, Uint8Array> => {
  const left = Math.max(0, to.length - at)
  return bytes.subarray(left).some((b) => b !== 0) ? pastEnd(to) : E.right(bytes.subarray(0, left))
}

const put = task(async function* (to: Target, patch: Patch) {
  const { name, fd, length } = to
  if (patch._tag === 'Bytes') yield* get(writeAt(name, fd, yield* get(clip(patch.bytes, patch.at, to)), patch.at))
  else if (patch.at + patch.size > length) yield* get(pastEnd(to))
  else if (patch.fill !== 0)
    for (let done = 0; done < patch.size; done += piece) {
      await pause()
      const bytes = new Uint8Array(Math.min(piece, patch.size - done)).fill(patch.fill)
      yield* get(writeAt(name, fd, bytes, patch.at + done))
    }
})

const isStructure = (p: Patch): boolean => p._tag === 'Bytes' && p.structure !== 'bytes'

type Act = (p: Patch) => E.Either<CommandError, void> | Promise<E.Either<CommandError, void>>

/** Acts on the patches of a dump that `wanted` picks. */
const each = task(async function* (dump: DumpFile, wanted: (p: Patch) => boolean, act: Act) {
  let n = 0
  for (const region of dump.regions()) {
    await pause()
    const inRegion = E.mapLeft(inContext(`regions: ${n++}`))
    const json = yield* get(inRegion(region))
    const patch = yield* get(inRegion(orError(patchOf(json, dump.frame.geometry))))
    if (wanted(patch)) yield* get(inRegion(await act(patch)))
  }
})

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
const agrees = either(function* ({ name, fd, length }: Target, patch: Patch) {
  if (patch._tag === 'Fill') return
  const written = new Uint8Array(Math.max(0, Math.min(patch.bytes.length, length - patch.at)))
  if (written.length > 0) yield* get(system('read', name, () => readSync(fd, written, 0, written.length, patch.at)))
  const at = written.findIndex((b, i) => b !== patch.bytes[i])
  if (at >= 0)
    yield* get(failure(`${patch.structure} at ${patch.at}: another region has a different byte at ${patch.at + at}`))
})

/** Structures go over the bytes that no structure covers, so that an edited structure may grow; they must agree with each other. */
const fill = task(async function* (dump: DumpFile, to: Target) {
  yield* wait(
    each(
      dump,
      (p) => !isStructure(p),
      (p) => put(to, p)()
    )
  )
  const ranges: (readonly [number, number])[] = []
  const putStructure: Act = (p) => {
    if (p._tag === 'Bytes') ranges.push([p.at, p.at + p.bytes.length])
    return put(to, p)()
  }
  yield* wait(each(dump, isStructure, putStructure))
  if (overlapping(ranges)) yield* wait(each(dump, isStructure, (p) => agrees(to, p)))
  yield* get(system('write', to.name, () => fsyncSync(to.fd)))
})

/** What is wrong with the dump; what the system says names its file already. */
const inAssembly =
  (name: string) =>
  (error: CommandError): CommandError =>
    error.file === undefined ? inContext(`Could not assemble '${name}'`)(error) : error

export const assemble = command({
  args: { dump: argument('<dump>', 'the dump', text), image: argument('<image>', 'the new image', text) },
  options: {},
  async *run({ dump: dumpName, image }) {
    const dump = yield* get(openDump(dumpName))
    yield* get(keepApart(image, [{ name: dumpName, identity: dump.identity }]))
    const length = dump.frame.fileLength
    const assembled = createFile(image, length, async function* (fd) {
      yield* get(E.mapLeft(inAssembly(image))(await fill(dump, { name: image, fd, length })()))
    })
    yield* wait(assembled)
  }
})
