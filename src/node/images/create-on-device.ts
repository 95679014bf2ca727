/** New images on block devices, which hold something already and keep their length. */
import type * as E from 'fp-ts/lib/Either.js'
import { flush, type HostWrite } from '../../bytes/host-write.js'
import { imageFile } from '../../bytes/plan.js'
import type { CreateOptions } from '../../transition/create/options.js'
import { actOnEach, type CommandError, failure, get, task, using } from '../command-error.js'
import { openDiskFile } from '../files/disk-file.js'
import { isZeros } from '../files/sparse.js'

/** The first byte after what a write reaches. */
const endOf = (w: HostWrite): number => {
  if (w._tag === 'Flush') return 0
  if (w._tag === 'Truncate') return w.length
  return w.at + (w._tag === 'Write' ? w.bytes.length : w.length)
}

/** Whether a write has to be carried out on a device whose bytes are zeros already. */
const isNeeded = (w: HostWrite): boolean => w._tag === 'Flush' || (w._tag === 'Write' && !isZeros(w.bytes))

/**
 * Creates an image on a block device that nothing else uses: zeros as far as the image reaches, then its structures. The
 * rest of the device stays as it is.
 */
export const createOnDevice = task(async function* (
  name: string,
  { dataFile, clusterBits = 16 }: CreateOptions,
  writes: readonly HostWrite[]
) {
  const refused = (why: string): E.Either<CommandError, never> =>
    failure(`Could not create '${name}': ${why}`, { file: name })
  if (dataFile !== undefined) yield* get(refused('an image on a device has no external data file'))
  yield* using(openDiskFile({ name }), function* (disk) {
    const end = writes.reduce((to, w) => Math.max(to, endOf(w)), 0)
    if (end > disk.length()) yield* get(refused(`the device has ${disk.length()} bytes, and the image takes ${end}`))
    const wholeEnd = Math.ceil(end / 2 ** clusterBits) * 2 ** clusterBits
    const length = Math.min(disk.length(), wholeEnd)
    const changes = [{ _tag: 'Punch', file: imageFile, at: 0, length } as const, ...writes.filter(isNeeded), flush]
    yield* get(actOnEach(changes, (w) => (w._tag === 'Flush' ? disk.flush() : disk.perform(w))))
  })
})
