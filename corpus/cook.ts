/** Makes one image of the corpus from its recipe, in a folder of its own that is gone afterwards. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { ask, type Expect } from './expect.js'
import { imageName, type Recipe } from './recipe.js'
import { run } from './run.js'

/** An image and its companions by the names they are kept under, and what qemu-img says about it. */
export interface Cooked {
  readonly expect: Expect
  readonly files: ReadonlyMap<string, Buffer>
}

const cookIn = async (folder: string, recipe: Recipe): Promise<E.Either<string, Cooked>> => {
  const done = await run(folder, recipe.steps)
  if (E.isLeft(done)) return done
  const kept = [imageName, ...(recipe.companions ?? [])]
  const missing = kept.find((file) => !existsSync(join(folder, file)))
  if (missing !== undefined) return E.left(`made no ${missing}`)
  const said = await ask(folder, recipe)
  const { exit, stderr } = said.check
  if (exit !== recipe.check) return E.left(`check exits ${exit}, not ${recipe.check}: ${stderr}`)
  const names = kept.map((file) => [file, `${recipe.name}${file === imageName ? '.qcow2' : `+${file}`}.gz`] as const)
  return E.right({
    expect: { ...said, files: Object.fromEntries(names) },
    files: new Map(names.map(([file, name]) => [name, readFileSync(join(folder, file))]))
  })
}

/** Fails with the step that did not come out, or when `qemu-img check` exits with another code than the recipe says. */
export const cook = async (recipe: Recipe): Promise<E.Either<string, Cooked>> => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-corpus-'))
  const cooked = await cookIn(folder, recipe)
  rmSync(folder, { recursive: true })
  return cooked
}
