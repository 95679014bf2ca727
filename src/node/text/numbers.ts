/** Numbers as text, with the digits that C's `printf` prints. */

/** A number in hexadecimal: `0x1f`. */
export const hex = (n: number): string => `0x${n.toString(16)}`

/** The whole part of a number below 100 in two digits. */
export const twoDigits = (n: number): string => String(Math.floor(n)).padStart(2, '0')

/** A number with a fixed count of decimals; of two that are as near, the one with the even digit. */
export const decimals = (x: number, places: number): string => {
  if (Math.abs(x * 2 ** (places + 1)) % 2 !== 1) return x.toFixed(places)
  const below = Math.floor(x * 10 ** places)
  return ((below % 2 === 0 ? below : below + 1) / 10 ** places).toFixed(places)
}

/** A number from 0 to 1000 with three significant digits, without trailing zeros: `%0.3g`. */
export const threeDigits = (x: number): string => {
  const places = x === 0 ? 0 : 2 - Math.floor(Math.log10(x))
  const rounded = Number(decimals(x, places))
  return rounded === 1000 ? '1e+03' : `${rounded}`
}

const units = ['', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const

/** A number of bytes with three significant digits and a unit, as qemu-img prints it. */
export const humanSize = (bytes: number): string => {
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes / 1000) / 10) + 1)
  return `${threeDigits(bytes / 1024 ** power)} ${power === 0 ? 'B' : units[power]}`
}

/** A number of bytes with three decimals, unless all are zeros, and a unit, as qemu-io prints it. */
export const ioSize = (bytes: number): string => {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const size = decimals(bytes / 1024 ** power, power === 0 ? 6 : 3)
  return `${size.replace(/\.000.*$/, '')} ${power === 0 ? 'bytes' : units[power]}`
}
