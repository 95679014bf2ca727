/** `qcow2 resize`: another size for the guest disk. */
import * as E from 'fp-ts/lib/Either.js'
import { showFailure } from '../../bytes/run-async.js'
import { chainSize } from '../../image/guest/chain.js'
import type { Preallocation } from '../../../spec/disk.js'
import { fail, ok, print } from '../files/output.js'
import type { Changes } from '../images/changes.js'
import { withImage } from '../images/open-writing.js'
import { withRaw } from '../images/raw.js'
import { byteSize, decodeWith } from '../text/values.js'

/** How to resize. */
export interface ResizeOptions {
  readonly format: 'qcow2' | 'raw'
  readonly preallocation: Preallocation
  readonly shrink: boolean
  readonly quiet: boolean
  readonly allow: readonly string[]
}

/** The command; a size with a sign is added to the present one. */
export const resize = async (image: string, size: string, o: ResizeOptions): Promise<number> => {
  const sign = /^[+-]/.exec(size)?.[0]
  const parsed = decodeWith(byteSize('image size'))(sign === undefined ? size : size.slice(1))
  if (E.isLeft(parsed)) return fail(parsed.left)
  const n = parsed.right
  const resizeIn = (session: Changes): number => {
    const now = chainSize(session.chain)
    const wanted = sign === undefined ? n : sign === '+' ? now + n : now - n
    if (wanted <= 0) return fail('New image size must be positive')
    if (wanted < now && !o.shrink)
      return fail('Use the --shrink option to perform a shrink operation; it deletes all data beyond the new end')
    if (o.format === 'raw' && o.preallocation === 'metadata') return fail('Unsupported preallocation mode: metadata')
    if (wanted <= now && o.preallocation !== 'off') return fail('Preallocation can only be used for growing images')
    const done = session.command({ _tag: 'Resize', size: wanted, preallocation: o.preallocation })
    if (E.isLeft(done)) return fail(`Could not resize '${image}': ${showFailure(done.left)}`)
    session.end()
    if (!o.quiet) print('Image resized.\n')
    return ok
  }
  return o.format === 'raw' ? withRaw(image, resizeIn) : withImage(image, { allow: o.allow }, resizeIn)
}
