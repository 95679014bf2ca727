/** The copy of a conversion: the guest bytes of the inputs, piece by piece, as runs of clusters into a sink. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, get, task, wait } from '../command-error.js'
import { maxRounds } from '../files/async-writer.js'
import { type Piece, sizeOfAll, wholeDisk } from '../images/guest.js'
import type { OpenChain } from '../images/open.js'
import { ClusterRuns, sparseUnit } from './clusters.js'
import type { Done, Sink } from './conversion.js'
import { type ProgressOptions, progressOf } from './progress.js'

/** Whether a piece is copied: over a backing file, what the top layer of its input has. */
const isCopied = ({ overBacking }: Sink, input: OpenChain, { depth, absent }: Piece): boolean =>
  !overBacking || (depth === 0 && !(absent && input.chain.length > 1))

/** Copies the disks of all inputs, one after the other. */
export const copyDisks = (
  inputs: readonly OpenChain[],
  sink: Sink,
  options: ProgressOptions
): TaskEither<CommandError, void> =>
  task(async function* () {
    const { unit, sparse, overBacking } = sink
    const clusters = new ClusterRuns(sparseUnit(unit, sparse), sizeOfAll(inputs), sparse)
    const isCounted = (depth: number, zeros: boolean): boolean =>
      (!overBacking || depth === 0) && !(zeros && sparse > 0)
    const progress = yield* wait(progressOf(inputs, options, isCounted, sink.progressStep))
    for (const input of inputs) {
      const put = async (piece: Piece): Promise<Done> => {
        for (const run of clusters.add(piece.length, piece.bytes, isCopied(sink, input, piece))) {
          const written = sink.put(run)
          const done = written instanceof Promise ? await written : written
          if (E.isLeft(done)) return done
        }
        progress?.copied(piece)
        return sink.barrier === undefined ? E.right(undefined) : sink.barrier()
      }
      yield* wait(wholeDisk(input, put, { kept: maxRounds }))
    }
    yield* get(await sink.end())
    progress?.end()
  })
