/** Snapshots as qemu-img lists them. */
import { isJsonObject, type Json } from '../../bytes/json.js'
import { fromText } from '../../bytes/octets.js'
import { humanSize } from './human-size.js'

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - fromText(text).length))

const two = (n: number): string => String(n).padStart(2, '0')

/** A moment on the clock of this place. */
const date = (seconds: number): string => {
  const d = new Date(seconds * 1000)
  const day = [d.getFullYear(), two(d.getMonth() + 1), two(d.getDate())].join('-')
  return `${day} ${[d.getHours(), d.getMinutes(), d.getSeconds()].map(two).join(':')}`
}

/** Hours, minutes, seconds and thousandths. */
const clock = (seconds: number, nanoseconds: number): string => {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return `${parts.map(two).join(':')}.${String(Math.floor(nanoseconds / 1e6)).padStart(3, '0')}`
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null))

const row = (snapshot: Json): string => {
  const s = isJsonObject(snapshot) ? snapshot : {}
  const cells = [
    humanSize(Number(s['vm-state-size'])).padStart(8),
    date(Number(s['date-sec'])).padStart(20),
    clock(Number(s['vm-clock-sec']), Number(s['vm-clock-nsec'])).padStart(13),
    (s['icount'] === undefined ? '' : text(s['icount'])).padStart(11)
  ]
  return `${padded(text(s['id']), 9)} ${padded(text(s['name']), 16)} ${cells.join('')}`
}

const heading = `${padded('ID', 9)} ${padded('TAG', 16)}  VM SIZE${'DATE'.padStart(20)}${'VM CLOCK'.padStart(13)}${'ICOUNT'.padStart(11)}`

/** The lines of a list of snapshots, each given as `info` has it; none without snapshots. */
export const snapshotLines = (snapshots: readonly Json[]): readonly string[] =>
  snapshots.length === 0 ? [] : ['Snapshot list:', heading, ...snapshots.map(row)]
