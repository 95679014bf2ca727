/** Write logs: what QEMU's driver `blklogwrites` notes of a file's writes and flushes, in the format of dm-log-writes. */
import * as E from 'fp-ts/lib/Either.js'
import { flush, type HostWrite } from '../../src/bytes/host-write.js'
import { viewOf } from '../../src/bytes/octets.js'
import type { FileRef } from '../../src/bytes/plan.js'

const magic = 0x6a73_6677_7368_72n
const version = 1n
/** The unit of offsets and lengths, whatever the unit of the log. */
const sector = 512

const flags = { flush: 1n, discard: 4n } as const

/** The head of a log: bytes in which everything else is counted, and the number of entries. */
interface Head {
  readonly unit: number
  readonly entries: number
}

const headOf = (log: Uint8Array): E.Either<string, Head> => {
  if (log.length < 28) return E.left(`a log of ${log.length} bytes`)
  const view = viewOf(log)
  if (view.getBigUint64(0, true) !== magic) return E.left('not a log of writes')
  if (view.getBigUint64(8, true) !== version) return E.left(`version ${view.getBigUint64(8, true)} of the log`)
  return E.right({ unit: view.getUint32(24, true), entries: Number(view.getBigUint64(16, true)) })
}

/**
 * The writes to `file` that a log holds. Everything in it is little-endian: a head of one unit, and for each entry one unit
 * with four words (sector, sectors, flags, length of a mark) followed by the bytes that were written, none for a flush or
 * a discard.
 */
export const writesOf = (log: Uint8Array, file: FileRef): E.Either<string, readonly HostWrite[]> =>
  E.chain(({ unit, entries }: Head) => {
    const view = viewOf(log)
    const writes: HostWrite[] = []
    let at = unit
    for (let i = 0; i < entries; i++) {
      if (at + unit > log.length) return E.left(`entry ${i} lies past the end of the log`)
      const word = (n: number): bigint => view.getBigUint64(at + 8 * n, true)
      const [from, length, kind] = [Number(word(0)) * sector, Number(word(1)) * sector, word(2)]
      at += unit
      if (kind === flags.flush) {
        writes.push(flush)
        continue
      }
      if (kind === flags.discard) {
        writes.push({ _tag: 'Punch', file, at: from, length })
        continue
      }
      if (kind !== 0n) return E.left(`entry ${i} has flags ${kind}`)
      if (at + length > log.length) return E.left(`the bytes of entry ${i} lie past the end of the log`)
      writes.push({ _tag: 'Write', file, at: from, bytes: log.slice(at, at + length) })
      at += Math.ceil(length / unit) * unit
    }
    return E.right(writes)
  })(headOf(log))
