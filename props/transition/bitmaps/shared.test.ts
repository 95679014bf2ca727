/** Bitmaps that share clusters: QEMU stores each to clusters of its own, and nothing here marks two at once. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import type { Command } from '../../../spec/disk.js'
import { suite } from '../../run/suite.js'
import { countsOf, type Machine, machineOf, newMachine, perhaps, right } from '../model/machine.js'

const test = suite('shared bitmaps')

const write = (at: number) => ({ _tag: 'Write', at, bytes: new Uint8Array(512).fill(1) }) as const
const add = (name: string, enabled: boolean) => ({ _tag: 'BitmapAdd', name, granularity: 65_536, enabled }) as const

/** The clause over which a write at a guest byte is refused. */
const refusal = (image: Uint8Array, m: Machine, at: number): string | undefined => {
  const result = perhaps(machineOf({ ...m.files, image }), write(at))
  return E.isLeft(result) ? result.left[0]?.clause : undefined
}

test('a write is refused where it would mark a bitmap that shares a cluster, and done where all is marked', () => {
  const commands: readonly Command[] = [add('a', true), write(0), add('c', false)]
  const m = commands.reduce<Machine>((n, c) => right(perhaps(n, c)), newMachine({ size: 1_048_576 }))
  const { bitmaps, header } = m.opened.metadata
  const [a, c] = bitmaps.map((b) => Number(b.bitmapTableOffset))
  const image = m.files.image.slice()
  const word = new DataView(image.buffer)
  const block = Number(word.getBigUint64(Number(header.refcountTableOffset)))
  const setRefcount = (at: number, refcount: number): void => word.setUint16(block + 2 * (at / 65_536), refcount)
  const bits = Number(word.getBigUint64(a ?? 0))
  word.setBigUint64(c ?? 0, BigInt(bits))
  setRefcount(bits, 2)
  assert.equal(countsOf({ ...m.files, image }), countsOf(m.files))
  assert.equal(
    [524_288, 0].map((at) => refusal(image, m, at)),
    ['BMP-13', undefined]
  )
  word.setBigUint64(a ?? 0, 0n)
  setRefcount(bits, 1)
  setRefcount(a ?? 0, 2)
  assert.is(refusal(image, m, 0), 'BMP-13')
})

test.run()
