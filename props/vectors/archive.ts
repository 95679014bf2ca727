/** The vectors as plain files in a tar, for those without Node. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { corpusFolder } from '../../corpus/load.js'
import { expectedOfReader } from '../../src/node/conform/outcome.js'
import { writeFiles } from '../../src/node/conform/suite.js'
import type { Vector } from '../../src/node/conform/vector.js'
import { right } from '../image/world.js'

const columns = ['id', 'result', 'length', 'sha256', 'clauses', 'title'] as const

/** A line for each vector that a reader is asked about. */
export const tableOf = (vectors: readonly Vector[]): string =>
  [
    columns,
    ...vectors.flatMap((v) => {
      const expected = expectedOfReader(v)
      const { length = 0, sha256 = '-' } = expected?.disk ?? {}
      const result = expected?.disk === undefined ? 'invalid' : v.result
      return expected === undefined ? [] : [[v.id, result, length, sha256, v.clauses.join(','), v.title]]
    })
  ]
    .map((cells) => `${cells.join('\t')}\n`)
    .join('')

/** Writes a folder with the table, the runners, and a folder of files for each vector. */
export const writeFolder = (vectors: readonly Vector[], folder: string): void => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'vectors.tsv'), tableOf(vectors))
  for (const file of ['vectors.json', 'schema.json', 'run.py', 'run.c'])
    copyFileSync(join(corpusFolder, 'vectors', file), join(folder, file))
  for (const vector of vectors) right(writeFiles(vector, join(folder, vector.id)))
}

/** Writes a tar of them, the same for the same vectors. */
export const writeArchive = (vectors: readonly Vector[], file: string): void => {
  const root = mkdtempSync(join(tmpdir(), 'qcow2-vectors-'))
  writeFolder(vectors, join(root, 'vectors'))
  const same = [
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=u=rwX,go=rX',
    '--sparse'
  ]
  const { status, stderr } = spawnSync('tar', ['-C', root, ...same, '-czf', resolve(file), 'vectors'], {
    encoding: 'utf8'
  })
  rmSync(root, { recursive: true })
  if (status !== 0) throw new Error(stderr)
}
