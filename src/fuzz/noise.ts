/** Noise: bytes that look random. */

/** Byte `i` of the noise of a seed. */
const noiseAt = (seed: number, i: number): number => {
  const a = Math.imul(seed ^ Math.imul(i + 1, 0x9e37_79b1), 0x85eb_ca6b)
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2_ae35)
  return (b ^ (b >>> 16)) & 0xff
}

/** Bytes that look random, the same for the same seed. */
export const noise = (seed: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = noiseAt(seed, i)
  return bytes
}
