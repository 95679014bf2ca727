/**
 * `npm run vectors [-- --anew] [-- --tar FILE]`: makes the conformance vectors, corpus/vectors/vectors.json and the images that they start from;
 * with `--tar` an archive of those that are there, as plain files.
 *
 * QEMU is asked about images that are new, or about all with `--anew`, if the versions are the same.
 *
 * Candidates are the images of the corpus, images with one feature each, and sound images with a field changed. What they
 * must be taken for is judged by this package and by every QEMU of this machine; where the two disagree, the candidate is named and left out.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { corpusFolder } from '../../corpus/load.js'
import { qemus } from '../run/qemus.js'
import { candidates } from '../vectors/candidate.js'
import { loadVectors } from '../../src/node/conform/suite.js'
import { type Vector, Vectors } from '../../src/node/conform/vector.js'
import { right } from '../image/world.js'
import { writeArchive } from '../vectors/archive.js'
import { schemaOf } from '../vectors/schema.js'
import { packedBases } from '../vectors/bases.js'
import { chosen } from '../vectors/chosen.js'
import { flags } from '../vectors/flags.js'

const { values } = parseArgs({
  options: {
    anew: { type: 'boolean', default: false },
    tar: { type: 'string' }
  }
})

const installed = qemus()

/** The verdicts that vectors.json has of the same QEMUs, by the digest of the image. */
const knownVerdicts = (): ReadonlyMap<string, Vector['qemu']> => {
  const before = loadVectors()
  const versions = String(installed.map(({ version }) => version).sort())
  const all = values.anew || E.isLeft(before) ? [] : before.right.vectors
  return new Map(
    all
      .filter(({ qemu }) => String(qemu.flatMap((group) => group.versions).sort()) === versions)
      .map(({ sha256, qemu }) => [sha256, qemu])
  )
}

const make = (): void => {
  const known = knownVerdicts()
  const out = join(corpusFolder, 'vectors')
  rmSync(join(out, 'images'), { recursive: true, force: true })
  mkdirSync(join(out, 'images'), { recursive: true })
  for (const [name, bytes] of packedBases()) writeFileSync(join(corpusFolder, name), gzipSync(bytes, { level: 9 }))

  const folder = mkdtempSync(join(tmpdir(), 'qcow2-vectors-'))
  const size = (packed: string): number => statSync(join(corpusFolder, 'images', packed)).size
  const { vectors, left } = chosen(candidates(size), installed, folder, (digest) => known.get(digest))
  rmSync(folder, { recursive: true })

  const lines = vectors.map((vector) => JSON.stringify(vector)).join(',\n')
  writeFileSync(
    join(out, 'vectors.json'),
    `{"format":1,"count":${vectors.length},\n"flags":${JSON.stringify(flags, null, 1)},\n"vectors":[\n${lines}\n]}\n`
  )
  writeFileSync(
    join(out, 'schema.json'),
    `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schemaOf(Vectors) }, null, 1)}\n`
  )
  const count = (result: string): string => `${vectors.filter((v) => v.result === result).length} ${result}`
  console.log(`${vectors.length} vectors: ${['valid', 'invalid', 'acceptable'].map(count).join(', ')}`)
  for (const line of left) console.log(line)
}

if (values.tar === undefined) make()
else writeArchive(right(loadVectors()).vectors, values.tar)
