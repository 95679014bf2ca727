/** The partitions of a disk on a server, of which only the ranges needed are read: `node partition-table.js URL`. */
import { readGuest } from 'qcow2-spec/image'
import { native, openChain, run } from 'qcow2-spec/node'

const [url = 'http://127.0.0.1/disk.qcow2'] = process.argv.slice(2)
const opened = await openChain(url)()
if (opened._tag === 'Left') throw new Error(opened.left.message)
const { right: disk } = opened
const read = await run(disk, () => readGuest(disk.chain, 0, 512, native))()
disk.close()
if (read._tag === 'Left') throw new Error(read.left.message)

const sector = new DataView(read.right.buffer, read.right.byteOffset, 512)
if (sector.getUint16(510) !== 0x55aa) throw new Error('the disk has no partition table')
for (let at = 446; at < 510; at += 16) {
  const type = sector.getUint8(at + 4)
  const [first, count] = [sector.getUint32(at + 8, true), sector.getUint32(at + 12, true)]
  if (type !== 0) console.log(`type 0x${type.toString(16)}: ${count} sectors from ${first}`)
}
