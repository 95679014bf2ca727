/** A copy of the compiled program that counts its edges, in the user's cache; `dist` stays as it is. */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { curated } from '../mutants/curated/index.js'
import { compile, mutate } from '../mutants/mutate.js'
import { cacheFolder } from '../run/qemus.js'
import { capacity } from './edges.js'
import { instrument } from './instrument.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The folder of everything that the harness keeps. */
export const fuzzCache = join(cacheFolder, 'fuzz')

const edgesModule = 'props/fuzz/edges.js'

/** Whether the edges of a file are counted: the shell and the explorer are not fuzzed. */
const isCounted = (file: string): boolean => /^src\/(?!node\/|explorer\/).*\.js$/.test(file)

/** The JavaScript of every compiled file; that of a mutant if one is named. */
const programOf = (mutant: string | undefined): ReadonlyMap<string, string> => {
  const dist = join(root, 'dist')
  const files = new Map(
    ['corpus', 'props', 'spec', 'src'].flatMap((folder) =>
      readdirSync(join(dist, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.js'))
        .map((name) => [`${folder}/${name}`, readFileSync(join(dist, folder, name), 'utf8')] as const)
    )
  )
  if (mutant === undefined) return files
  const found = curated.find(({ name }) => name === mutant)
  if (found === undefined) throw new Error(`no mutant has the name ${mutant}`)
  const mutated = mutate(readFileSync(join(root, 'src', found.file), 'utf8'), found)
  if (E.isLeft(mutated)) throw new Error(mutated.left)
  return files.set(`src/${found.file.replace(/\.ts$/, '.js')}`, compile(mutated.right))
}

const write = (folder: string, files: ReadonlyMap<string, string>): void => {
  let edges = 0
  for (const [file, code] of files) {
    const path = join(folder, 'dist', file)
    mkdirSync(dirname(path), { recursive: true })
    const counted = isCounted(file) ? instrument(code, edges, relative(dirname(file), edgesModule)) : { code, edges: 0 }
    edges += counted.edges
    writeFileSync(path, counted.code)
  }
  if (edges > capacity) throw new Error(`${edges} edges, and room for ${capacity}`)
  for (const name of ['corpus', 'node_modules', 'package.json']) symlinkSync(join(root, name), join(folder, name))
}

const day = 86_400_000

/** Removes copies that nobody has used for a day. */
const tidy = (): void => {
  for (const name of readdirSync(fuzzCache).filter((each) => each.startsWith('program-'))) {
    const path = join(fuzzCache, name)
    if (Date.now() - statSync(path).mtimeMs > day) rmSync(path, { recursive: true, force: true })
  }
}

/** The folder of the copy of the program as it is built now, or of a mutant if one is named. It is made unless it is there. */
export const shadow = (mutant?: string): string => {
  const files = programOf(mutant)
  const hash = createHash('sha256').update(root)
  for (const [file, code] of files) hash.update(`${file}\0${code}\0`)
  const folder = join(fuzzCache, `program-${hash.digest('hex').slice(0, 16)}`)
  mkdirSync(fuzzCache, { recursive: true })
  tidy()
  if (existsSync(folder)) {
    utimesSync(folder, new Date(), new Date())
    return folder
  }
  const making = `${folder}.${process.pid}`
  write(making, files)
  if (existsSync(folder)) rmSync(making, { recursive: true })
  else renameSync(making, folder)
  return folder
}
