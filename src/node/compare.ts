/** `qcow2 compare`: whether two images hold the same guest disk. */
import * as E from 'fp-ts/lib/Either.js'
import { runSync } from '../bytes/plan.js'
import { readGuest } from '../image/read.js'
import { fail, ok, refusalLine } from './command.js'
import { native } from './decompress.js'
import { guestSize } from './guest.js'
import { type OpenChain, type OpenOptions, withChain } from './open.js'
import { print } from './output.js'

/** Exit code when the disks differ. */
const differ = 1
/** Exit code when they could not be compared, as qemu-img's. */
const notCompared = 2

const step = 2 ** 20

const bytesAt = (open: OpenChain, at: number, length: number): E.Either<string, Uint8Array> => {
  const there = Math.max(0, Math.min(length, guestSize(open) - at))
  if (there === 0) return E.right(new Uint8Array(length))
  const read = runSync(readGuest(open.chain, at, there, native), { read: open.read, tell: () => undefined })
  if (E.isLeft(read)) return E.left(refusalLine(open.names[0] ?? '', read.left))
  const out = new Uint8Array(length)
  out.set(read.right)
  return E.right(out)
}

/** Compares the bytes of both; the shorter one counts as filled up with zeros. */
const compareOpen = (a: OpenChain, b: OpenChain): number => {
  const size = Math.max(guestSize(a), guestSize(b))
  for (let at = 0; at < size; at += step) {
    const length = Math.min(step, size - at)
    const [x, y] = [bytesAt(a, at, length), bytesAt(b, at, length)]
    if (E.isLeft(x) || E.isLeft(y)) {
      fail(E.isLeft(x) ? x.left : E.isLeft(y) ? y.left : '')
      return notCompared
    }
    if (Buffer.compare(x.right, y.right) !== 0) {
      print(`Content mismatch at offset ${at + x.right.findIndex((byte, i) => byte !== y.right[i])}!\n`)
      return differ
    }
  }
  if (guestSize(a) !== guestSize(b)) print('Warning: Image size mismatch!\n')
  print('Images are identical.\n')
  return ok
}

/** The command. */
export const compare = (first: string, second: string, options: OpenOptions): number => {
  const codes: number[] = []
  const opened = withChain(first, options, (a) =>
    withChain(second, options, (b) => {
      const code = compareOpen(a, b)
      codes.push(code)
      return code
    })
  )
  return codes.length > 0 ? opened : notCompared
}
