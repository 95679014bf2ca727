/** URLs of images: their user names and passwords are sent to the server, and are in no output. */
import { isUrl, type RemoteOptions } from './source.js'

/** A URL as it is printed, and the user name and the password that were in it. */
export interface SplitUrl {
  readonly name: string
  /** The value of an `Authorization` header. */
  readonly authorization?: string
}

/** What is between the scheme and the host: no slash is in it, unless the URL is malformed. */
const userInfo = /(https?:\/\/)(?:[^\s/?#'"]*|[^\s/@'":]+:(?!\d*\/)[^\s'"]*)@/gi

/** A text to print, without the user names and passwords of the URLs in it. */
export const withoutCredentials = (text: string): string => text.replace(userInfo, '$1')

const decoded = (part: string): Buffer => {
  try {
    return Buffer.from(decodeURIComponent(part))
  } catch {
    return Buffer.from(part)
  }
}

/** The same URL without its user name and password. */
export const publicUrl = (url: URL): URL => Object.assign(new URL(url), { username: '', password: '' })

/** A name, of which a URL loses its user name and password. Any other is as it was. */
export const splitUrl = (name: string): SplitUrl => {
  if (!isUrl(name) || !name.includes('@') || !URL.canParse(name)) return { name }
  const url = new URL(name)
  const { username, password } = url
  if (username === '' && password === '') return { name }
  const pair = Buffer.concat([decoded(username), Buffer.from(':'), decoded(password)])
  return { name: publicUrl(url).href, authorization: `Basic ${pair.toString('base64')}` }
}

/** Whether two names are URLs of one server: the same scheme, host and port. */
export const isSameOrigin = (first: string, second: string): boolean =>
  [first, second].every((name) => isUrl(name) && URL.canParse(name)) && new URL(first).origin === new URL(second).origin

/** The options for a file of a chain: the headers that are given go to no other server than that of the top image. */
export const remoteFor = (remote: RemoteOptions | undefined, image: string, name: string): RemoteOptions | undefined =>
  remote === undefined || !isUrl(name) || isSameOrigin(name, image) ? remote : { ...remote, headers: [] }
