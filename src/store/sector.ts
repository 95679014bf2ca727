/** Sectors: the units that a disk writes. */

/** Bytes of a sector. */
export const sectorSize = 512

/** The bytes of a sector, which are never changed; `undefined` if and only if they are all zeros. */
export type Sector = Uint8Array | undefined

/** The bytes of a sector of zeros. */
export const zeros = new Uint8Array(sectorSize)

const isZero = (bytes: Uint8Array): boolean => {
  for (const byte of bytes) if (byte !== 0) return false
  return true
}

/** Whether the sector has `bytes[from .. to - 1]` from its byte `within` on. */
export const has = (sector: Sector, within: number, bytes: Uint8Array, from: number, to: number): boolean => {
  const old = sector ?? zeros
  for (let i = from; i < to; i++) if (old[within + i - from] !== bytes[i]) return false
  return true
}

/** Whether two sectors have the same bytes. */
export const sameSector = (a: Sector, b: Sector): boolean =>
  a === b || (a !== undefined && b !== undefined && has(a, 0, b, 0, sectorSize))

/** The sector with `bytes` from its byte `within` on. */
export const patched = (sector: Sector, within: number, bytes: Uint8Array): Sector => {
  const out = new Uint8Array(sectorSize)
  if (sector !== undefined && bytes.length < sectorSize) out.set(sector)
  out.set(bytes, within)
  return isZero(out) ? undefined : out
}

/** Sector `index` of a file with zeros from byte `end` of the file on. */
export const clipped = (sector: Sector, index: number, end: number): Sector => {
  const left = end - index * sectorSize
  if (sector === undefined || left >= sectorSize) return sector
  if (left <= 0) return undefined
  return has(sector, left, zeros, left, sectorSize) ? sector : patched(sector, left, zeros.subarray(left))
}
