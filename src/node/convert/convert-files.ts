/** `qcow2 convert` of any disks into any file: an image or a raw file, a new one or with -n one that is there. */
import * as E from 'fp-ts/lib/Either.js'
import { showFailure } from '../../bytes/run-async.js'
import { chainSize } from '../../image/guest/chain.js'
import { fail, ok } from '../files/output.js'
import { convertToNew, type NewWords } from './convert-qcow2.js'
import { added, allMarked, type Marked, sizesDiffer } from '../images/copy-bitmaps.js'
import { reason } from '../files/file.js'
import { openChain, type OpenChain, type OpenOptions } from '../images/open.js'

/** What the command line says beside the names and what is opened. */
export interface ConvertWords extends NewWords {
  readonly out: 'raw' | 'qcow2'
  /** Whether the output is there. */
  readonly over: boolean
  /** Whether the output holds zeros only. */
  readonly targetIsZero: boolean
  /** Whether those in use are left out; else they are refused. */
  readonly skipBrokenBitmaps: boolean
}

/** Takes over dirty bitmaps; tells why it cannot. */
const addBitmaps = async (out: string, marked: readonly Marked[]): Promise<string | undefined> => {
  if (marked.length === 0) return undefined
  const { openForWriting } = await import('../images/open-writing.js')
  const open = await openForWriting(out, { alone: true })
  if (E.isLeft(open)) return open.left
  const { session, close } = open.right
  try {
    const disk = chainSize(session.chain)
    const other = marked.find(({ size }) => size !== disk)
    if (other !== undefined) return `Failed to copy the bitmap '${other.name}': ${sizesDiffer(disk, other)}`
    const done = session.all(marked.flatMap(added))
    if (E.isLeft(done)) return `Failed to copy the bitmaps: ${showFailure(done.left.issues)}`
    session.end()
    return undefined
  } finally {
    close()
  }
}

/** Writes over what is there, or a raw file. What locks files is loaded only for this. */
const convertInto = async (
  inputs: readonly OpenChain[],
  out: string,
  options: OpenOptions,
  words: ConvertWords
): Promise<string | undefined> => {
  const { convertOver, convertToRaw } = await import('./convert-into.js')
  return words.over ? convertOver(inputs, out, words.out, options.allow, words) : convertToRaw(inputs, out, words)
}

/** Makes the output from inputs that are open; tells why it cannot be made. */
const convertAll = async (
  inputs: readonly OpenChain[],
  out: string,
  options: OpenOptions,
  words: ConvertWords
): Promise<string | undefined> => {
  const [first] = inputs
  const marked =
    words.bitmaps && first !== undefined
      ? await allMarked(first.names[0] ?? '', first.world, words.skipBrokenBitmaps)
      : E.right([])
  if (E.isLeft(marked)) return marked.left
  const failed = await (words.over || words.out === 'raw'
    ? convertInto(inputs, out, options, words)
    : convertToNew(inputs, out, words))
  return failed ?? (await addBitmaps(out, marked.right))
}

/** The command. A new file appears under its name when it is whole. */
export const convertFiles = async (
  names: readonly string[],
  out: string,
  options: OpenOptions,
  words: ConvertWords
): Promise<number> => {
  const inputs: OpenChain[] = []
  try {
    for (const name of names) {
      const open = await openChain(name, options)
      if (E.isLeft(open))
        return fail(open.left.endsWith('[OPEN-01]') ? `${open.left}; -f raw takes it as it is` : open.left)
      inputs.push(open.right)
    }
    const failed = await convertAll(inputs, out, options, words)
    return failed === undefined ? ok : fail(failed)
  } catch (error) {
    return fail(`error while writing '${out}': ${reason(error)}`)
  } finally {
    for (const input of inputs) input.close()
  }
}
