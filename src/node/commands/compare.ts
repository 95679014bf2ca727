/** `qcow2 compare`: whether two images hold the same guest disk. */
import * as TE from 'fp-ts/lib/TaskEither.js'
import { map, type MapEntry } from '../../image/guest/map.js'
import { type CommandError, type Failed, get, task, using, wait } from '../command-error.js'
import { percentagesOf, type ProgressOptions } from '../convert/progress.js'
import { ok, print } from '../files/output.js'
import { type RemoteOptions, run } from '../files/source.js'
import { allocatedIn, allocatedRanges } from '../images/allocated-ranges.js'
import { guestReader, guestSize } from '../images/guest.js'
import type { ImageNode } from '../images/image-node.js'
import { type OpenChain, openImage } from '../images/open.js'
import { command, flag } from './command.js'
import { allow, forceShare, ignoredCache, image, quiet, remote } from './options.js'

/** Exit code when the disks differ. */
const differ = 1
/** Exit code when they could not be compared, as qemu-img's. */
const notCompared = 2

/** Bytes that are compared at once. */
const step = 2 ** 21

const entriesOf = task(async function* ({ name, world, chain }: OpenChain) {
  const out: MapEntry[] = []
  yield* wait(
    run(
      { name, world },
      () => map(chain),
      (e) => void out.push(e)
    )
  )
  return out
})

const alike = (a: MapEntry, b: MapEntry): boolean =>
  a.data === b.data &&
  a.zero === b.zero &&
  a.present === b.present &&
  (a.offset === undefined) === (b.offset === undefined)

/** The first guest byte that the images hold in different ways, or up to the end in only one. */
const otherStatus = task(async function* (a: OpenChain, b: OpenChain) {
  const [left, right] = [yield* wait(entriesOf(a)), yield* wait(entriesOf(b))]
  for (let i = 0, j = 0; ;) {
    const [x, y] = [left[i], right[j]]
    if (x === undefined || y === undefined) return undefined
    const [endX, endY] = [x.start + x.length, y.start + y.length]
    const [lastX, lastY] = [endX === guestSize(a), endY === guestSize(b)]
    if (!alike(x, y) || lastX !== lastY) return Math.max(x.start, y.start)
    if (endX <= endY) i++
    if (endY <= endX) j++
  }
})

/** What shows how much is done. */
type Percentages = ReturnType<typeof percentagesOf>

/** The first guest byte below `size` that differs. */
const firstDifference = task(async function* (a: OpenChain, b: OpenChain, size: number, percentages: Percentages) {
  const allocated = [yield* wait(allocatedRanges(a)), yield* wait(allocatedRanges(b))]
  const [readA, readB] = [await guestReader(a), await guestReader(b)]
  for (const [from, to] of allocatedIn(allocated, 0, size))
    for (let at = from; at < to; at += step) {
      const length = Math.min(step, to - at)
      const [x, y] = [yield* wait(readA(at, length)), yield* wait(readB(at, length))]
      if (Buffer.compare(x, y) !== 0) return at + x.findIndex((byte, i) => byte !== y[i])
      percentages?.reach(at + length, size)
    }
  return undefined
})

/** Compares two disks; the shorter one reads as zeros past its end, unless that is a difference. */
const compared = task(async function* (a: OpenChain, b: OpenChain, isStrict: boolean, percentages: Percentages) {
  const [shorter, longer] = [Math.min(guestSize(a), guestSize(b)), Math.max(guestSize(a), guestSize(b))]
  const mismatch = shorter === longer ? '' : 'Warning: Image size mismatch!\n'
  if (isStrict && mismatch !== '') return { code: differ, text: 'Strict mode: Image size mismatch!\n' }
  const other = isStrict ? yield* wait(otherStatus(a, b)) : undefined
  const where = yield* wait(firstDifference(a, b, other ?? longer, percentages))
  if (where !== undefined)
    return { code: differ, text: `${where < shorter ? '' : mismatch}Content mismatch at offset ${where}!\n` }
  return other === undefined
    ? { code: ok, text: `${mismatch}Images are identical.\n` }
    : { code: differ, text: `Strict mode: Offset ${other} block status mismatch!\n` }
})

/** Options of the command. */
interface CompareOptions extends ProgressOptions {
  readonly strict: boolean
  readonly allow: readonly string[]
  readonly forceShare: boolean
  readonly remote: RemoteOptions
}

/** Compares the disks of two images, and prints the outcome; the value is the exit code. */
const compareImages = task(
  (first: ImageNode, second: ImageNode, options: CompareOptions): AsyncGenerator<Failed, number> => {
    return using(openImage(first, options), (a) =>
      using(openImage(second, options), async function* (b) {
        const percentages = percentagesOf(options)
        const { code, text } = yield* wait(compared(a, b, options.strict, percentages))
        if (code === ok) percentages?.update(100)
        if (options.quiet !== true) yield* get(print(text))
        percentages?.end()
        return code
      })
    )
  }
)

export const compare = command({
  args: {
    first: image('<first>', 'the first image', '-f, --a-format <format>', ['qcow2', 'raw']),
    second: image('<second>', 'the second image', '-F, --b-format <format>', ['qcow2', 'raw'])
  },
  options: {
    strict: flag('-s, --strict', 'also compare the sizes, and which clusters are allocated'),
    progress: flag('-p, --progress', 'print how much is done'),
    quiet: quiet(),
    allow,
    forceShare,
    remote
  },
  ignored: [ignoredCache('-T, --cache <mode>')],
  async *run({ first, second }, options) {
    const done = compareImages(first, second, options)
    return yield* wait(TE.mapLeft((error: CommandError) => ({ ...error, exitCode: notCompared }))(done))
  }
})
