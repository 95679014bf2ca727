/** `qcow2 map`: where the guest bytes are. */
import * as E from 'fp-ts/lib/Either.js'
import { map, type MapEntry, mapEntryText } from '../image/map.js'
import { fail, ok, refusalLine } from './command.js'
import { type OpenOptions, withChain } from './open.js'
import { writer } from './output.js'
import { run } from './world.js'

/** A number as qemu-img prints it here. */
export const hex = (n: number): string => (n === 0 ? '0' : `0x${n.toString(16)}`)

/** Lines for people: allocated data only, as qemu-img has it. */
const row = (e: MapEntry, names: readonly string[]): string =>
  e.data && !e.zero
    ? `${hex(e.start).padEnd(16)}${hex(e.length).padEnd(16)}${hex(e.offset ?? 0).padEnd(16)}${names[e.depth] ?? ''}\n`
    : ''

/** The command. */
export const mapCommand = (name: string, output: 'human' | 'json', options: OpenOptions): Promise<number> =>
  withChain(name, options, async ({ chain, world, names }) => {
    const out = writer()
    const json = output === 'json'
    const seen = { entries: 0, opaque: false }
    out.put(json ? '[' : `${'Offset'.padEnd(16)}${'Length'.padEnd(16)}${'Mapped to'.padEnd(16)}File\n`)
    const tell = (e: MapEntry): void => {
      if (json) out.put(`${seen.entries === 0 ? '' : ',\n'}${mapEntryText(e)}`)
      else if (e.data && e.offset === undefined) seen.opaque = true
      else if (!seen.opaque) out.put(row(e, names))
      seen.entries++
    }
    const done = await run(world, () => map(chain), tell)
    if (E.isRight(done) && json) out.put(']\n')
    out.end()
    if (E.isLeft(done)) return fail(refusalLine(name, done.left))
    return seen.opaque ? fail('File contains external, encrypted or compressed clusters.') : ok
  })
