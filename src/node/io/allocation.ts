/** Reports on which guest bytes an image has itself, and whether zeros can be written without data. */
import * as E from 'fp-ts/lib/Either.js'
import { grainSize } from '../../format/geometry.js'
import { type Chain, chainSize, isZeroExtent, type LocatedExtent, locations } from '../../image/guest/chain.js'
import { type Cause, either, get, showCause } from '../command-error.js'
import { hex, ioSize } from '../text/numbers.js'
import type { IoFile } from './io-file.js'
import { failedWith, type Outcome, success, type Transfer } from './line.js'

const extents = either(function* (file: IoFile, chain: Chain, from: number, to: number) {
  const found: LocatedExtent[] = []
  const plan = () => locations(chain, from, to)
  yield* get(file.run(plan, (e) => found.push(e)))
  return found
})

/** Guest bytes `[at, end)`, and whether the image has them itself. */
interface Allocation {
  readonly at: number
  readonly end: number
  readonly own: boolean
}

/** Guest bytes `[from, to)` in the fewest ranges. */
export const allocations = either(function* (file: IoFile, from: number, to: number) {
  const [top] = file.chain()
  const out: Allocation[] = []
  for (const e of yield* get(extents(file, [top], from, to))) {
    const [at, end] = [Math.max(from, e.start), Math.min(to, e.start + e.length)]
    const own = e.kind !== 'absent'
    const last = out.at(-1)
    if (last?.own === own) out[out.length - 1] = { ...last, end }
    else out.push({ at, end, own })
  }
  return out
})

const outcome = <A>(print: (a: A) => string): ((result: E.Either<Cause, A>) => Outcome) =>
  E.match(
    (cause) => failedWith(showCause(cause)),
    (a) => success(print(a))
  )

/** How many bytes of a range the image has itself. */
export const allocated = (file: IoFile, at: number, length: number): Outcome => {
  const end = Math.max(at, Math.min(chainSize(file.chain()), at + length))
  const found = at < end ? allocations(file, at, end) : E.right([])
  return outcome((ranges: readonly Allocation[]) => {
    const own = ranges.reduce((n, r) => n + (r.own ? r.end - r.at : 0), 0)
    return `${own}/${end - at} bytes allocated at offset ${ioSize(at)}\n`
  })(found)
}

/** Every range of the disk, and whether the image has it itself. */
export const allocationMap = (file: IoFile): Outcome =>
  outcome((ranges: readonly Allocation[]) =>
    ranges
      .map(({ at, end, own }) => {
        const n = end - at
        const word = own ? '    allocated' : 'not allocated'
        return `${ioSize(n)} (${hex(n)}) bytes ${word} at offset ${ioSize(at)} (${hex(at)})\n`
      })
      .join('')
  )(allocations(file, 0, chainSize(file.chain())))

/**
 * Whether zeros can be written there without data: the version has an entry for them, and grains that are written in part
 * have no data either.
 */
export const zeroesFast = (
  file: IoFile,
  { at, length, unmap }: Pick<Transfer, 'at' | 'length'> & { readonly unmap: boolean }
): boolean => {
  const chain = file.chain()
  const size = chainSize(chain)
  const [top] = chain
  if (top._tag === 'Raw' || (top.disk.g.version === 2 && !(unmap && chain.length === 1))) return false
  const grain = grainSize(top.disk.g)
  const edges = [at, at + length].filter((edge) => edge % grain !== 0 && edge !== size)
  return edges.every((edge) => {
    const from = edge - (edge % grain)
    const found = extents(file, chain, from, Math.min(size, from + grain))
    return E.isRight(found) && found.right.every(isZeroExtent)
  })
}
