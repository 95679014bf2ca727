/** Large images with little in them: only the pieces that somebody asks for are in memory. */
import { openSync, readSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../src/bytes/host-write.js'
import { type Plan, type Read, runSync } from '../../src/bytes/plan.js'
import { portable } from '../../src/compression/decompress.js'
import { type Command, step } from '../../src/transition/command.js'
import type { Step } from '../../src/transition/finish.js'
import { open } from '../../src/transition/open.js'

const pieceSize = 2 ** 16

/** Carries out commands on an image file in memory; the file itself is only read, and each piece of it once. */
export const sparseMachine = (path: string): ((command: Command) => void) => {
  const file = openSync(path, 'r')
  const pieces = new Map<number, Uint8Array>()
  const pieceAt = (p: number): Uint8Array => {
    const there = pieces.get(p)
    if (there !== undefined) return there
    const piece = new Uint8Array(pieceSize)
    readSync(file, piece, 0, pieceSize, p * pieceSize)
    pieces.set(p, piece)
    return piece
  }
  const eachPart = (at: number, length: number, work: (part: Uint8Array, done: number) => void): void => {
    for (let done = 0; done < length;) {
      const within = (at + done) % pieceSize
      const part = pieceAt(Math.floor((at + done) / pieceSize)).subarray(within, within + length - done)
      work(part, done)
      done += part.length
    }
  }
  const read = ({ at, length }: Read): Uint8Array => {
    const out = new Uint8Array(length)
    eachPart(at, length, (part, done) => out.set(part, done))
    return out
  }
  const perform = (w: HostWrite): void => {
    if (w._tag === 'Write')
      eachPart(w.at, w.bytes.length, (part, done) => part.set(w.bytes.subarray(done, done + part.length)))
    if (w._tag === 'Punch') eachPart(w.at, w.length, (part) => part.fill(0))
  }
  const run = (plan: Plan<Step>): Step['next'] => {
    const done = runSync(plan, { read, tell: () => undefined })
    if (E.isLeft(done)) throw new Error(done.left.map((i) => i.message).join('\n'))
    done.right.writes.forEach(perform)
    return done.right.next
  }
  const known = { now: run(open({ backing: [], decompressor: portable })) }
  return (command) => {
    known.now = run(step(known.now, command))
  }
}
