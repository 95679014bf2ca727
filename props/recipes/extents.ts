/** Where the bytes of a guest disk are: `node extents.js IMAGE` prints each extent of a chain of images, and who holds it. */
import { chainSize, locations } from 'qcow2-spec/image'
import { openChain, run } from 'qcow2-spec/node'

const [name = 'disk.qcow2'] = process.argv.slice(2)
const opened = await openChain(name)()
if (opened._tag === 'Left') throw new Error(opened.left.message)
const { right: disk } = opened

const walked = await run(
  disk,
  () => locations(disk.chain, 0, chainSize(disk.chain)),
  ({ kind, start, length, host, depth }) => {
    const file = disk.fileOf({ part: 'image', depth })?.name ?? ''
    const place = kind === 'data' || kind === 'compressed' ? ` at ${host} of ${file}` : ''
    console.log(`${start} to ${start + length - 1}: ${kind}${place}`)
    return undefined
  }
)()
disk.close()
if (walked._tag === 'Left') throw new Error(walked.left.message)
