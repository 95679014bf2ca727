/** `qcow2 rebase`: another backing file. */
import { dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { because, type CommandError, type Failed, failure, get, keepRules, using, wait } from '../command-error.js'
import { allocatedRanges } from '../images/allocated-ranges.js'
import { newBackingNode } from '../images/below.js'
import { guestReader, guestSize } from '../images/guest.js'
import { keepDisk, type Rebased } from '../images/keep-disk.js'
import { withImage } from '../images/locked-image.js'
import type { ImageNode } from '../images/image-node.js'
import { type OpenChain, openImage } from '../images/open.js'
import type { Session } from '../images/session.js'
import { percentagesOf, type ProgressOptions } from '../convert/progress.js'
import { backingFormats } from '../text/create-options.js'
import { command, flag, option, optional, text } from './command.js'
import { allow, ignored, ignoredCache, image, quiet } from './options.js'

/** A new backing file. */
interface NewBacking {
  readonly name: string
  readonly format: string
}

/** Fails where the new backing file is made of a file of the image itself: it would lead back to the image. */
const keepOffItself = (image: string, open: OpenChain, below: OpenChain): E.Either<CommandError, void> => {
  const own = (['image', 'data'] as const).flatMap((part) => open.fileOf({ part, depth: 0 })?.identity ?? [])
  const same = below.files.find(({ identity }) => identity !== undefined && own.includes(identity))
  return same === undefined
    ? E.right(undefined)
    : failure(`Could not open new backing file '${below.name}': '${same.name}' is a file of the image`, { file: image })
}

/** How the disk is kept the same. */
interface KeepOptions extends ProgressOptions {
  readonly allow: readonly string[]
  readonly forceShare: boolean
  readonly compress: boolean
}

/** Makes the guest disk the same over a new backing file, or over none. */
const keepOver = (
  node: ImageNode,
  session: Session,
  backing: NewBacking | undefined,
  options: KeepOptions
): AsyncGenerator<Failed, void> =>
  using(openImage(node, options), async function* (open) {
    const { name: image } = node.file
    const percentages = percentagesOf(options)
    const keep = async function* (below: Rebased['below']): AsyncGenerator<Failed, void> {
      const onDone = (at: number): void => percentages?.reach(at, guestSize(open))
      yield* wait(keepDisk({ image, session, below, isCompressed: options.compress, onDone }, open))
      percentages?.update(100)
      percentages?.end()
    }
    if (backing === undefined) return yield* keep(undefined)
    const other = yield* get(newBackingNode(image, backing.name, backing.format === 'raw' ? 'raw' : 'qcow2'))
    yield* using(
      openImage(other, { allow: [dirname(other.file.name), ...options.allow], forceShare: options.forceShare }),
      async function* (below) {
        yield* get(keepOffItself(image, open, below))
        const allocated = yield* wait(allocatedRanges(below))
        yield* keep({ read: await guestReader(below), allocated })
      }
    )
  })

export const rebase = command({
  args: { image: image('<image>', 'the image') },
  options: {
    unsafe: flag('-u, --backing-unsafe', 'change the name of the backing file only, and do not open it'),
    backing: option('-b, --backing <name>', 'the backing file; none if it is empty', optional(text)),
    backingFormat: option('-F, -B, --backing-format <format>', 'format of the backing file', optional(text)),
    compress: flag('-c, --compress', 'compress what is written into the image'),
    progress: flag('-p, --progress', 'print how much is done'),
    quiet: quiet(),
    forceShare: flag('-U, --force-share', 'read the new backing file also while another process writes it'),
    allow
  },
  ignored: [ignored['-t'], ignoredCache('-T, --backing-cache <mode>')],
  async *run({ image: named }, { unsafe, backing: name, backingFormat: format = '', ...options }) {
    const { name: file } = named.file
    const kept = keepRules([
      [!unsafe && name === undefined, 'Must specify backing file (-b) or use unsafe mode (-u)'],
      [unsafe && options.compress, 'With -u nothing is written that -c could compress']
    ])
    yield* get(kept)
    const readable = unsafe ? backingFormats : ['qcow2', 'raw']
    if (format !== '' && !readable.includes(format)) yield* get(failure(`Invalid format name: '${format}'`))
    const what = `Could not change the backing file to '${name ?? ''}'`
    if (name !== undefined && name !== '' && format === '')
      yield* get(failure(`${what}: backing format must be specified [BACK-05]`, { clause: 'BACK-05', file }))
    const backing = name === undefined || name === '' ? undefined : { name, format }
    yield* withImage(named, { alone: unsafe, allow: options.allow }, async function* (session) {
      if (!unsafe) yield* keepOver(named, session, backing, options)
      const done = session.command({
        _tag: 'Rebase',
        ...(backing === undefined ? {} : { backing: { ...backing, layers: [] } })
      })
      yield* get(E.mapLeft(because(what, file))(done))
    })
  }
})
