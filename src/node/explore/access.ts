/** Access to a server on this machine: who may ask, and for what. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What a request asks for, or the status that refuses it. */
export type Asked = 'page' | 'image' | 403 | 404 | 405

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Whether two texts are equal, in a time that does not depend on where they differ. */
const isSameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

/**
 * What a request asks for. It must name this server as its host, so that no other site's name leads here, and its path must
 * begin with the token, which only the URL that was printed has.
 */
export const askedFor = (
  { method = '', url = '', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  hosts: readonly string[],
  token: string
): Asked => {
  const { host, origin } = headers
  if (host === undefined || !hosts.includes(host)) return 403
  if (origin !== undefined && !hosts.some((each) => origin === `http://${each}`)) return 403
  const [, given = '', file = '', ...more] = url.split('?', 1).join().split('/')
  if (!isSameSecret(given, token)) return 404
  if (method !== 'GET' && method !== 'HEAD') return 405
  if (more.length > 0) return 404
  if (file === '') return url.startsWith(`/${token}/`) ? 'page' : 404
  return file === 'image' ? 'image' : 404
}

/** Bytes `from` to `last` of a file of `length` bytes that a Range header names; undefined where there are none. */
export const rangeOf = (
  header: string | undefined,
  length: number
): { readonly from: number; readonly last: number } | undefined => {
  const [, first = '', end = ''] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  const from = Number(first)
  const last = end === '' ? length - 1 : Math.min(length - 1, Number(end))
  return first === '' || from > last ? undefined : { from, last }
}
