/** Reports of a conformance run: by clause, as text, as JSON and as JUnit's XML. */
import { type ClauseId, clauses as catalogue } from '../../../spec/clauses/index.js'
import type { JsonObject } from '../../bytes/json.js'
import { type Expected, expectedText, type Found, foundText, isRight } from './outcome.js'
import type { Vector } from './vector.js'

/** A vector that was run. */
export interface Tried {
  readonly vector: Vector
  readonly expected: Expected
  readonly found: Found
  /** The first line that the program complained with. */
  readonly complaint: string
}

/** A run over vectors. */
export interface Run {
  /** The command line with its places. */
  readonly command: string
  readonly role: 'reader' | 'checker' | 'writer'
  readonly tried: readonly Tried[]
  /** Vectors that a program of this role is not asked about. */
  readonly leftOut: number
  /** Whether memory and writes elsewhere were watched, in sentences. */
  readonly notes: readonly string[]
}

/** A clause that vectors failed on. */
export interface Suspect {
  readonly clause: ClauseId
  /** How well the clause alone explains what failed, from 0 to 1. */
  readonly score: number
  readonly failed: readonly Tried[]
  readonly passed: number
}

export const failures = ({ tried }: Run): readonly Tried[] => tried.filter((t) => !isRight(t.found, t.expected))

/** The number of vectors with one feature that are for each clause. */
const owners = (tried: readonly Tried[]): ReadonlyMap<ClauseId, number> => {
  const out = new Map<ClauseId, number>()
  for (const { vector } of tried) {
    const [own] = vector.clauses
    if (own !== undefined && vector.flags.includes('single')) out.set(own, (out.get(own) ?? 0) + 1)
  }
  return out
}

/** How much there is to look at: those with one feature first, then few files and small disks. */
const sizeOf = ({ vector }: Tried): number =>
  (vector.flags.includes('single') ? 0 : 2 ** 40) +
  Object.values(vector.files).length * 2 ** 32 +
  (vector.disk?.length ?? 0)

/**
 * Clauses by how well each explains the failures, the best first: one that all failed vectors name and no passed one has score 1.
 * That few vectors with the clause passed counts more than that it explains many failures, since a program may have many faults.
 * A vector names the clause that it is for and those that it makes use of. The more of the vectors with one feature that are for
 * a clause failed, the higher it ranks. Failures that a clause explains are left out for the next.
 */
export const suspects = (run: Run): readonly Suspect[] => {
  const out: Suspect[] = []
  const passed = new Map<ClauseId, number>()
  for (const t of run.tried)
    if (isRight(t.found, t.expected)) for (const c of t.vector.clauses) passed.set(c, (passed.get(c) ?? 0) + 1)
  const owned = owners(run.tried)
  let rest = failures(run).filter(({ vector }) => vector.clauses.length > 0)
  while (rest.length > 0) {
    const by = new Map<ClauseId, Tried[]>()
    for (const t of rest)
      for (const clause of t.vector.clauses) {
        const list = by.get(clause) ?? []
        by.set(clause, list)
        list.push(t)
      }
    const total = rest.length
    const own = owners(rest)
    const ranked = [...by].map(([clause, failed]) => {
      const others = passed.get(clause) ?? 0
      const [precision, recall] = [failed.length / (failed.length + others), failed.length / total]
      const score = precision ** 2 * Math.sqrt(recall)
      const weight = score + (0.5 * (own.get(clause) ?? 0)) / ((owned.get(clause) ?? 0) + 2)
      return { clause, failed, passed: others, score, weight }
    })
    const best = ranked.reduce((a, b) => (b.weight > a.weight ? b : a))
    out.push({
      clause: best.clause,
      score: best.score,
      passed: best.passed,
      failed: best.failed.toSorted((a, b) => sizeOf(a) - sizeOf(b))
    })
    const explained = new Set(best.failed)
    rest = rest.filter((t) => !explained.has(t))
  }
  return out
}

const firstSentence = (text: string): string => /^.*?[.](?=\s|$)/s.exec(text)?.[0] ?? text

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

/** The report as text. `replay` is the command that does one vector again. */
export const reportText = (run: Run, replay: (id: string) => string): string => {
  const failed = failures(run)
  const lines = suspects(run).flatMap(({ clause, failed: those, passed }) => {
    const [least] = those
    if (least === undefined) return []
    return [
      `${clause}: ${plural(those.length, 'vector')} failed, ${passed} that use it passed. ${firstSentence(catalogue[clause].says)}`,
      `    ${least.vector.id}: ${least.vector.title}`,
      `    found ${foundText(least.found, least.expected)}, expected ${expectedText(least.expected)}`,
      ...(least.complaint === '' ? [] : [`    it said: ${least.complaint}`]),
      `    again: ${replay(least.vector.id)}`
    ]
  })
  return [
    ...lines,
    ...(lines.length === 0 ? [] : ['']),
    ...run.notes,
    `${plural(run.tried.length, 'vector')}: ${run.tried.length - failed.length} passed, ${failed.length} failed, ${run.leftOut} not for a ${run.role}`,
    ''
  ].join('\n')
}

/** The report as JSON. */
export const reportJson = (run: Run): JsonObject => {
  const failed = failures(run)
  return {
    command: run.command,
    role: run.role,
    vectors: run.tried.length,
    passed: run.tried.length - failed.length,
    'left-out': run.leftOut,
    notes: [...run.notes],
    clauses: suspects(run).map(({ clause, score, failed: those, passed }) => ({
      clause,
      score: Math.round(score * 1000) / 1000,
      failed: those.map(({ vector }) => vector.id),
      passed
    })),
    failed: failed.map(({ vector, expected, found, complaint }) => ({
      id: vector.id,
      title: vector.title,
      clauses: [...vector.clauses],
      expected: expectedText(expected),
      found: foundText(found, expected),
      complaint
    }))
  }
}

const escaped = (text: string): string =>
  text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, '?').replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** The report as JUnit's XML: a test case for each vector, in the class of its first clause. */
export const reportJunit = (run: Run): string => {
  const cases = run.tried.map(({ vector, expected, found, complaint }) => {
    const head = `<testcase classname="${vector.clauses[0] ?? 'none'}" name="${escaped(`${vector.id}: ${vector.title}`)}"`
    if (isRight(found, expected)) return `${head}/>`
    const message = escaped(`found ${foundText(found, expected)}, expected ${expectedText(expected)}`)
    return `${head}><failure message="${message}">${escaped(complaint)}</failure></testcase>`
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escaped(run.command)}" tests="${run.tried.length}" failures="${failures(run).length}">`,
    ...cases,
    '</testsuite>',
    ''
  ].join('\n')
}
