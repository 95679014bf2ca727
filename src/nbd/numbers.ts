/** The numbers of the NBD protocol, which the shell and the codecs share; the names are the protocol's. */

/** Magic numbers. */
export const magics = {
  /** `NBDMAGIC`. */
  greeting: 0x4e42_444d_4147_4943n,
  /** `IHAVEOPT`. */
  option: 0x4948_4156_454f_5054n,
  optionReply: 0x0003_e889_0455_65a9n,
  request: 0x2560_9513,
  simpleReply: 0x6744_6698,
  chunk: 0x668e_33ef
} as const

/** Flags of the handshake: the same bits of the server and of the client. */
export const handshakeFlags = { fixedNewstyle: 1, noZeroes: 2 } as const

/** Options of the negotiation. */
export const options = {
  exportName: 1,
  abort: 2,
  list: 3,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10
} as const

/** Types of the replies to options; errors have bit 31. */
export const replies = {
  ack: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  unsupported: 2 ** 31 + 1,
  invalid: 2 ** 31 + 3,
  unknown: 2 ** 31 + 6
} as const

/** Types of the information on an export. */
export const infos = { export: 0, name: 1, description: 2, blockSize: 3 } as const

/** Flags of an export. */
export const exportFlags = {
  hasFlags: 1,
  readOnly: 2,
  sendFlush: 4,
  sendFua: 8,
  sendTrim: 32,
  sendWriteZeroes: 64,
  sendDf: 128,
  canMultiConn: 256,
  sendCache: 1024,
  sendFastZero: 2048
} as const

/** Types of the requests. */
export const requests = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  cache: 5,
  writeZeroes: 6,
  blockStatus: 7
} as const

/** Flags of a request. */
export const requestFlags = { fua: 1, noHole: 2, df: 4, reqOne: 8, fastZero: 16 } as const

/** Flags and types of the chunks of a structured reply. */
export const chunks = { done: 1, none: 0, data: 1, hole: 2, blockStatus: 5, error: 32769 } as const

/** Errors of a reply: Linux's numbers. */
export const errors = { perm: 1, io: 5, inval: 22, nospc: 28, notsup: 95 } as const

/** States of an extent of `base:allocation`. */
export const allocation = { hole: 1, zero: 2 } as const

/** Most bytes that one request reads or writes. */
export const maxPayload = 2 ** 25

/** Most bytes of a name or a description. */
export const maxString = 4096

/** Most bytes of the data of an option that this server takes: a name and some hundred queries of the longest. */
export const maxOption = 2 ** 18
