/** The documents of all chapters: every script, by clause. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { type Script, scriptsOf } from './document.js'

const folder = fileURLToPath(new URL('../../../spec/clauses/', import.meta.url))

/** A script, and the document that it is from. */
export interface Placed extends Script {
  readonly document: string
}

/** The scripts of all documents in the order of their names; a document with a wrong form throws. */
export const allScripts = (): readonly Placed[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .flatMap((name) => {
      const scripts = scriptsOf(readFileSync(join(folder, name), 'utf8'))
      if (E.isLeft(scripts)) throw new Error(`${name}: ${scripts.left}`)
      return scripts.right.map((script) => ({ ...script, document: name }))
    })
