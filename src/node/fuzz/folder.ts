/** Folders of generated images, with an index beside them. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { editsText } from '../../bytes/edit.js'
import type { JsonObject } from '../../bytes/json.js'
import { companions } from '../../fuzz/assembly.js'
import { drawnChoices } from '../../fuzz/choices.js'
import { type FuzzImage, imageOf } from '../../fuzz/image.js'
import { opening } from '../../fuzz/reading.js'
import { get, system, task } from '../command-error.js'
import { pause } from '../files/partial.js'
import { numbersOf, type Shard } from './shard.js'

/** What is written, and where. */
export interface Generation {
  readonly folder: string
  readonly count: number
  readonly seed: number
  readonly shard: Shard
}

const verdictOf = (image: Uint8Array): JsonObject => {
  const found = opening(image)
  switch (found._tag) {
    case 'Opens':
      return { opens: true }
    case 'Refused':
      return { opens: false, clause: found.clause, why: found.why }
    case 'Unsure':
      return { opens: null, why: found.why }
  }
}

/** A line of the index: the file, what was changed in it and the clauses of that, and whether this package opens it. */
const lineOf = (file: string, { kind, faults, uses, bytes }: FuzzImage): JsonObject => ({
  file,
  kind,
  breaks: faults.map(({ what, clause, edit }) => ({ what, clause, edit: editsText([edit]) })),
  uses: [...uses],
  verdict: verdictOf(bytes)
})

/** Lines of the index that are written at once. */
const batch = 256

/** The name of image `i`. */
const fileName = (i: number): string => `${String(i).padStart(7, '0')}.qcow2`

/** The name of the index of a shard. */
const indexName = ({ shard, shards }: Shard): string =>
  shards === 1 ? 'index.jsonl' : `index-${shard}-of-${shards}.jsonl`

/** Writes images, what they name, and the index; the value is how many images. */
export const writeImages = task(async function* ({ folder, count, seed, shard }: Generation) {
  yield* get(system('create', folder, () => mkdirSync(folder, { recursive: true })))
  for (const [name, bytes] of companions)
    yield* get(system('write', join(folder, name), () => writeFileSync(join(folder, name), bytes)))
  const index = join(folder, indexName(shard))
  const fd = yield* get(system('create', index, () => openSync(index, 'w')))
  let lines = ''
  let written = 0
  try {
    for (const i of numbersOf(shard, count)) {
      const image = imageOf(drawnChoices(seed, i))
      const name = fileName(i)
      yield* get(system('write', join(folder, name), () => writeFileSync(join(folder, name), image.bytes)))
      lines += `${JSON.stringify(lineOf(name, image))}\n`
      if (++written % batch !== 0) continue
      yield* get(system('write', index, () => writeSync(fd, lines)))
      lines = ''
      await pause()
    }
    yield* get(system('write', index, () => writeSync(fd, lines)))
  } finally {
    closeSync(fd)
  }
  return written
})
