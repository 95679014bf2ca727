/** `qcow2 resize`: another size for the guest disk. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { chainSize } from '../../image/guest/chain.js'
import type { Preallocation } from '../../../spec/disk.js'
import { because, type CommandError, either, failure, get, using } from '../command-error.js'
import { ok, print } from '../files/output.js'
import { openForWriting } from '../images/locked-image.js'
import { openRaw } from '../images/raw.js'
import type { Changes } from '../images/session.js'
import { preallocations } from '../text/modes.js'
import { byteSize } from '../text/values.js'
import { argument, choice, command, flag, type Given, Parameter } from './command.js'
import { allow, type Format, image, quiet } from './options.js'

/** A size in bytes, or how much is added to the present size or taken from it. */
interface NewSize {
  readonly sign: '+' | '-' | ''
  readonly bytes: number
}

const size = byteSize('image size')

const newSize: Given<NewSize> = new t.Type(
  'NewSize',
  t.type({ sign: t.union([t.literal('+'), t.literal('-'), t.literal('')]), bytes: t.number }).is,
  (u, context) => {
    const text = String(u)
    const sign = text.startsWith('+') ? '+' : text.startsWith('-') ? '-' : ''
    return E.map((bytes: number): NewSize => ({ sign, bytes }))(size.validate(text.slice(sign.length), context))
  },
  String
)

const newSizeArgument = argument('<size>', 'bytes, with a suffix k, M, G, T, P or E; after + or - by so many', newSize)

const sizeFrom = (now: number, { sign, bytes }: NewSize): number =>
  sign === '' ? bytes : sign === '+' ? now + bytes : now - bytes

interface ResizeOptions {
  readonly name: string
  readonly format: Format
  readonly size: NewSize
  readonly shrink: boolean
  readonly preallocation: Preallocation
}

const resizeIn = (session: Changes, o: ResizeOptions): E.Either<CommandError, void> =>
  either(function* () {
    const now = chainSize(session.chain)
    const wanted = sizeFrom(now, o.size)
    if (wanted <= 0) yield* get(failure('New image size must be positive'))
    if (wanted < now && !o.shrink)
      yield* get(
        failure('Use the --shrink option to perform a shrink operation; it deletes all data beyond the new end')
      )
    if (o.format === 'raw' && o.preallocation === 'metadata')
      yield* get(failure('Unsupported preallocation mode: metadata'))
    if (wanted <= now && o.preallocation !== 'off')
      yield* get(failure('Preallocation can only be used for growing images'))
    const done = session.command({ _tag: 'Resize', size: wanted, preallocation: o.preallocation })
    yield* get(E.mapLeft(because(`Could not resize '${o.name}'`, o.name))(done))
    yield* get(session.end())
  })

export const resize = command({
  name: 'resize',
  summary: 'change the size of the guest disk',
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
  run: ({ image: { name, format }, size }, { quiet: isQuiet, allow: folders, ...options }) =>
    using(
      format === 'raw' ? () => Promise.resolve(openRaw(name)) : openForWriting(name, { allow: folders }),
      function* ({ session }: { readonly session: Changes }) {
        yield* get(resizeIn(session, { name, format, size, ...options }))
        if (!isQuiet) yield* get(print('Image resized.\n'))
        return ok
      }
    )
})
