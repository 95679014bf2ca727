/** Why a request for a file on a server failed, and what to do about it. */
import { reason } from '../command-error.js'

const untrusted =
  'its certificate is signed by no trusted authority; NODE_EXTRA_CA_CERTS names a file of further authorities'
const noTls = 'it does not speak TLS at this port; if it serves plain HTTP, the URL begins with http://'

/** By the code of the system's error, or of OpenSSL's. */
const reasons: Readonly<Partial<Record<string, string>>> = {
  ECONNREFUSED: 'no server listens at this port',
  ECONNRESET: 'the server ended the connection',
  UND_ERR_SOCKET: 'the server ended the connection',
  EHOSTUNREACH: 'there is no route to the server',
  ENETUNREACH: 'there is no route to the server',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name of the host cannot be looked up at present',
  ETIMEDOUT: 'the server cannot be reached in time',
  UND_ERR_CONNECT_TIMEOUT: 'the server cannot be reached in time',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Why a request got no answer, with the code of the system's error; `seconds` is how long it may take. */
export const requestReason = (error: unknown, seconds: number): string => {
  if (error instanceof Error && error.name === 'TimeoutError') return `the server does not answer in ${seconds} seconds`
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = codeOf(cause)
  const words = reasons[code]
  return words === undefined ? reason(error) : `${words} (${code})`
}

const advice: Readonly<Partial<Record<number, string>>> = {
  401: "; --header 'Authorization: ...' sends credentials",
  403: "; --header 'Authorization: ...' sends credentials",
  404: '; there is no file of this name',
  407: '; proxies are not supported',
  429: '; it is asked too often',
  503: '; it may answer later'
}

/** The status of an answer that has no part of the file, and what to do about it. */
export const statusReason = ({ status, statusText }: Pick<Response, 'status' | 'statusText'>): string =>
  `the server answers ${[status, statusText].join(' ').trim()}${advice[status] ?? ''}`
