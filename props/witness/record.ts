/** What is kept of runs on QEMUs that a machine may not have: which scripts held for which exact version. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import type { Qemu } from '../run/qemus.js'
import type { Script } from './document.js'
import type { Played } from './worker.js'

const path = fileURLToPath(new URL('../../../corpus/witnesses.json', import.meta.url))

/** For the digest of each script the exact versions of QEMU for which it held. */
const Records = t.record(t.string, t.readonlyArray(t.string))
export type Records = t.TypeOf<typeof Records>

/** The digest of a script: of its lines and its control, wherever in the document it is. */
export const digestOf = ({ clause, lines, control }: Script): string =>
  `${clause} ${createHash('sha256')
    .update(JSON.stringify([lines, control]))
    .digest('base64url')
    .slice(0, 12)}`

/** The records that are kept. */
export const kept = (): Records => {
  if (!existsSync(path)) return {}
  const records: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (!Records.is(records)) throw new Error(`${path} has another form`)
  return records
}

/** Adds what held to the records, and forgets scripts that are no longer in the documents. */
export const record = (played: readonly Played[], scripts: readonly Script[], qemus: readonly Qemu[]): void => {
  const before = kept()
  const rows = scripts.map((script, index) => {
    const now = played.flatMap((one) => {
      const version = qemus.find(({ series }) => series === one.party)?.version
      return one.script === index && one.outcome._tag === 'Held' && version !== undefined ? [version] : []
    })
    const digest = digestOf(script)
    return [digest, [...new Set([...(before[digest] ?? []), ...now])].sort()] as const
  })
  const lines = rows.map((row) => `  ${JSON.stringify(row[0])}: ${JSON.stringify(row[1])}`)
  writeFileSync(path, `{\n${lines.join(',\n')}\n}\n`)
}
