/** The kept verdicts: what QEMU said of damaged images, in one compressed file of the corpus. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { PathReporter } from 'io-ts/lib/PathReporter.js'
import { corpusFolder, load } from '../../corpus/load.js'
import { editsOf } from '../../src/bytes/edit.js'
import { right } from '../image/world.js'
import { damagedImage } from './damage.js'
import type { Subject, Verdict } from './verdict.js'

/** Of an image its name, the digest of its bytes, and its damages, each as its edits and the four answers. */
const Kept = t.type({
  qemu: t.string,
  images: t.readonlyArray(
    t.type({
      name: t.string,
      sha256: t.string,
      damages: t.readonlyArray(t.tuple([t.string, t.string, t.string, t.string, t.string]))
    })
  )
})
export type Kept = t.TypeOf<typeof Kept>

export const keptPath = `${corpusFolder}damaged.json.gz`

export const kept = (): Kept => {
  const decoded = Kept.decode(JSON.parse(gunzipSync(readFileSync(keptPath)).toString()))
  if (E.isLeft(decoded)) throw new Error(PathReporter.report(decoded).slice(0, 3).join('\n'))
  return decoded.right
}

/** Whether the `n`-th of many is among a share of them; always for a share of 1. */
const isAmong = (n: number, share: number): boolean => (Math.imul(n, 0x9e37_79b1) >>> 0) / 2 ** 32 < share

/** A share of the damaged images that are kept, by name, with what QEMU said of each. */
export function* eachKept(share = 1): Generator<{
  readonly name: string
  readonly image: Subject
  readonly said: Verdict
}> {
  for (const [i, { name, damages }] of kept().images.entries()) {
    const sound = load(name)
    for (const [number, [edits, check, map, guest, snapshot]] of damages.entries()) {
      if (!isAmong(damages.length * i + number, share)) continue
      yield {
        name: `${name} ${number}, ${edits}`,
        image: damagedImage(sound, right(editsOf(edits))),
        said: { check, map, guest, snapshot }
      }
    }
  }
}
