/** `qcow2 amend`: other properties for an image. */
import { lastExtension } from '../../format/extension-area.js'
import * as E from 'fp-ts/lib/Either.js'
import { label } from '../../bytes/octets.js'
import { type Metadata } from '../../image/metadata.js'
import type { AmendOptions } from '../../transition/amend/amend.js'
import type { AnyCommand } from '../../transition/command.js'
import { type CommandError, either, failure, get } from '../command-error.js'
import { percentagesOf } from '../convert/progress.js'
import { print } from '../files/output.js'
import { withImage } from '../images/locked-image.js'
import { inQemuWords } from '../text/create-options.js'
import { type ImageOptions, optionsHelp, optionValues, versions } from '../text/image-options.js'
import { asksForHelp, diskSize, optionsOfAll } from '../text/values.js'
import { command, flag } from './command.js'
import { allow, ignored, image, optionLists } from './options.js'

/** The options that can be amended, and what they are for. */
const amendable: Readonly<Record<string, string>> = {
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

/** The options by name, the last of several with one name. */
const valuesOf = either(function* (lists: readonly string[]) {
  const given = yield* get(optionsOfAll(lists))
  for (const [name] of given) {
    if (creationOnly.includes(name))
      yield* get(failure(`Invalid parameter '${name}': this option is only supported for image creation`))
    if (!Object.hasOwn(amendable, name)) yield* get(failure(`Invalid parameter '${name}'`))
  }
  return yield* get(optionValues(new Map(given)))
})

/** What the options ask of this image. A backing file is named with its format, or not at all. */
const amendOptions = (options: ImageOptions, m: Metadata): E.Either<CommandError, AmendOptions> => {
  const { compat, refcount_bits: bits, backing_file: backing, backing_fmt: format } = options
  const version = versions.get(compat ?? '')
  if (compat !== undefined && version === undefined) return failure(`Unknown compatibility level ${compat}`)
  const order = bits === undefined ? undefined : Math.log2(bits)
  const named = backing !== undefined || format !== undefined
  if (named && (backing !== text(m.backingName) || format !== text(lastExtension(m.extensions, 'BackingFormat')?.data)))
    return failure("Cannot amend the backing file: 'rebase' changes it")
  const dataFile = { ...some('name', options.data_file), ...some('raw', options.data_file_raw) }
  return E.right({
    ...some('version', version),
    ...some('refcountOrder', order),
    ...some('lazyRefcounts', options.lazy_refcounts),
    ...(Object.keys(dataFile).length > 0 ? { dataFile } : {})
  })
}

/** The size comes after everything but the step to version 2. @see AM-01 */
const commandsOf = ({ version, ...o }: AmendOptions, size: number | undefined): readonly AnyCommand[] => [
  { _tag: 'Amend', options: version === 3 ? { ...o, version } : o },
  ...(size === undefined ? [] : [{ _tag: 'Resize' as const, size }]),
  ...(version === 2 ? [{ _tag: 'Amend' as const, options: { version } }] : [])
]

export const amend = command({
  args: { image: image('<image>', 'the image') },
  options: {
    lists: optionLists('properties to change; -o help lists them'),
    progress: flag('-p, --progress', 'print how much is done'),
    allow
  },
  ignored: [ignored['-t'], ignored['-q'], ignored['--force']],
  async *run({ image: named }, { lists, progress, allow: folders }) {
    const { name } = named.file
    if (lists.length === 0) yield* get(failure('Must specify options (-o)'))
    if (asksForHelp(lists)) return yield* get(print(optionsHelp('Amend options:', amendable)))
    const values = yield* get(valuesOf(lists))
    const size = values.size === undefined ? undefined : yield* get(diskSize(values.size))
    const percentages = percentagesOf({ progress })
    yield* withImage(named, { allow: folders }, function* (session) {
      const options = yield* get(amendOptions(values, session.opened.metadata))
      const done = session.all(commandsOf(options, size))
      if (E.isLeft(done)) yield* get(E.left(inQemuWords(`Could not amend '${name}'`, name)(done.left.cause)))
    })
    percentages?.update(100)
    percentages?.end()
  }
})
