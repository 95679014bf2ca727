/** `qcow2 read`: guest bytes to standard output. */
import * as E from 'fp-ts/lib/Either.js'
import { fail, ok, printBytes } from '../files/output.js'
import { refusalLine } from '../images/usable.js'
import { eachPiece, guestSize } from '../images/guest.js'
import { type OpenOptions, withChain } from '../images/open.js'

const zeros = new Uint8Array(2 ** 16)

/** The command. */
export const readCommand = async (name: string, at: number, length: number, options: OpenOptions): Promise<number> => {
  if (options.vmState === true && options.snapshot === undefined)
    return fail('--vm-state is that of a snapshot, which -l names')
  return withChain(name, options, async (open) => {
    const size = guestSize(open)
    if (at + length > size) return fail(`'${name}' has ${size} bytes, ${length} at ${at} leave it`)
    const done = await eachPiece(open, at, length, (piece) => {
      if (piece.bytes !== undefined) printBytes(piece.bytes)
      else
        for (let n = 0; n < piece.length; n += zeros.length)
          printBytes(zeros.subarray(0, Math.min(zeros.length, piece.length - n)))
    })
    return E.isLeft(done) ? fail(refusalLine(name, done.left)) : ok
  })
}
