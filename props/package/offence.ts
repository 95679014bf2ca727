/** What is wrong with the imports of a source: the table of rooms, pure folders, declared dependencies. */
import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isObject } from '../../src/bytes/json.js'
import { type Import, importsOf, sourceOf } from '../run/imports.js'
import { below, type Room, roomOf } from './rooms.js'

/** The folder of the package. */
export const root = fileURLToPath(new URL('../../..', import.meta.url))

export const lies = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const namesIn = (key: 'dependencies' | 'devDependencies'): readonly string[] =>
  isObject(manifest) && isObject(manifest[key]) ? Object.keys(manifest[key]) : []
const dependencies = namesIn('dependencies')
const ofBuild = namesIn('devDependencies')
export const packageOf = (from: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from

/** What is wrong with an import of a package or of Node, if anything. */
const foreignOffence = (path: string, room: Room, from: string): string | undefined => {
  if (/^(fp|io)-ts\//.test(from) && !/^(fp|io)-ts\/lib\/.+\.js$/.test(from))
    return `${from} does not load in plain node`
  if (from.startsWith('node:') || builtinModules.includes(from))
    return room.effects === true ? undefined : `${from} is not for a pure folder`
  const published = lies(path, 'src') || lies(path, 'spec')
  const declared = room.built === true ? [...dependencies, ...ofBuild] : dependencies
  return published && !declared.includes(packageOf(from)) ? `${from} is not a declared dependency` : undefined
}

/** What is wrong with one import, if anything. */
export const offence = (path: string, { from, typeOnly }: Import): string | undefined => {
  const room = roomOf(path)
  if (room === undefined) return 'lies in no room'
  if (!from.startsWith('.')) return foreignOffence(path, room, from)
  const target = sourceOf(path, from)
  const other = roomOf(target)
  if (other !== room && (other === undefined || !below(room).has(other.name)))
    return `${room.name} may not import ${target}`
  const valueOfSpec = lies(path, 'src') && lies(target, 'spec') && !typeOnly
  return valueOfSpec && !lies(target, 'spec/clauses') ? `from ${target}, src may import types only` : undefined
}

/** The circles among files: each as the files on it, in the order in which they import each other. */
export const circles = (importedBy: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] => {
  const found: (readonly string[])[] = []
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) found.push(way.slice(way.indexOf(path)))
    if (done.has(path)) return
    done.add(path)
    for (const next of importedBy.get(path) ?? []) visit(next, [...way, path])
  }
  for (const path of importedBy.keys()) visit(path, [])
  return found
}

export const offences = (path: string, text: string): readonly string[] =>
  importsOf(path, text).flatMap((each) => offence(path, each) ?? [])
