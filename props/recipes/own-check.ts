/** A check of one's own, as a plan: `node own-check.js IMAGE` lists guest data that is all zeros, and could be a hole. */
import { readFileSync } from 'node:fs'
import { activeDisk, emit, type Extent, extents, fromMemory, type GuestDisk, onEmit, orFail } from 'qcow2-spec/image'
import { type Plan, readAt, readMetadata, runSync, showFailure } from 'qcow2-spec/image'

/** Runs of guest data of which every byte is zero. */
const zeroData = (disk: GuestDisk): Plan<void, Extent> =>
  onEmit(extents(disk, 0, disk.size), function* (extent) {
    if (extent.kind !== 'data' || extent.host === undefined) return
    for (let done = 0, length = 0; done < extent.length; done += length) {
      length = Math.min(65536, extent.length - done)
      const bytes = yield* readAt(extent.host + done, length)
      if (bytes.every((b) => b === 0)) yield* emit({ ...extent, start: extent.start + done, length })
    }
  })

function* check(): Plan<void, Extent> {
  const m = yield* orFail(yield* readMetadata())
  if (m.geometry !== undefined) yield* zeroData(activeDisk(m, m.geometry))
}

const read = fromMemory(readFileSync(process.argv[2] ?? 'disk.qcow2'))
const done = runSync(check(), {
  read,
  emit: ({ start, length }) => console.log(`${length} zeros are stored at ${start}`)
})
if (done._tag === 'Left') throw new Error(showFailure(done.left))
