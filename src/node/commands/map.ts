/** `qcow2 map`: where the guest bytes are. */
import * as E from 'fp-ts/lib/Either.js'
import { map, type MapEntry, mapEntryText } from '../../image/guest/map.js'
import { fail, ok, type Printing, stop, writer } from '../files/output.js'
import { refusalLine } from '../images/usable.js'
import { type OpenOptions, withChain } from '../images/open.js'
import { run } from '../files/world.js'

/** A number as qemu-img prints it here. */
export const hex = (n: number): string => (n === 0 ? '0' : `0x${n.toString(16)}`)

/** Lines for people: allocated data only, as qemu-img has it. */
const row = (e: MapEntry, names: readonly string[]): string =>
  e.data && !e.zero
    ? `${hex(e.start).padEnd(16)}${hex(e.length).padEnd(16)}${hex(e.offset ?? 0).padEnd(16)}${names[e.depth] ?? ''}\n`
    : ''

/** What to tell of, and how. */
export interface MapOptions extends Printing, OpenOptions {
  /** Guest byte to begin at, and bytes to go. */
  readonly startOffset: number
  readonly maxLength: number
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

/** The command. */
export const mapCommand = (name: string, options: MapOptions): Promise<number> =>
  withChain(name, options, async ({ chain, world, holders }) => {
    const out = writer(stop)
    const json = options.output === 'json'
    const from = options.startOffset
    const to = from + options.maxLength
    const seen = { entries: 0, opaque: false }
    out.put(json ? '[' : `${'Offset'.padEnd(16)}${'Length'.padEnd(16)}${'Mapped to'.padEnd(16)}File\n`)
    const tell = (whole: MapEntry): void => {
      const e = within(whole, from, to)
      if (e.length <= 0 && whole.length > 0) return
      if (json) out.put(`${seen.entries === 0 ? '' : ',\n'}${mapEntryText(e)}`)
      else if (e.data && e.offset === undefined) seen.opaque = true
      else if (!seen.opaque) out.put(row(e, holders))
      seen.entries++
    }
    const done = await run(world, () => map(chain), tell)
    if (E.isRight(done) && json) out.put(']\n')
    out.end()
    if (E.isLeft(done)) return fail(refusalLine(name, done.left))
    return seen.opaque ? fail('File contains external, encrypted or compressed clusters.') : ok
  })
