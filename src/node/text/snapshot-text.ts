/** Snapshots as qemu-img lists them. */
import { fromText } from '../../bytes/octets.js'
import type { SnapshotInfo } from '../../image/info.js'
import { humanSize } from './human-size.js'

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - fromText(text).length))

const two = (n: number): string => String(n).padStart(2, '0')

/** A moment on the clock of this place. */
const date = (seconds: number): string => {
  const d = new Date(seconds * 1000)
  const day = [d.getFullYear(), two(d.getMonth() + 1), two(d.getDate())].join('-')
  return `${day} ${[d.getHours(), d.getMinutes(), d.getSeconds()].map(two).join(':')}`
}

/** Nanoseconds as hours, minutes, seconds and thousandths. */
const clock = (nanoseconds: bigint): string => {
  const seconds = Number(nanoseconds / 1_000_000_000n)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return `${parts.map(two).join(':')}.${String((nanoseconds % 1_000_000_000n) / 1_000_000n).padStart(3, '0')}`
}

const row = (s: SnapshotInfo): string => {
  const cells = [
    humanSize(Number(s.vmStateSize)).padStart(8),
    date(s.seconds).padStart(20),
    clock(s.vmClock).padStart(13),
    (s.icount === undefined ? '' : `${s.icount}`).padStart(11)
  ]
  return `${padded(s.id, 9)} ${padded(s.name, 16)} ${cells.join('')}`
}

const heading = `${padded('ID', 9)} ${padded('TAG', 16)}  VM SIZE${'DATE'.padStart(20)}${'VM CLOCK'.padStart(13)}${'ICOUNT'.padStart(11)}`

/** The lines of a list of snapshots; none without snapshots. */
export const snapshotLines = (snapshots: readonly SnapshotInfo[]): readonly string[] =>
  snapshots.length === 0 ? [] : ['Snapshot list:', heading, ...snapshots.map(row)]
