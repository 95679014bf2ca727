/** Bytes as the tables of these tests write them: hexadecimal in groups, `00*39` being a byte that is repeated. */
import { concat, fromHex } from '../../src/bytes/octets.js'

/** The bytes of a notation. */
export const bytesIn = (notation: string): Uint8Array =>
  concat(
    notation.split(' ').map((group) => {
      const [hex = '', times = '1'] = group.split('*')
      const bytes = fromHex(hex)
      if (bytes === undefined) throw new Error(`${group} is not hexadecimal`)
      return concat(Array.from({ length: Number(times) }, () => bytes))
    })
  )

/** The bytes with others in their place, as `20 0000000c` says: from byte 20 on. They may reach past the end. */
export const withPatch = (bytes: Uint8Array, patch: string): Uint8Array => {
  const [at = '', ...groups] = patch.split(' ')
  const by = bytesIn(groups.join(' '))
  const out = new Uint8Array(Math.max(bytes.length, Number(at) + by.length))
  out.set(bytes)
  out.set(by, Number(at))
  return out
}
