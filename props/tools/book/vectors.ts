/** The conformance vectors: those of each clause, and a page of all. */
import type { Vector } from '../../../src/node/conform/index.js'
import { exactVersion, series } from '../pages/witnesses.js'
import { escaped, htmlTable } from './html.js'
import { clauseLink } from './links.js'
import type { Page } from './page.js'
import { vectors } from './sources.js'

const isBroken = ({ result, check, reason }: Vector): boolean =>
  result === 'invalid' || reason !== undefined || (check.corruptions ?? 0) > 0

/** The vectors that are for a clause and break it. */
export const breaking = (id: string): readonly Vector[] =>
  vectors.filter((vector) => isBroken(vector) && vector.clauses[0] === id)

/** The vectors that must be read, which a reader does only if it heeds a clause. */
export const holding = (id: string): readonly Vector[] =>
  vectors.filter((vector) => vector.result === 'valid' && !isBroken(vector) && vector.clauses.some((own) => own === id))

/** Links to vectors. */
export const vectorLinks = (all: readonly Vector[]): readonly string[] =>
  all.map(({ id, title }) => `<a href="vectors.html#${escaped(id)}" title="${escaped(title)}">${escaped(id)}</a>`)

const outcome = ({ result, disk }: Vector): string => {
  const read = disk === undefined ? 'opened' : `a disk of ${disk.length} bytes`
  return { valid: read, invalid: 'refused', acceptable: `refused, or ${read}` }[result]
}

const checked = ({ check: { opens, corruptions = 0, leaks = 0 } }: Vector): string =>
  opens ? `${corruptions} corruptions, ${leaks} leaks` : 'refuses it'

const qemuOpens = ({ qemu }: Vector): string => {
  const opening = series.filter((name) => qemu.some(({ versions, opens }) => opens && versions.includes(name)))
  return opening.length === series.length ? 'all' : opening.length === 0 ? 'none' : opening.join(', ')
}

/** All vectors, each with an anchor. */
export const vectorPage = (): Page => ({
  title: 'The conformance vectors',
  body: `<h1>The conformance vectors</h1>
<p>${vectors.length} small images, and what a program must make of each. <code>qcow2 conform --extract FOLDER --only ID</code> writes one with the files beside it; <code>qcow2 conform --reader COMMAND</code> runs a reader over all. QEMU is ${series.map(exactVersion).join(', ')}.</p>
${htmlTable(
  ['Vector', 'The image', 'A reader', 'A check', 'QEMUs that open it', 'Clauses'],
  vectors.map((vector) => [
    `<code id="${escaped(vector.id)}">${escaped(vector.id)}</code>`,
    escaped(vector.title),
    outcome(vector),
    checked(vector),
    qemuOpens(vector),
    vector.clauses.map(clauseLink).join(' ')
  ])
)}`
})
