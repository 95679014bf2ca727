/** `qcow2 snapshot`: internal snapshots listed, created, applied and deleted. */
import * as E from 'fp-ts/lib/Either.js'
import { textOfLines } from '../../bytes/octets.js'
import { snapshotInfo } from '../../image/info.js'
import type { AnyCommand } from '../../transition/command.js'
import { because, type Failed, failure, get, using, wait } from '../command-error.js'
import { openPlace } from '../files/file.js'
import { readAccess } from '../files/lock.js'
import { print } from '../files/output.js'
import type { RemoteOptions } from '../files/source.js'
import { keepVersion } from '../images/below.js'
import type { ImageNode } from '../images/image-node.js'
import { keepKey } from '../images/key.js'
import { withImage } from '../images/locked-image.js'
import { openableMetadata } from '../images/openable-metadata.js'
import { snapshotLines } from '../text/info-text.js'
import { command, everyValue, flag } from './command.js'
import { allow, ignored, image, likeNewer, remote } from './options.js'

/** Lists the snapshots, if there are any, as qemu-img does. */
const list = (
  image: ImageNode,
  isForced: boolean,
  remote: RemoteOptions,
  isNewer: boolean
): AsyncGenerator<Failed, void> =>
  using(openPlace(image.file, readAccess('qcow2', isForced), remote), async function* (source) {
    const m = yield* wait(openableMetadata(source))
    yield* get(keepVersion(image, m))
    yield* wait(keepKey(source, m, image))
    yield* get(print(textOfLines(snapshotLines(m.snapshots.map(snapshotInfo), isNewer))))
  })

/** A snapshot of now. */
const creation = (name: string): AnyCommand => {
  const now = Date.now()
  return { _tag: 'SnapshotCreate', name, seconds: Math.floor(now / 1000), nanoseconds: (now % 1000) * 1_000_000 }
}

export const snapshot = command({
  args: { image: image('<image>', 'the image') },
  options: {
    allow,
    remote,
    list: flag('-l, --list', 'list the snapshots, as without any of these options'),
    like: likeNewer('list the snapshots'),
    create: everyValue('-c, --create <name>', 'create a snapshot of the disk'),
    apply: everyValue('-a, --apply <id or name>', 'revert the disk to a snapshot'),
    delete: everyValue('-d, --delete <id or name>', 'delete a snapshot'),
    forceShare: flag('-U, --force-share', 'list them also while another process writes the image')
  },
  ignored: [ignored['-q']],
  async *run(
    { image: named },
    { allow: folders, remote: reading, list: lists, like, create, apply, delete: gone, forceShare: isForced }
  ) {
    const { name } = named.file
    const changes: readonly (readonly [what: string, command: AnyCommand])[] = [
      ...create.map((given) => [`create snapshot '${given}'`, creation(given)] as const),
      ...apply.map((given) => [`apply snapshot '${given}'`, { _tag: 'SnapshotApply', name: given }] as const),
      ...gone.map((given) => [`delete snapshot '${given}'`, { _tag: 'SnapshotDelete', name: given }] as const)
    ]
    if (changes.length + Number(lists) > 1) yield* get(failure("Cannot mix '-l', '-a', '-c', '-d'"))
    if (isForced && changes.length > 0)
      yield* get(failure(`Could not open '${name}': -U is only for -l`, { file: name }))
    if (like && changes.length > 0) yield* get(failure('--like is only for -l'))
    if (changes.length === 0) return yield* list(named, isForced || named.forceShare === true, reading, like)
    yield* withImage(named, { alone: true, allow: folders }, function* (session) {
      for (const [what, change] of changes)
        yield* get(E.mapLeft(because(`Could not ${what}`, name))(session.command(change)))
    })
  }
})
