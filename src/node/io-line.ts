/** Lines of `qcow2 io`: qemu-io's own commands, read and turned into what they ask for. */
import * as E from 'fp-ts/lib/Either.js'

/** What a line asks for. Offsets and lengths are guest bytes. */
export type IoLine =
  | {
      readonly _tag: 'Read'
      readonly at: number
      readonly length: number
      readonly pattern?: number
      readonly dump: boolean
      readonly quiet: boolean
    }
  | {
      readonly _tag: 'Write'
      readonly at: number
      readonly length: number
      readonly pattern: number
      readonly source?: string
      readonly compressed: boolean
      readonly quiet: boolean
    }
  | {
      readonly _tag: 'WriteZeroes'
      readonly at: number
      readonly length: number
      readonly unmap: boolean
      readonly quiet: boolean
    }
  | { readonly _tag: 'Discard'; readonly at: number; readonly length: number; readonly quiet: boolean }
  | { readonly _tag: 'Flush' | 'Length' | 'Quit' | 'Nothing' }

/** The words of a line; double quotes keep spaces within one. */
export const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

/** A number as qemu-io reads it: decimal, octal or hexadecimal, with a suffix b, k, M, G, T, P or E. */
export const bytesOf = (text: string): number | undefined => {
  const match = /^(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*(?:\.[0-9]+)?)([bkmgtpe]?)$/i.exec(text)
  if (match === null) return undefined
  const [, digits = '', suffix = ''] = match
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
  const total = value * 1024 ** Math.max(0, 'bkmgtpe'.indexOf(suffix.toLowerCase()))
  return Number.isSafeInteger(total) ? total : undefined
}

interface Parsed {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  readonly rest: readonly string[]
}

/** Splits options from arguments; letters before a colon take none, those behind it take a value. */
const optionsOf = (words: readonly string[], allowed: string): E.Either<string, Parsed> => {
  const [plain = '', valued = ''] = allowed.split(':')
  const flags = new Set<string>()
  const values = new Map<string, string>()
  const rest: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (!/^-[A-Za-z]/.test(word)) {
      rest.push(word)
      continue
    }
    for (let c = 1; c < word.length; c++) {
      const letter = word.charAt(c)
      if (valued.includes(letter)) {
        const value = word.slice(c + 1) === '' ? words[++i] : word.slice(c + 1)
        if (value === undefined) return E.left(`option requires an argument -- '${letter}'`)
        values.set(letter, value)
        break
      }
      if (!plain.includes(letter)) return E.left(`invalid option -- '${letter}'`)
      flags.add(letter)
    }
  }
  return E.right({ flags, values, rest })
}

const sector = 512

interface Range {
  readonly at: number
  readonly length: number
}

const rangeOf = (name: string, rest: readonly string[]): E.Either<string, Range> => {
  if (rest.length < 2) return E.left(`bad argument count ${rest.length} to ${name}, expected at least 2 arguments`)
  if (rest.length > 2) return E.left(`bad argument count ${rest.length} to ${name}, expected exactly 2 arguments`)
  const [at, length] = [bytesOf(rest[0] ?? ''), bytesOf(rest[1] ?? '')]
  if (at === undefined || length === undefined)
    return E.left(
      `non-numeric ${at === undefined ? 'offset' : 'length'} argument -- ${rest[at === undefined ? 0 : 1] ?? ''}`
    )
  return E.right({ at, length })
}

const patternOf = (text: string | undefined, absent: number): E.Either<string, number> => {
  const value = text === undefined ? absent : bytesOf(text)
  return value === undefined || value > 0xff ? E.left(`${text ?? ''} is not a valid pattern byte`) : E.right(value)
}

const readLine = ({ flags, values }: Parsed, range: Range): E.Either<string, IoLine> =>
  E.map((pattern: number): IoLine => ({
    _tag: 'Read',
    ...range,
    ...(values.has('P') ? { pattern } : {}),
    dump: flags.has('v'),
    quiet: flags.has('q')
  }))(patternOf(values.get('P'), 0))

const aligned = ({ at, length }: Range): E.Either<string, void> => {
  if (at % sector !== 0) return E.left(`${at} is not a sector-aligned value for 'offset'`)
  return length % sector === 0 ? E.right(undefined) : E.left(`${length} is not a sector-aligned value for 'count'`)
}

const writeLine = ({ flags, values }: Parsed, range: Range): E.Either<string, IoLine> => {
  const [zero, compressed, source] = [flags.has('z'), flags.has('c'), values.get('s')]
  const quiet = flags.has('q')
  if (zero && compressed) return E.left('-c and -z cannot be specified at the same time')
  if (flags.has('u') && !zero) return E.left('-u requires -z to be specified')
  if (zero && (values.has('P') || source !== undefined)) return E.left('-z and -P cannot be specified at the same time')
  if (values.has('P') && source !== undefined)
    return E.left('Only one of -z, -P, and -s can be specified at the same time')
  const fits = compressed ? aligned(range) : E.right(undefined)
  if (E.isLeft(fits)) return fits
  if (zero) return E.right({ _tag: 'WriteZeroes', ...range, unmap: flags.has('u'), quiet })
  return E.map((pattern: number): IoLine => ({
    _tag: 'Write',
    ...range,
    pattern,
    ...(source === undefined ? {} : { source }),
    compressed,
    quiet
  }))(patternOf(values.get('P'), 0xcd))
}

const discardLine = ({ flags }: Parsed, range: Range): E.Either<string, IoLine> =>
  E.right({ _tag: 'Discard', ...range, quiet: flags.has('q') })

interface Verb {
  readonly options: string
  readonly line: (parsed: Parsed, range: Range) => E.Either<string, IoLine>
}

const reads: Verb = { options: 'Cqv:P', line: readLine }
const writes: Verb = { options: 'Ccfnpquz:Ps', line: writeLine }
const discards: Verb = { options: 'Cq:', line: discardLine }

/** Commands on a range, by every name that qemu-io gives them. */
const verbs: ReadonlyMap<string, Verb> = new Map([
  ...['read', 'r', 'aio_read'].map((name) => [name, reads] as const),
  ...['write', 'w', 'aio_write'].map((name) => [name, writes] as const),
  ...['discard', 'd'].map((name) => [name, discards] as const)
])

const plain: ReadonlyMap<string, IoLine> = new Map<string, IoLine>([
  ['flush', { _tag: 'Flush' }],
  ['f', { _tag: 'Flush' }],
  ['aio_flush', { _tag: 'Flush' }],
  ['length', { _tag: 'Length' }],
  ['l', { _tag: 'Length' }],
  ['quit', { _tag: 'Quit' }],
  ['q', { _tag: 'Quit' }]
])

/** What a line asks for, or what qemu-io says is wrong with it. */
export const parseLine = (line: string): E.Either<string, IoLine> => {
  const [name, ...args] = wordsOf(line)
  if (name === undefined || name.startsWith('#')) return E.right({ _tag: 'Nothing' })
  const simple = plain.get(name)
  if (simple !== undefined) return E.right(simple)
  const verb = verbs.get(name)
  if (verb === undefined) return E.left(`command "${name}" not found`)
  return E.chain((parsed: Parsed) => E.chain((range: Range) => verb.line(parsed, range))(rangeOf(name, parsed.rest)))(
    optionsOf(args, verb.options)
  )
}
