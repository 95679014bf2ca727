/** Numbers as the page shows them. */

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const

/** A size in bytes with a unit, and two decimals at most: `64 KiB`, `1.5 MiB`. */
export const sizeText = (bytes: number): string => {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const n = bytes / 1024 ** power
  return `${Number(n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0))} ${units[power] ?? 'B'}`
}

/** A whole number with its digits in groups of three. */
export const grouped = (n: number | bigint): string => String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f')

/** An offset: `0x30008`. */
export const offsetText = (n: number): string => `0x${n.toString(16)}`

const suffixes: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 }

/** The offset that somebody typed: `0x30008`, `196616`, `64k`, `1.5 GiB`; undefined for anything else. */
export const parseOffset = (text: string): number | undefined => {
  const plain = text.trim().replace(/[\s_,\u202f]/g, '')
  const hex = /^(?:0x([0-9a-f]+)|([0-9a-f]+)h)$/i.exec(plain)
  if (hex !== null) return safe(parseInt(hex[1] ?? hex[2] ?? '', 16))
  const decimal = /^(\d+(?:\.\d+)?)(?:([kmgtp])(?:i?b)?)?$/i.exec(plain)
  if (decimal === null) return undefined
  return safe(Math.floor(Number(decimal[1]) * 1024 ** (suffixes[(decimal[2] ?? '').toLowerCase()] ?? 0)))
}

const safe = (n: number): number | undefined => (Number.isSafeInteger(n) ? n : undefined)
