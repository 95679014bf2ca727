/** Pseudo-random numbers: the same ones for the same seed. */

/** Draws a whole number from 0 to `bound - 1`. Precondition: `1 <= bound <= 2^32`. */
export type Draw = (bound: number) => number

/** The draws of a seed of 32 bits: splitmix, scaled to the bound. */
export const drawsOf = (seed: number): Draw => {
  let state = seed | 0
  return (bound) => {
    state = (state + 0x9e37_79b9) | 0
    const a = Math.imul(state ^ (state >>> 16), 0x21f0_aaad)
    const b = Math.imul(a ^ (a >>> 15), 0x735a_2d97)
    return Math.floor((((b ^ (b >>> 15)) >>> 0) / 0x1_0000_0000) * bound)
  }
}
