/** `qcow2 map --bitmap`: what a dirty bitmap says of the guest disk. */
import * as E from 'fp-ts/lib/Either.js'
import { equal, fromText } from '../../bytes/octets.js'
import { type DirtyRange, dirtyRanges } from '../../image/guest/bitmap-ranges.js'
import { fail, ok, stop, writer } from '../files/output.js'
import { refusalLine, usableIn, withSource } from '../images/usable.js'
import { hex } from './map.js'
import { run } from '../files/world.js'

const line = (r: DirtyRange): string => `{ "start": ${r.start}, "length": ${r.length}, "dirty": ${r.dirty}}`

/** Lines for people: dirty ranges only. */
const row = (r: DirtyRange): string => (r.dirty ? `${hex(r.start).padEnd(16)}${hex(r.length)}\n` : '')

/** The command. */
export const bitmapCommand = (name: string, bitmap: string, output: 'human' | 'json'): Promise<number> =>
  withSource(name, async ({ world }) => {
    const read = await usableIn(name, world)
    if (E.isLeft(read)) return fail(read.left)
    const m = read.right
    const found = m.bitmaps.find((b) => equal(b.name, fromText(bitmap)))
    if (found === undefined) return fail(`'${name}' has no bitmap '${bitmap}'`)
    const out = writer(stop)
    const json = output === 'json'
    let lines = 0
    out.put(json ? '[' : `${'Offset'.padEnd(16)}Length\n`)
    const done = await run(
      world,
      () => dirtyRanges(m, m.geometry, found),
      (r) => {
        out.put(json ? `${lines === 0 ? '' : ',\n'}${line(r)}` : row(r))
        lines++
      }
    )
    if (E.isRight(done) && json) out.put(']\n')
    out.end()
    return E.isLeft(done) ? fail(refusalLine(name, done.left)) : ok
  })
