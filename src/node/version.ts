/** The version of the package, and those of QEMU that it was last compared with. */
import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

const readJson = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8'))

const Manifest = t.type({ version: t.string })

/** The record of the witnesses: by clause and script, the versions of QEMU that it last ran on. */
const Witnesses = t.record(t.string, t.array(t.string))

const decoded = <A, B>(codec: t.Decoder<unknown, A>, path: string, of: (value: A) => B, otherwise: B): B => {
  const value = codec.decode(readJson(path))
  return E.isRight(value) ? of(value.right) : otherwise
}

/** The version of the package. */
export const packageVersion = (): string => decoded(Manifest, 'package.json', ({ version }) => version, '')

/** The versions of QEMU, the oldest first. */
const comparedWith = (): readonly string[] =>
  decoded(Witnesses, 'corpus/witnesses.json', (record) => [...new Set(Object.values(record).flat())], []).toSorted(
    new Intl.Collator('en', { numeric: true }).compare
  )

/** What `--version` prints, without the last line feed. */
export const versionText = (): string =>
  [`qcow2 ${packageVersion()}`, `last compared with QEMU ${comparedWith().join(', ')}`].join('\n')
