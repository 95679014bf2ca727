/** Secrets: the passwords of encrypted images, by ids, as `--object secret,id=…` of QEMU's tools defines them. */
import { closeSync, openSync, readSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { isObject } from '../../bytes/json.js'
import { empty, fromText, toText } from '../../bytes/octets.js'
import { type CommandError, either, type Failed, failure, get, keepRules, orError, reason } from '../command-error.js'
import { optionsOf } from '../text/values.js'

/** Passwords by the ids of their secrets. */
export type Secrets = ReadonlyMap<string, Uint8Array>

/** Most bytes of a file with a password. */
const maxSize = 2 ** 23

/** The bytes of a file, which may be a pipe. */
const contents = (fd: number): E.Either<string, Uint8Array> => {
  const bytes = new Uint8Array(maxSize + 1)
  try {
    for (let at = 0; ;) {
      const read = readSync(fd, bytes, at, bytes.length - at, null)
      at += read
      if (at > maxSize) return E.left(`it has more than ${maxSize} bytes`)
      if (read === 0) return E.right(bytes.slice(0, at))
    }
  } finally {
    bytes.fill(0)
    closeSync(fd)
  }
}

const fileContents = (name: string): E.Either<CommandError, Uint8Array> =>
  orError(
    E.mapLeft((why: string) => `Unable to read ${name}: ${why}`)(
      E.flatten(
        E.tryCatch(
          () => contents(openSync(name, 'r')),
          (error) => reason(error)
        )
      )
    )
  )

/** The options of a definition: a list that begins with the type, or JSON. */
const optionsOfDefinition = (definition: string): E.Either<CommandError, ReadonlyMap<string, string>> => {
  if (!definition.startsWith('{'))
    return E.right(new Map(optionsOf(/^[^=,]+(,|$)/.test(definition) ? `qom-type=${definition}` : definition)))
  const json = E.tryCatch(
    (): unknown => JSON.parse(definition),
    () => undefined
  )
  // The reason would quote what is wrong, and so perhaps the password.
  if (E.isLeft(json) || !isObject(json.right)) return failure('Could not parse the JSON of an object')
  const options = new Map<string, string>()
  for (const [name, value] of Object.entries(json.right)) {
    if (typeof value !== 'string') return failure(`Invalid parameter type for '${name}', expected: string`)
    options.set(name, value)
  }
  return E.right(options)
}

const known = ['qom-type', 'id', 'data', 'file', 'format']

/** Fails for options that do not define a secret. */
const keepDefinition = (options: ReadonlyMap<string, string>): E.Either<CommandError, void> => {
  const [type, id, format = 'raw'] = ['qom-type', 'id', 'format'].map((name) => options.get(name))
  const other = [...options.keys()].find((name) => !known.includes(name))
  const isSupported = other !== 'keyid' && other !== 'iv'
  return keepRules([
    [type === undefined, "Parameter 'qom-type' is missing"],
    [type !== 'secret', `Parameter 'qom-type' does not accept value '${type ?? ''}': only secrets are supported`],
    [id === undefined, "Parameter 'id' is missing"],
    [other !== undefined, `Parameter '${other ?? ''}' is ${isSupported ? 'unexpected' : 'not supported'}`],
    [!/^[a-z][\w.-]*$/i.test(id ?? ''), "Parameter 'id' expects an identifier"],
    [format !== 'raw' && format !== 'base64', `Parameter 'format' does not accept value '${format}'`],
    [options.has('data') && options.has('file'), "'file' and 'data' are mutually exclusive"],
    [!options.has('data') && !options.has('file'), "Either 'file' or 'data' must be provided"]
  ])
}

/** A copy in memory that all threads share: a password that is overwritten is so in each of them. */
const shared = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(new SharedArrayBuffer(bytes.length))
  out.set(bytes)
  return out
}

/** The password in the bytes of a secret: as in QEMU, UTF-8 up to the first NUL. */
const passwordOf = either(function* (id: string, given: Uint8Array, isBase64: boolean): Generator<Failed, Uint8Array> {
  const text = toText(given)
  if (isBase64 && (text === undefined || !/^[\w+/=\n]*$/.test(text) || text.includes('_')))
    yield* get(failure(`The data of secret '${id}' are not valid base64`))
  const bytes = isBase64 ? new Uint8Array(Buffer.from(text ?? '', 'base64')) : given
  if (isBase64) given.fill(0)
  if (toText(bytes) === undefined) yield* get(failure(`Data from secret ${id} is not valid UTF-8`))
  const end = bytes.indexOf(0)
  const password = shared(end < 0 ? bytes : bytes.subarray(0, end))
  bytes.fill(0)
  return password
})

const secretOf = either(function* (definition: string): Generator<Failed, readonly [id: string, password: Uint8Array]> {
  const options = yield* get(optionsOfDefinition(definition))
  yield* get(keepDefinition(options))
  const [id = '', data, file, format] = ['id', 'data', 'file', 'format'].map((name) => options.get(name))
  const given =
    data === undefined ? yield* get(file === undefined ? E.right(empty) : fileContents(file)) : fromText(data)
  return [id, yield* get(passwordOf(id, given, format === 'base64'))]
})

/** The secrets that a command line defines, as far as it does so without a fault. */
export class GivenSecrets {
  constructor(readonly secrets: E.Either<CommandError, Secrets> = E.right(new Map())) {}

  /** These, and one more by its definition. */
  and(definition: string): GivenSecrets {
    return new GivenSecrets(
      E.chain((secrets: Secrets) =>
        E.chain(([id, password]: readonly [string, Uint8Array]): E.Either<CommandError, Secrets> =>
          secrets.has(id)
            ? failure(`There are two secrets with id '${id}'`)
            : E.right(new Map([...secrets, [id, password]]))
        )(secretOf(definition))
      )(this.secrets)
    )
  }

  /** Overwrites the passwords. What the command line itself holds of them stays in the memory of the process. */
  wipe(): void {
    if (E.isRight(this.secrets)) for (const password of this.secrets.right.values()) password.fill(0)
  }
}
