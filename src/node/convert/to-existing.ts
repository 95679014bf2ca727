/** The way into an output that exists: an image or a raw file, which takes writes in their order. */
import * as E from 'fp-ts/lib/Either.js'
import { clusterSize } from '../../format/geometry.js'
import { sectorSize } from '../../format/limits.js'
import { chainSize } from '../../image/guest/chain.js'
import type { AnyCommand } from '../../transition/command.js'
import { actOnEach, because, failure, get, task, using, wait } from '../command-error.js'
import { openWritable } from '../images/locked-image.js'
import type { Changes } from '../images/session.js'
import type { Run } from './clusters.js'
import { type ConvertOptions, copiedSize, copyDisks, type Sink, type Way } from './conversion.js'

/** A command that writes guest bytes. */
type GuestWrite = Extract<AnyCommand, { readonly _tag: 'Write' | 'WriteCompressed' | 'WriteZeroes' }>

/** The commands that write a run; compressed data cluster by cluster. */
function* commandsFor(run: Run, unit: number, { compress, sparse }: ConvertOptions): Generator<GuestWrite> {
  const { at, length, bytes } = run
  if (bytes === undefined) {
    yield { _tag: 'WriteZeroes', at, length, unmap: sparse > 0 }
    return
  }
  const step = compress ? unit : length
  for (let from = 0; from < length; from += step)
    yield { _tag: compress ? 'WriteCompressed' : 'Write', at: at + from, bytes: bytes.slice(from, from + step) }
}

const existingSink = (changes: Changes, options: ConvertOptions): Sink => {
  const [top] = changes.chain
  const unit = top._tag === 'Raw' ? sectorSize : clusterSize(top.disk.g)
  return {
    unit,
    sparse: options.sparse,
    overBacking: false,
    put: (run) => {
      if (run.bytes === undefined && options.targetIsZero) return E.right(undefined)
      return actOnEach(commandsFor(run, unit, options), (command) =>
        E.mapLeft(because(`error while writing at byte ${command.at}`))(changes.command(command))
      )
    },
    end: () => changes.end()
  }
}

/** Converts into an output that exists. */
export const toExisting: Way = task(async function* (inputs, output, options) {
  const { name: out } = output.file
  yield* using(openWritable(output, options.allow), async function* ({ session }) {
    const [needed, size] = [copiedSize(inputs, options), chainSize(session.chain)]
    if (needed > size)
      yield* get(failure(`'${out}' is smaller than the input: ${size} bytes, and ${needed} are needed`, { file: out }))
    yield* wait(copyDisks(inputs, existingSink(session, options), options))
  })
})
