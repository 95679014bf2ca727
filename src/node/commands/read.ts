/** `qcow2 read`: guest bytes to standard output. */
import * as E from 'fp-ts/lib/Either.js'
import { inexact, isExactRange } from '../../bytes/exact.js'
import { type CommandError, failure, get, using, wait } from '../command-error.js'
import { printBytes } from '../files/output.js'
import { eachPiece, guestSize, type Piece } from '../images/guest.js'
import { openImage } from '../images/open.js'
import { exactSize } from '../text/values.js'
import { argument, command, flag } from './command.js'
import { allow, forceShare, image, remote, snapshot } from './options.js'

const zeros = new Uint8Array(2 ** 16)

const printPiece = ({ bytes, length }: Piece): E.Either<CommandError, void> => {
  if (bytes !== undefined) return printBytes(bytes)
  for (let n = 0; n < length; n += zeros.length) {
    const printed = printBytes(zeros.subarray(0, Math.min(zeros.length, length - n)))
    if (E.isLeft(printed)) return printed
  }
  return E.right(undefined)
}

export const read = command({
  args: {
    image: image('<image>', 'the image', '-f, --format <format>', ['qcow2', 'raw']),
    offset: argument(
      '<offset>',
      'guest offset in bytes; 0x and the suffixes k, M, G, T, P, E work',
      exactSize('offset')
    ),
    length: argument('<length>', 'number of bytes', exactSize('length'))
  },
  options: {
    allow,
    forceShare,
    remote,
    snapshot: snapshot(),
    vmState: flag('--vm-state', 'read the VM state of the snapshot that -l names, instead of its disk')
  },
  async *run({ image: named, offset, length }, options) {
    if (options.vmState && options.snapshot === undefined) yield* get(failure('--vm-state needs -l SNAPSHOT'))
    yield* using(openImage(named, options), async function* (open) {
      const size = guestSize(open)
      if (offset + length > size)
        yield* get(
          failure(
            `bytes ${offset} to ${offset + length - 1n} reach past the end of the ${options.vmState ? 'VM state' : 'disk'} (${size} bytes)`,
            {
              file: named.file.name
            }
          )
        )
      if (!isExactRange(offset, length))
        yield* get(failure(inexact(`${offset} and ${length} bytes`), { file: named.file.name }))
      yield* wait(eachPiece(open, Number(offset), Number(length), printPiece))
    })
  }
})
