/** `qcow2 metadump`: the metadata of an image alone, as a file to attach to a bug report. */
import type { ByteRange } from '../../image/byte-range.js'
import { metadump as metadumpPlan, type MetadumpPiece } from '../../image/metadump.js'
import { commandError, either, type Failed, get, using, wait } from '../command-error.js'
import { createFile } from '../files/atomic-file.js'
import { openPlace } from '../files/file.js'
import { keepApart } from '../files/identity.js'
import { readAccess } from '../files/lock.js'
import { dataParts, writeAt } from '../files/sparse.js'
import { run } from '../files/source.js'
import { namingOthers } from '../images/not-qcow2.js'
import { argument, command, flag, text } from './command.js'
import { forceShare, image, remote } from './options.js'

/** Writes bytes at their place, and leaves holes for zeros. */
const putSparse = either(function* (name: string, fd: number, { at, bytes }: MetadumpPiece) {
  for (const [part, place] of dataParts(bytes, at)) yield* get(writeAt(name, fd, part, place))
})

const ambiguous = (name: string, [first, ...more]: readonly ByteRange[]) =>
  first === undefined
    ? undefined
    : commandError(
        `'${name}' has bytes of ${more.length + 1} places that are both metadata and guest data, the first at byte ${first.at}`,
        { file: name }
      )

export const metadump = command({
  args: { image: image('<image>', 'the image'), out: argument('<out>', 'the copy', text) },
  options: {
    keepNames: flag('--keep-names', 'keep the names of the backing file, the data file, snapshots and bitmaps'),
    forceShare,
    remote
  },
  run: ({ image: named, out: copy }, { keepNames, forceShare: isForced, remote: reading }, report) =>
    using(
      openPlace(named.file, readAccess('qcow2', isForced || named.forceShare), reading),
      async function* (source): AsyncGenerator<Failed, void> {
        yield* get(keepApart(copy, [source]))
        const { length } = source
        const copied = createFile(copy, length, async function* (fd) {
          const plan = () => metadumpPlan(length, { keepNames })
          const { ambiguous: found } = yield* wait(
            namingOthers(source)(run(source, plan, (piece) => putSparse(copy, fd, piece)))
          )
          const warning = ambiguous(copy, found)
          if (warning !== undefined) report(warning)
        })
        yield* wait(copied)
      }
    )
})
