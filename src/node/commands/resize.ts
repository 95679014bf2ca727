/** `qcow2 resize`: another size for the guest disk. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { chainSize } from '../../image/guest/chain.js'
import { because, get, keepRules, using } from '../command-error.js'
import { print } from '../files/output.js'
import { openWritable } from '../images/locked-image.js'
import { diskSize, exactSize, preallocations } from '../text/values.js'
import { argument, choice, command, flag, type Given, Parameter } from './command.js'
import { allow, image, quiet } from './options.js'

/** A size in bytes, or how much is added to the present size or taken from it. */
interface NewSize {
  readonly sign: '+' | '-' | ''
  readonly bytes: bigint
}

const size = exactSize('image size')

const newSize: Given<NewSize> = new t.Type(
  'NewSize',
  t.type({ sign: t.union([t.literal('+'), t.literal('-'), t.literal('')]), bytes: t.bigint }).is,
  (u, context) => {
    const text = String(u)
    const sign = text.startsWith('+') ? '+' : text.startsWith('-') ? '-' : ''
    return E.map((bytes: bigint): NewSize => ({ sign, bytes }))(size.validate(text.slice(sign.length), context))
  },
  String
)

const newSizeArgument = argument('<size>', 'bytes, with a suffix k, M, G, T, P or E; after + or - by so many', newSize)

const sizeFrom = (now: bigint, { sign, bytes }: NewSize): bigint =>
  sign === '' ? bytes : sign === '+' ? now + bytes : now - bytes

export const resize = command({
  args: {
    image: image('<image>', 'the image', '-f, --format <format>', ['qcow2', 'raw']),
    size: new Parameter(newSize, (parser) => newSizeArgument.declare(parser.allowUnknownOption()))
  },
  options: {
    preallocation: choice(
      '--preallocation <mode>',
      `what a disk that grows allocates: ${preallocations.join(', ')}; off unless it is given`,
      preallocations,
      'off'
    ),
    shrink: flag('--shrink', 'let the disk get smaller, which deletes what is past its new end'),
    quiet: quiet(),
    allow
  },
  run: ({ image: named, size: wanted }, { preallocation, shrink, quiet: isQuiet, allow: folders }) =>
    using(openWritable(named, folders), function* ({ session }) {
      const now = chainSize(session.chain)
      const bytes = yield* get(diskSize(sizeFrom(BigInt(now), wanted)))
      const kept = keepRules([
        [bytes <= 0, 'New image size must be positive'],
        [
          bytes < now && !shrink,
          'Use the --shrink option to perform a shrink operation; it deletes all data beyond the new end'
        ],
        [named.driver === 'raw' && preallocation === 'metadata', 'Unsupported preallocation mode: metadata'],
        [bytes <= now && preallocation !== 'off', 'Preallocation can only be used for growing images']
      ])
      yield* get(kept)
      const done = session.command({ _tag: 'Resize', size: bytes, preallocation })
      yield* get(E.mapLeft(because(`Could not resize '${named.file.name}'`, named.file.name))(done))
      yield* get(session.end())
      if (!isQuiet) yield* get(print('Image resized.\n'))
    })
})
