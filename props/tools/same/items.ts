/** Everything that both commits are asked, in batches of about the same work. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { hostileItems, imageItems } from './images.js'
import { lineItems } from './lines.js'
import type { Item } from './protocol.js'
import { scriptAt } from './scripts.js'
import type { Batch } from './side.js'

export interface Wanted {
  readonly images: number
  readonly scripts: number
  readonly seed: number
}

/** With fewer images than this, the hostile ones are left out, which take as long as thousands of others. */
const many = 5000

function* everyImage({ images, seed }: Wanted, folder: string): Generator<Item> {
  let id = 0
  const special = images === 0 ? [] : [...lineItems(seed), ...(images < many ? [] : hostileItems(folder))]
  for (const item of special.slice(0, images)) yield { ...item, id: id++ }
  for (const item of imageItems(images - id, seed)) yield { ...item, id: id++ }
}

function* everyScript({ scripts, seed }: Wanted): Generator<Item> {
  for (let n = 0; n < scripts; n++)
    yield { kind: 'script', id: n, recipe: `script ${n} of seed ${seed}`, script: scriptAt(seed, n) }
}

/** A batch that is being filled. */
class Filling {
  readonly ids: number[] = []
  private readonly fd: number

  constructor(readonly path: string) {
    this.fd = openSync(path, 'w')
  }

  add(item: Item): void {
    this.ids.push(item.id)
    writeSync(this.fd, `${JSON.stringify(item)}\n`)
  }

  end(): Batch {
    closeSync(this.fd)
    return { path: this.path, ids: this.ids }
  }
}

const dealt = (items: Iterable<Item>, parts: number, folder: string, name: string): readonly Batch[] => {
  const all = Array.from({ length: parts }, (_, i) => new Filling(join(folder, `${name}-${i}.jsonl`)))
  let n = 0
  for (const item of items) all[n++ % parts]?.add(item)
  return all.map((each) => each.end()).filter(({ ids }) => ids.length > 0)
}

/** The batches: images in `parts` files, scripts in one. */
export const batches = (wanted: Wanted, parts: number, folder: string): readonly Batch[] => [
  ...dealt(everyImage(wanted, folder), parts, folder, 'images'),
  ...dealt(everyScript(wanted), 1, folder, 'scripts')
]
