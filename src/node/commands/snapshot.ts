/** `qcow2 snapshot`: internal snapshots listed, created, applied and deleted. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { snapshotInfo } from '../../image/info.js'
import type { AnyCommand } from '../../transition/command.js'
import { because, type CommandError, failure, get, task, using, wait } from '../command-error.js'
import { openSource } from '../files/file.js'
import { ok, print } from '../files/output.js'
import { withImage } from '../images/locked-image.js'
import { openableMetadata } from '../images/openable-metadata.js'
import { snapshotLines } from '../text/snapshot-text.js'
import { command, flag, option, optional, text } from './command.js'
import { ignored, image } from './options.js'

/** Lists the snapshots, if there are any, as qemu-img does. */
const list = (name: string): TaskEither<CommandError, number> =>
  using(openSource(name), async function* (source) {
    const { snapshots } = yield* wait(openableMetadata(source))
    const lines = snapshotLines(snapshots.map(snapshotInfo))
    yield* get(print(lines.map((line) => `${line}\n`).join('')))
    return ok
  })

/** A change of the snapshots, and what fails where it does. */
interface Change {
  readonly what: string
  readonly command: AnyCommand
}

/** Changes the snapshots; without a change, does what opening for writing obliges to. */
const changed = (image: string, change: Change | undefined): TaskEither<CommandError, number> =>
  withImage(image, { alone: true }, function* (session) {
    if (change === undefined) return ok
    yield* get(E.mapLeft(because(`Could not ${change.what}`, image))(session.command(change.command)))
    return ok
  })

/** A snapshot of now. */
const creation = (name: string): AnyCommand => {
  const now = Date.now()
  return { _tag: 'SnapshotCreate', name, seconds: Math.floor(now / 1000), nanoseconds: (now % 1000) * 1_000_000 }
}

export const snapshot = command({
  name: 'snapshot',
  summary: 'list, create, apply and delete the internal snapshots of an image',
  args: { image: image('<image>', 'the image') },
  options: {
    list: flag('-l, --list', 'list them'),
    create: option('-c, --create <name>', 'create one of the disk as it is', optional(text)),
    apply: option('-a, --apply <id or name>', 'revert the disk to one', optional(text)),
    delete: option('-d, --delete <id or name>', 'delete one', optional(text)),
    forceShare: flag('-U, --force-share', 'with -l: also while another process writes the image')
  },
  ignored: [ignored['-q']],
  run: ({ image: { name } }, { list: lists, create, apply, delete: gone, forceShare }) =>
    task(async function* () {
      if ([lists || undefined, create, apply, gone].filter((each) => each !== undefined).length > 1)
        yield* get(failure("Cannot mix '-l', '-a', '-c', '-d'"))
      if (forceShare && !lists) yield* get(failure(`Could not open '${name}': -U is only for -l`, { file: name }))
      if (lists) return yield* wait(list(name))
      const change =
        create !== undefined
          ? { what: `create snapshot '${create}'`, command: creation(create) }
          : apply !== undefined
            ? { what: `apply snapshot '${apply}'`, command: { _tag: 'SnapshotApply' as const, name: apply } }
            : gone !== undefined
              ? { what: `delete snapshot '${gone}'`, command: { _tag: 'SnapshotDelete' as const, name: gone } }
              : undefined
      return yield* wait(changed(name, change))
    })
})
