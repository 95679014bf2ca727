/** The choice of vectors: what is said of each candidate, and which are kept. */
import type { Finding } from '../../src/image/check/findings.js'
import { type ClauseId, clauses, isClauseId } from '../../spec/clauses/index.js'
import type { Vector } from '../../src/node/conform/vector.js'
import type { Qemu } from '../run/qemus.js'
import { askAll } from './asked.js'
import type { Candidate } from './candidate.js'
import { breaking, clausesOf, nearest } from './edges.js'
import type { Flag } from './flags.js'
import { type Judged, judgedImage, mostRead } from './judged.js'

/** How many vectors there are. */
const most = 1688
/** How many candidates are kept of those that are changed in the same fields and come out alike. */
const mostAlike = 4

/** What a reader must do with an image, and why it may refuse it. `stated` are clauses that it breaks, and that no check names. */
const resultOf = (
  { refused, broken, check }: Judged,
  stated: readonly ClauseId[],
  qemu: Vector['qemu']
): Pick<Vector, 'result' | 'reason'> => {
  if (refused !== undefined)
    return qemu.every(({ opens }) => !opens)
      ? { result: 'invalid' }
      : { result: 'acceptable', reason: `Some readers refuse it: ${refused.message}` }
  if (stated.some((clause) => clauses[clause].subject === 'image') && check.corruptions === 0)
    return { result: 'acceptable', reason: `It breaks a rule that QEMU does not enforce: ${stated.join(', ')}` }
  if (broken === undefined || isIgnored(broken)) return { result: 'valid' }
  return { result: 'acceptable', reason: `It breaks a rule that QEMU does not enforce: ${broken.message}` }
}

/** Reserved bits of L1 and L2 entries, which a reader masks. @see RD-04 */
const isIgnored = ({ structure, field }: Finding): boolean => field === 'reserved' && /^L[12] /.test(structure)

/** Whether this package and each QEMU agree on opening and on the disk. */
const agree = (judged: Judged, qemu: Vector['qemu']): boolean =>
  qemu.every(({ opens, disk }) =>
    judged.encrypted || judged.refused !== undefined
      ? true
      : opens && (disk === undefined || disk === judged.disk?.sha256)
  )

const flagsOf = (candidate: Candidate, judged: Judged, qemu: Vector['qemu']): readonly Flag[] => {
  const { refused } = judged
  const made: Flag = candidate.clause !== undefined ? 'single' : candidate.kind === candidate.id ? 'corpus' : 'changed'
  return [
    made,
    ...(refused?.issue?.phase === 'limit' ? (['limit'] as const) : []),
    ...(refused?.issue?.source === 'qemu' ? (['qemu'] as const) : []),
    ...(judged.encrypted ? (['encrypted'] as const) : []),
    ...(refused === undefined && !judged.encrypted && judged.disk === undefined ? (['large'] as const) : []),
    ...(qemu.length > 1 ? (['versions-differ'] as const) : [])
  ]
}

const vectorOf = (candidate: Candidate, judged: Judged, qemu: Vector['qemu']): Vector => {
  const { sha256, check, writable, disk, map, snapshots } = judged
  const { opts } = candidate.loaded.expect
  const stated = clausesOf(breaking, candidate.id)
  const breaks = [...new Set([...judged.breaks, ...stated])]
  const edges = clausesOf(nearest, candidate.id)
  return {
    id: candidate.id,
    title: candidate.title,
    clauses: [...new Set([...(candidate.clause === undefined ? [] : [candidate.clause]), ...judged.clauses])]
      .filter((clause) => clause !== candidate.without)
      .filter(isClauseId),
    ...(breaks.length === 0 ? {} : { breaks }),
    ...(edges.length === 0 ? {} : { nearest: edges }),
    flags: flagsOf(candidate, judged, qemu),
    files: candidate.files,
    ...(opts === undefined ? {} : { options: opts }),
    sha256,
    ...resultOf(judged, stated, qemu),
    check,
    writable,
    ...(disk === undefined ? {} : { disk }),
    ...(map === undefined ? {} : { map }),
    ...(snapshots === undefined ? {} : { snapshots }),
    qemu
  }
}

/** The vectors among candidates, and why others are left out. `known` has the verdicts of images that need not be asked about. */
export const chosen = (
  candidates: Iterable<Candidate>,
  qemus: readonly Qemu[],
  folder: string,
  known: (sha256: string) => Vector['qemu'] | undefined
): { readonly vectors: readonly Vector[]; readonly left: readonly string[] } => {
  const vectors: Vector[] = []
  const left: string[] = []
  const alike = new Map<string, number>()
  const seen = new Set<string>()
  for (const candidate of candidates) {
    if (vectors.length >= most) break
    const judged = judgedImage(candidate.loaded)
    const { refused, check, clauses, sha256 } = judged
    const key = JSON.stringify([candidate.kind, refused?.clauses, check.opens, clauses.slice(0, 3)])
    const n = alike.get(key) ?? 0
    if (n >= mostAlike || seen.has(sha256)) continue
    alike.set(key, n + 1)
    seen.add(sha256)
    const read = !judged.encrypted && judged.size <= mostRead
    const qemu = known(sha256) ?? askAll(qemus, folder, candidate.loaded, read)
    if (!agree(judged, qemu))
      left.push(`left out: ${candidate.id}: ${JSON.stringify(qemu)} for ${JSON.stringify(judged.disk)}`)
    else vectors.push(vectorOf(candidate, judged, qemu))
  }
  return { vectors, left }
}
