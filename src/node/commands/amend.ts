/** `qcow2 amend`: other properties for an image. */
import * as E from 'fp-ts/lib/Either.js'
import { label } from '../../bytes/octets.js'
import { showFailure } from '../../bytes/run-async.js'
import { lastExtension, type Metadata } from '../../image/metadata.js'
import type { AmendOptions } from '../../transition/amend/amend.js'
import type { AnyCommand } from '../../transition/command.js'
import { fail, ok, print } from '../files/output.js'
import { namedValue, wordsOfAll } from '../text/option-list.js'
import { withImage } from '../images/open-writing.js'
import { sizeOf } from '../text/size.js'

/** Options by name; one that is given twice has its last value. */
type Words = ReadonlyMap<string, string>

/** The options that can be amended, and what they are for. */
const known: Readonly<Record<string, string>> = {
  backing_file: 'the present one, with its format, or nothing is amended',
  backing_fmt: 'the format of the present one, with its name, or nothing is amended',
  compat: 'v2 or 0.10, v3 or 1.1',
  data_file: 'name of the external data file',
  data_file_raw: 'off: the external data file need not be the raw disk any more',
  lazy_refcounts: 'on or off',
  refcount_bits: '1, 2, 4, 8, 16, 32 or 64',
  size: 'bytes of the guest disk'
}

/** Options that only a new image takes. @see AM-01 */
const creationOnly: readonly string[] = [
  'cluster_size',
  'compression_type',
  'encrypt.format',
  'encryption',
  'extended_l2',
  'preallocation',
  'extent_size_hint'
]

/** `name=value`; a name alone is on, and with `no` before it off. */
const namedBy = (words: readonly string[]): Words =>
  new Map(
    words.map((word): readonly [string, string] => {
      const [name, value] = namedValue(word)
      if (value !== undefined) return [name, value]
      const off = /^no(?=.)/.test(name) && !(name in known)
      return off ? [name.slice(2), 'off'] : [name, 'on']
    })
  )

const versions: ReadonlyMap<string, 2 | 3> = new Map([
  ['0.10', 2],
  ['v2', 2],
  ['1.1', 3],
  ['v3', 3]
])

const onOff = (words: Words, name: string): E.Either<string, boolean | undefined> => {
  const value = words.get(name)
  if (value === undefined) return E.right(undefined)
  return value === 'on' || value === 'off'
    ? E.right(value === 'on')
    : E.left(`Parameter '${name}' expects 'on' or 'off'`)
}

/** An option under its own name, where it is given. */
const some = <K extends string, A>(key: K, value: A | undefined): Readonly<Partial<Record<K, A>>> => {
  const out: Partial<Record<K, A>> = {}
  if (value !== undefined) out[key] = value
  return out
}

const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : label(bytes))

/** What the words ask of this image. A backing file is named with its format, or not at all. */
const optionsOf = (words: Words, m: Metadata): E.Either<string, AmendOptions> => {
  for (const name of words.keys()) {
    if (creationOnly.includes(name))
      return E.left(`Invalid parameter '${name}': this option is only supported for image creation`)
    if (!(name in known)) return E.left(`Invalid parameter '${name}'`)
  }
  const compat = words.get('compat')
  const version = versions.get(compat ?? '')
  if (compat !== undefined && version === undefined) return E.left(`Unknown compatibility level ${compat}`)
  const bits = words.get('refcount_bits')
  const order = [1, 2, 4, 8, 16, 32, 64].findIndex((n) => String(n) === bits)
  if (bits !== undefined && order === -1)
    return E.left('Refcount width must be a power of two and may not exceed 64 bits')
  const [lazy, raw] = [onOff(words, 'lazy_refcounts'), onOff(words, 'data_file_raw')]
  if (E.isLeft(lazy)) return lazy
  if (E.isLeft(raw)) return raw
  const [backing, format] = [words.get('backing_file'), words.get('backing_fmt')]
  const named = backing !== undefined || format !== undefined
  if (named && (backing !== text(m.backingName) || format !== text(lastExtension(m.extensions, 'BackingFormat')?.data)))
    return E.left("Cannot amend the backing file: 'rebase' changes it")
  const dataFile = { ...some('name', words.get('data_file')), ...some('raw', raw.right) }
  return E.right({
    ...some('version', version),
    ...some('refcountOrder', bits === undefined ? undefined : order),
    ...some('lazyRefcounts', lazy.right),
    ...(words.has('data_file') || raw.right !== undefined ? { dataFile } : {})
  })
}

/** The size comes behind everything but the step to version 2. @see AM-01 */
const commandsOf = ({ version, ...o }: AmendOptions, size: number | undefined): readonly AnyCommand[] => [
  { _tag: 'Amend', options: version === 3 ? { ...o, version } : o },
  ...(size === undefined ? [] : [{ _tag: 'Resize' as const, size }]),
  ...(version === 2 ? [{ _tag: 'Amend' as const, options: { version } }] : [])
]

/** The command. */
export const amend = async (image: string, texts: readonly string[], allow: readonly string[]): Promise<number> => {
  if (texts.length === 0) return fail('Must specify options (-o)')
  const list = wordsOfAll(texts)
  if (E.isLeft(list)) return fail(list.left)
  const words = namedBy(list.right)
  if (words.has('help') || words.has('?')) {
    print(['Amend options:', ...Object.entries(known).map(([name, about]) => `  ${name} - ${about}`), ''].join('\n'))
    return ok
  }
  const wanted = words.get('size')
  const size = wanted === undefined ? undefined : sizeOf(wanted)
  if (size !== undefined && E.isLeft(size)) return fail(`Parameter 'size' expects a non-negative number below 2^64`)
  return withImage(image, { allow }, (session) => {
    const options = optionsOf(words, session.opened.metadata)
    if (E.isLeft(options)) return fail(options.left)
    const done = session.all(commandsOf(options.right, size?.right))
    return E.isRight(done) ? ok : fail(`Could not amend '${image}': ${showFailure(done.left.issues)}`)
  })
}
