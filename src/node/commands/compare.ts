/** `qcow2 compare`: whether two images hold the same guest disk. */
import * as E from 'fp-ts/lib/Either.js'
import { map, type MapEntry } from '../../image/guest/map.js'
import { readGuest } from '../../image/guest/read.js'
import { fail, ok, print } from '../files/output.js'
import { refusalLine } from '../images/usable.js'
import { native } from '../compression/decompress.js'
import { guestSize } from '../images/guest.js'
import { type OpenChain, type OpenOptions, withChain } from '../images/open.js'
import { usedIn, usedOf } from '../images/used.js'
import { run } from '../files/world.js'

/** Exit code when the disks differ. */
const differ = 1
/** Exit code when they could not be compared, as qemu-img's. */
const notCompared = 2

const step = 2 ** 20

/** Guest bytes of an open chain; behind the end of its disk zeros. */
export const bytesAt = async (open: OpenChain, at: number, length: number): Promise<E.Either<string, Uint8Array>> => {
  const there = Math.max(0, Math.min(length, guestSize(open) - at))
  if (there === 0) return E.right(new Uint8Array(length))
  const read = await run(open.world, () => readGuest(open.chain, at, there, native))
  if (E.isLeft(read)) return E.left(refusalLine(open.names[0] ?? '', read.left))
  const out = new Uint8Array(length)
  out.set(read.right)
  return E.right(out)
}

/** What is compared, and what is said. */
export interface CompareOptions extends OpenOptions {
  readonly secondFormat: 'qcow2' | 'raw'
  readonly strict: boolean
  readonly quiet: boolean
}

/** What is said before bytes are told that only one of them has, or that both are the same. */
const mismatch = 'Warning: Image size mismatch!\n'

const entriesOf = async (open: OpenChain): Promise<E.Either<string, readonly MapEntry[]>> => {
  const out: MapEntry[] = []
  const done = await run(
    open.world,
    () => map(open.chain),
    (e) => out.push(e)
  )
  return E.isLeft(done) ? E.left(refusalLine(open.names[0] ?? '', done.left)) : E.right(out)
}

/** What both have come to; the reason when one has not. */
const both = <A>(a: E.Either<string, A>, b: E.Either<string, A>): E.Either<string, readonly [A, A]> =>
  E.isLeft(a) ? a : E.map((right: A) => [a.right, right] as const)(b)

const alike = (a: MapEntry, b: MapEntry): boolean =>
  a.data === b.data &&
  a.zero === b.zero &&
  a.present === b.present &&
  (a.offset === undefined) === (b.offset === undefined)

/** The first guest byte that the images hold in different ways, or up to the end in only one; how a raw file holds it is not known. */
const otherStatus = async (a: OpenChain, b: OpenChain): Promise<E.Either<string, number | undefined>> => {
  if (a.chain[0]._tag === 'Raw' || b.chain[0]._tag === 'Raw') return E.right(undefined)
  const entries = both(await entriesOf(a), await entriesOf(b))
  if (E.isLeft(entries)) return entries
  const [left, right] = entries.right
  for (let i = 0, j = 0; ;) {
    const [x, y] = [left[i], right[j]]
    if (x === undefined || y === undefined) return E.right(undefined)
    const [endX, endY] = [x.start + x.length, y.start + y.length]
    const [lastX, lastY] = [endX === guestSize(a), endY === guestSize(b)]
    if (!alike(x, y) || lastX !== lastY) return E.right(Math.max(x.start, y.start))
    if (endX <= endY) i++
    if (endY <= endX) j++
  }
}

/** Compares the bytes of both; the shorter one counts as filled up with zeros, unless that is a difference. */
const compareOpen = async (a: OpenChain, b: OpenChain, { strict, quiet }: CompareOptions): Promise<number> => {
  const say = quiet ? () => undefined : print
  if (strict && guestSize(a) !== guestSize(b)) {
    say('Strict mode: Image size mismatch!\n')
    return differ
  }
  const status = strict ? await otherStatus(a, b) : E.right(undefined)
  if (E.isLeft(status)) {
    fail(status.left)
    return notCompared
  }
  const other = status.right
  const size = other ?? Math.max(guestSize(a), guestSize(b))
  const used = both(await usedOf(a), await usedOf(b))
  if (E.isLeft(used)) {
    fail(used.left)
    return notCompared
  }
  for (const [from, to] of usedIn(used.right, 0, size))
    for (let at = from; at < to; at += step) {
      const length = Math.min(step, to - at)
      const bytes = both(await bytesAt(a, at, length), await bytesAt(b, at, length))
      if (E.isLeft(bytes)) {
        fail(bytes.left)
        return notCompared
      }
      const [x, y] = bytes.right
      if (Buffer.compare(x, y) !== 0) {
        const where = at + x.findIndex((byte, i) => byte !== y[i])
        if (where >= Math.min(guestSize(a), guestSize(b))) say(mismatch)
        say(`Content mismatch at offset ${where}!\n`)
        return differ
      }
    }
  if (other !== undefined) {
    say(`Strict mode: Offset ${other} block status mismatch!\n`)
    return differ
  }
  if (guestSize(a) !== guestSize(b)) say(mismatch)
  say('Images are identical.\n')
  return ok
}

/** The command. */
export const compare = async (first: string, second: string, options: CompareOptions): Promise<number> => {
  const codes: number[] = []
  const opened = await withChain(first, options, (a) =>
    withChain(second, { ...options, format: options.secondFormat }, async (b) => {
      const code = await compareOpen(a, b, options)
      codes.push(code)
      return code
    })
  )
  return codes.length > 0 ? opened : notCompared
}
