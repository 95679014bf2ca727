/** `qcow2 map`: where the guest bytes are, or which of them a dirty bitmap marks. */
import * as E from 'fp-ts/lib/Either.js'
import { digits, inexact, isExactRange } from '../../bytes/exact.js'
import { textOfLines } from '../../bytes/octets.js'
import type { Plan } from '../../bytes/plan.js'
import { type DirtyRange, dirtyRanges } from '../../image/guest/bitmap-ranges.js'
import { map as mapPlan, type MapEntry, mapEntryText } from '../../image/guest/map.js'
import { type CommandError, type Failed, failure, get, using, wait } from '../command-error.js'
import { openPlace } from '../files/file.js'
import { readAccess, type ReadAccess } from '../files/lock.js'
import { textWriter } from '../files/output.js'
import { type RemoteOptions, run, type Source } from '../files/source.js'
import { keepVersion } from '../images/below.js'
import type { ImageNode } from '../images/image-node.js'
import { keepKey } from '../images/key.js'
import { openImage, type OpenOptions } from '../images/open.js'
import { bitmapNamed, openableMetadata } from '../images/openable-metadata.js'
import { hex } from '../text/numbers.js'
import { byteSize } from '../text/values.js'
import { command, option, optional, orElse, text } from './command.js'
import { allow, forceShare, image, likeNewer, output, remote, snapshot } from './options.js'

/** A number as qemu-img prints it here. */
const offset = (n: number): string => (n === 0 ? '0' : hex(n))

const column = (text: string): string => text.padEnd(16)

/** How a list is printed: as JSON, or as rows below a heading. */
interface Listing<W> {
  readonly isJson: boolean
  readonly heading: string
  /** An entry as text; empty where it is left out. */
  readonly textOf: (entry: W) => string
}

/** Prints what a plan emits, as far as it gets. */
const printList = async function* <W>(
  image: Pick<Source, 'name' | 'world'>,
  plan: () => Plan<void, W>,
  { isJson, heading, textOf }: Listing<W>
): AsyncGenerator<Failed, void> {
  const { put, end } = textWriter()
  let separator = ''
  const print = (entry: W): E.Either<CommandError, void> => {
    const text = textOf(entry)
    if (text === '') return E.right(undefined)
    const separated = separator + text
    if (isJson) separator = ',\n'
    return put(separated)
  }
  yield* get(put(isJson ? '[' : `${heading}\n`))
  const printed = await run(image, plan, print)()
  if (E.isRight(printed) && isJson) yield* get(put(']\n'))
  yield* get(end())
  yield* get(printed)
}

/** The part of an entry that lies in a range of guest bytes. */
const within = (e: MapEntry, from: number, to: number): MapEntry => {
  const start = Math.max(e.start, from)
  const skipped = start - e.start
  return {
    ...e,
    start,
    length: Math.min(e.start + e.length, to) - start,
    ...(e.offset === undefined ? {} : { offset: e.offset + skipped })
  }
}

/** The range of guest bytes that is printed. */
interface Part {
  readonly from: number
  readonly to: number
}

/** How the entries are printed. */
interface Form {
  readonly isJson: boolean
  /** Whether each states if it is compressed. */
  readonly compressed: boolean
}

/** Rows are those of allocated data alone, as qemu-img has them, up to the first that is not in the file as it is. */
const mapOf = (
  image: ImageNode,
  options: OpenOptions,
  { from, to }: Part,
  { isJson, compressed }: Form
): AsyncGenerator<Failed, void> =>
  using(openImage(image, options), async function* (open) {
    const seen = { opaque: false }
    const row = (e: MapEntry): string => {
      seen.opaque ||= e.data && e.offset === undefined
      if (seen.opaque || !e.data || e.zero) return ''
      const columns = [e.start, e.length, e.offset ?? 0].map((n) => column(offset(n)))
      return textOfLines([columns.join('') + (open.holders[e.depth] ?? '')])
    }
    const textOf = (whole: MapEntry): string => {
      const e = within(whole, from, to)
      if (e.length <= 0 && whole.length > 0) return ''
      return isJson ? mapEntryText(e) : row(e)
    }
    const heading = ['Offset', 'Length', 'Mapped to'].map(column).join('') + 'File'
    yield* printList(open, () => mapPlan(open.chain, { compressed }), { isJson, heading, textOf })
    if (seen.opaque)
      yield* get(failure('File contains external, encrypted or compressed clusters.', { file: image.file.name }))
  })

/** Rows are those of dirty ranges alone. */
const bitmapOf = (
  image: ImageNode,
  { access, remote }: { readonly access: ReadAccess; readonly remote: RemoteOptions },
  bitmap: string,
  isJson: boolean
): AsyncGenerator<Failed, void> =>
  using(openPlace(image.file, access, remote), async function* (source) {
    const m = yield* wait(openableMetadata(source))
    yield* get(keepVersion(image, m))
    yield* wait(keepKey(source, m, image))
    const found = yield* get(bitmapNamed(source.name, m, bitmap))
    const textOf = ({ start, length, dirty }: DirtyRange): string => {
      if (isJson) return `{ "start": ${digits(start)}, "length": ${digits(length)}, "dirty": ${dirty}}`
      return dirty ? `${column(offset(start))}${offset(length)}\n` : ''
    }
    const heading = `${column('Offset')}Length`
    yield* printList(source, () => dirtyRanges(m, m.geometry, found), { isJson, heading, textOf })
  })

export const map = command({
  args: { image: image('<image>', 'the image', '-f, --format <format>', ['qcow2', 'raw']) },
  options: {
    output,
    allow,
    forceShare,
    remote,
    snapshot: snapshot('--snapshot <id or name>'),
    bitmap: option('--bitmap <name>', 'print which guest bytes a dirty bitmap marks, instead', optional(text)),
    like: likeNewer('with --output=json: print entries'),
    start: option('-s, --start-offset <offset>', 'guest byte to begin at', orElse(byteSize('start offset'), 0)),
    length: option('-l, --max-length <bytes>', 'guest bytes to print', orElse(byteSize('max length'), Infinity))
  },
  async *run(
    { image: named },
    { output: form, allow: folders, snapshot: wanted, bitmap, like, start, length, ...given }
  ) {
    const isJson = form === 'json'
    const isForced = given.forceShare || named.forceShare === true
    if (bitmap === undefined) {
      if (length !== Infinity && !isExactRange(start, length))
        yield* get(failure(inexact(`${digits(start)} and ${digits(length)} bytes`), { file: named.file.name }))
      const options = { allow: folders, snapshot: wanted, forceShare: isForced, remote: given.remote }
      return yield* mapOf(named, options, { from: start, to: start + length }, { isJson, compressed: isJson && like })
    }
    if (named.driver === 'raw') yield* get(failure(`Format driver 'raw' does not support bitmaps`))
    if (wanted !== undefined) yield* get(failure('--bitmap and --snapshot are mutually exclusive'))
    yield* bitmapOf(named, { access: readAccess('qcow2', isForced), remote: given.remote }, bitmap, isJson)
  }
})
