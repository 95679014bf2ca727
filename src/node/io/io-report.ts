/** What `qcow2 io` prints: qemu-io's reports of transfers, dumps of bytes, and amounts for people. */
import { decimals } from '../text/decimal.js'
import type { Transfer } from './io-line.js'

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const

/** Bytes for people: three decimals unless they are zeros, and six of a single byte. */
export const amount = (bytes: number): string => {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const digits = decimals(bytes / 1024 ** power, power === 0 ? 6 : 3)
  return `${digits.replace(/\.000.*$/, '')} ${units[power] ?? 'bytes'}`
}

const two = (n: number): string => String(Math.floor(n)).padStart(2, '0')

const hundredths = (seconds: number): string => seconds.toFixed(2).padStart(5, '0')

/** The report of a transfer that took so many seconds. */
export const transferred = (what: string, { at, length, terse }: Transfer, seconds: number): string => {
  const [bytes, ops] = [length / seconds, 1 / seconds]
  const clock = `${Math.floor(seconds / 3600)}:${two((seconds / 60) % 60)}:${hundredths(seconds % 60)}`
  if (terse) return `${length},1,${clock},${bytes.toFixed(3)},${ops.toFixed(3)}\n`
  const time = seconds < 60 ? `${hundredths(seconds)} sec` : clock
  return (
    `${what} ${length}/${length} bytes at offset ${at}\n` +
    `${amount(length)}, 1 ops; ${time} (${amount(bytes)}/sec and ${ops.toFixed(4)} ops/sec)\n`
  )
}

const width = 16

/** Bytes in lines of sixteen, with the guest offset in front and letters and digits behind. */
export const dumped = (at: number, bytes: Uint8Array): string => {
  const lines: string[] = []
  for (let i = 0; i < bytes.length; i += width) {
    const row = [...bytes.subarray(i, i + width)]
    const text = row.map((b) => String.fromCharCode(b)).map((c) => (/[0-9A-Za-z]/.test(c) ? c : '.'))
    const numbers = row.map((b) => `${b.toString(16).padStart(2, '0')} `)
    lines.push(`${(at + i).toString(16).padStart(8, '0')}:  ${numbers.join('')} ${text.join('')}\n`)
  }
  return lines.join('')
}
