/** Numbers in decimal digits as C prints them. */

/** A number with so many decimals; one that is just as far from two such numbers becomes the one with the even digit. */
export const decimals = (x: number, places: number): string => {
  if (Math.abs(x * 2 ** (places + 1)) % 2 !== 1) return x.toFixed(places)
  const below = Math.floor(x * 10 ** places)
  return ((below % 2 === 0 ? below : below + 1) / 10 ** places).toFixed(places)
}

/** A number from 0 to 1000 with three digits that count, and no zeros behind them. */
export const threeDigits = (x: number): string => {
  const places = x === 0 ? 0 : 2 - Math.floor(Math.log10(x))
  const rounded = Number(decimals(x, places))
  return rounded === 1000 ? '1e+03' : `${rounded}`
}
