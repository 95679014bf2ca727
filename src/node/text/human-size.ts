/** Amounts for people. */
import { threeDigits } from './decimal.js'

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const

/** Bytes for people: three digits and a unit. */
export const humanSize = (bytes: number): string => {
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes / 1000) / 10) + 1)
  return `${threeDigits(bytes / 1024 ** power)} ${units[power] ?? 'B'}`
}
