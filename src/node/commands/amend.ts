/** `qcow2 amend`: other properties for an image. */
import * as E from 'fp-ts/lib/Either.js'
import { label } from '../../bytes/octets.js'
import { showFailure } from '../../bytes/run-async.js'
import { lastExtension, type Metadata } from '../../image/metadata.js'
import type { AmendOptions } from '../../transition/amend/amend.js'
import type { AnyCommand } from '../../transition/command.js'
import { fail, ok, print } from '../files/output.js'
import { badRefcountWidth, isRefcountOrder } from '../text/create-options.js'
import { type ImageOptions, optionValues, versions } from '../text/image-options.js'
import { asksForHelp, optionsOfAll } from '../text/option-list.js'
import { withImage } from '../images/open-writing.js'

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

/** An option under its own name, where it is given. */
const some = <K extends string, A>(key: K, value: A | undefined): Readonly<Partial<Record<K, A>>> => {
  const out: Partial<Record<K, A>> = {}
  if (value !== undefined) out[key] = value
  return out
}

const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : label(bytes))

/** The options by name, the last of several with one name; the message for one that is not amended, or malformed. */
const valuesOf = (lists: readonly string[]): E.Either<string, ImageOptions> => {
  const given = optionsOfAll(lists)
  if (E.isLeft(given)) return given
  for (const [name] of given.right) {
    if (creationOnly.includes(name))
      return E.left(`Invalid parameter '${name}': this option is only supported for image creation`)
    if (!(name in known)) return E.left(`Invalid parameter '${name}'`)
  }
  return optionValues(new Map(given.right))
}

/** What the options ask of this image. A backing file is named with its format, or not at all. */
const amendOptions = (options: ImageOptions, m: Metadata): E.Either<string, AmendOptions> => {
  const { compat, refcount_bits: bits, backing_file: backing, backing_fmt: format } = options
  const version = versions.get(compat ?? '')
  if (compat !== undefined && version === undefined) return E.left(`Unknown compatibility level ${compat}`)
  const order = bits === undefined ? undefined : Math.log2(bits)
  if (order !== undefined && !isRefcountOrder(order)) return E.left(badRefcountWidth)
  const named = backing !== undefined || format !== undefined
  if (named && (backing !== text(m.backingName) || format !== text(lastExtension(m.extensions, 'BackingFormat')?.data)))
    return E.left("Cannot amend the backing file: 'rebase' changes it")
  const dataFile = { ...some('name', options.data_file), ...some('raw', options.data_file_raw) }
  return E.right({
    ...some('version', version),
    ...some('refcountOrder', order),
    ...some('lazyRefcounts', options.lazy_refcounts),
    ...(Object.keys(dataFile).length > 0 ? { dataFile } : {})
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
  if (asksForHelp(texts)) {
    print(['Amend options:', ...Object.entries(known).map(([name, about]) => `  ${name} - ${about}`), ''].join('\n'))
    return ok
  }
  const values = valuesOf(texts)
  if (E.isLeft(values)) return fail(values.left)
  const { size } = values.right
  return withImage(image, { allow }, (session) => {
    const options = amendOptions(values.right, session.opened.metadata)
    if (E.isLeft(options)) return fail(options.left)
    const done = session.all(commandsOf(options.right, size === undefined ? undefined : Number(size)))
    return E.isRight(done) ? ok : fail(`Could not amend '${image}': ${showFailure(done.left.issues)}`)
  })
}
