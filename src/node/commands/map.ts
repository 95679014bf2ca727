/** `qcow2 map`: where the guest bytes are, or which of them a dirty bitmap marks. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { equal, fromText } from '../../bytes/octets.js'
import type { Plan } from '../../bytes/plan.js'
import { type DirtyRange, dirtyRanges } from '../../image/guest/bitmap-ranges.js'
import { map as mapPlan, type MapEntry, mapEntryText } from '../../image/guest/map.js'
import { type CommandError, failure, get, task, using, wait } from '../command-error.js'
import { openSource } from '../files/file.js'
import { ok, textWriter } from '../files/output.js'
import { run, type Source } from '../files/source.js'
import { openChain, type OpenOptions } from '../images/open.js'
import { openableMetadata } from '../images/openable-metadata.js'
import { byteSize } from '../text/values.js'
import { command, option, optional, orElse, text } from './command.js'
import { allow, ignored, image, output, snapshot } from './options.js'

/** A number as qemu-img prints it here. */
const hex = (n: number): string => (n === 0 ? '0' : `0x${n.toString(16)}`)

const column = (text: string): string => text.padEnd(16)

/** How a list is printed: as JSON, or as rows below a heading. */
interface Listing<W> {
  readonly isJson: boolean
  readonly heading: string
  /** An entry as text; empty where it is left out. */
  readonly textOf: (entry: W) => string
}

/** Prints what a plan emits, as far as it gets. */
const printList = <W>(
  image: Pick<Source, 'name' | 'world'>,
  plan: () => Plan<void, W>,
  { isJson, heading, textOf }: Listing<W>
): TaskEither<CommandError, void> =>
  task(async function* () {
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
  })

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

/** Rows are those of allocated data alone, as qemu-img has them, up to the first that is not in the file as it is. */
const mapOf = (
  name: string,
  options: OpenOptions,
  { from, to }: Part,
  isJson: boolean
): TaskEither<CommandError, number> =>
  using(openChain(name, options), async function* (open) {
    const seen = { opaque: false }
    const row = (e: MapEntry): string => {
      seen.opaque ||= e.data && e.offset === undefined
      if (seen.opaque || !e.data || e.zero) return ''
      return [e.start, e.length, e.offset ?? 0].map((n) => column(hex(n))).join('') + `${open.holders[e.depth] ?? ''}\n`
    }
    const textOf = (whole: MapEntry): string => {
      const e = within(whole, from, to)
      if (e.length <= 0 && whole.length > 0) return ''
      return isJson ? mapEntryText(e) : row(e)
    }
    const heading = ['Offset', 'Length', 'Mapped to'].map(column).join('') + 'File'
    yield* wait(printList(open, () => mapPlan(open.chain), { isJson, heading, textOf }))
    if (seen.opaque) yield* get(failure('File contains external, encrypted or compressed clusters.', { file: name }))
    return ok
  })

/** Rows are those of dirty ranges alone. */
const bitmapOf = (name: string, bitmap: string, isJson: boolean): TaskEither<CommandError, number> =>
  using(openSource(name), async function* (source) {
    const m = yield* wait(openableMetadata(source))
    const found = m.bitmaps.find((b) => equal(b.name, fromText(bitmap)))
    if (found === undefined) return yield* get(failure(`'${name}' has no bitmap '${bitmap}'`, { file: name }))
    const textOf = ({ start, length, dirty }: DirtyRange): string => {
      if (isJson) return `{ "start": ${start}, "length": ${length}, "dirty": ${dirty}}`
      return dirty ? `${column(hex(start))}${hex(length)}\n` : ''
    }
    const heading = `${column('Offset')}Length`
    yield* wait(printList(source, () => dirtyRanges(m, m.geometry, found), { isJson, heading, textOf }))
    return ok
  })

export const map = command({
  name: 'map',
  summary: 'print where the guest bytes are stored, through the backing files',
  args: { image: image('<image>', 'the image') },
  options: {
    output,
    allow,
    snapshot: snapshot('--snapshot <id or name>'),
    bitmap: option('--bitmap <name>', 'print which guest bytes a dirty bitmap marks, instead', optional(text)),
    start: option('-s, --start-offset <offset>', 'guest byte to begin at', orElse(byteSize('start offset'), 0)),
    length: option('-l, --max-length <bytes>', 'guest bytes to print', orElse(byteSize('max length'), Infinity))
  },
  ignored: [ignored['-U']],
  run: ({ image: { name } }, options) =>
    task(async function* () {
      const { allow, snapshot, bitmap, start, length } = options
      const isJson = options.output === 'json'
      if (bitmap !== undefined && snapshot !== undefined)
        yield* get(failure('--bitmap and --snapshot are mutually exclusive'))
      return yield* wait(
        bitmap === undefined
          ? mapOf(name, { allow, snapshot }, { from: start, to: start + length }, isJson)
          : bitmapOf(name, bitmap, isJson)
      )
    })
})
