/** The table of edges as a document: for each the smallest script that shows what breaks without its flush. */
import { minimalShapes, type Shape } from '../../arbitrary/shape.js'
import type { Broken } from './edges.js'
import type { Action } from '../model/operations.js'
import { fromWords, inWords } from '../model/script-text.js'

/** A shape in words: what it has that an image of version 3 does not have by itself. */
const shapeInWords = ({ options: o, backing, tail, leaked }: Shape): string =>
  [
    `${o.size} bytes`,
    `clusters of ${2 ** (o.clusterBits ?? 16)}`,
    ...(o.version === 2 ? ['version 2'] : []),
    ...(o.refcountOrder === undefined ? [] : [`refcounts of ${2 ** o.refcountOrder} bits`]),
    ...(o.compressionType === undefined ? [] : [o.compressionType]),
    ...(o.extendedL2 === true ? ['extended L2'] : []),
    ...(o.dataFile === undefined ? [] : [o.dataFile.raw ? 'raw external data' : 'external data']),
    ...(o.lazyRefcounts === true ? ['lazy refcounts'] : []),
    ...(backing === 0 ? [] : [`${backing} bytes of backing file`]),
    ...(tail === undefined ? [] : [`${tail} bytes too many in the data file`]),
    ...(leaked === undefined ? [] : [`${leaked} clusters leaked`])
  ].join(', ')

/** The geometries that counterexamples are looked for in. */
export const geometries: ReadonlyMap<string, Shape> = new Map(
  [
    ...minimalShapes,
    {
      options: { size: 8192, clusterBits: 9, dataFile: { name: 'data.raw', raw: true } },
      backing: 0,
      tail: 4096
    },
    // The refcount table has one cluster of entries, and its last block few clusters that are free.
    { options: { size: 8192, clusterBits: 9, refcountOrder: 6 }, backing: 0, leaked: 4016 }
  ].map((shape) => [shapeInWords(shape), shape])
)

/** An edge and the smallest script that was found for it; nothing is known to break where there is none. */
export interface Row {
  readonly edge: string
  readonly example?: {
    readonly geometry: string
    readonly script: readonly Action[]
    readonly broken: Broken
  }
}

const head = `# What each flush is for

A command is a list of host writes in [stages](../src/transition/engine/transaction.ts), with flushes between them. An *edge* is what a flush
separates: the command, the last stage before it, the first after it, and the structures that are written there. \`damage\` puts
bytes into the file, and \`check -r\` repairs it; \`empty\` makes the whole disk unallocated.
For each edge the flush was left out, over many scripts, until a crash broke a promise. Each row is the smallest script found: which
sectors the disk has and lacks, in which model of a crash, and what breaks. Without the flush a crash may leave that state, with it
no crash does.

C1: it opens, and names the backing file that it named or is to name, or none while that changes. C2: no refcount below its references. C3: what was flushed reads back. C4: every sector is old or new.
C5: snapshots are what they were. C9: bitmaps mark what has changed, or are marked as not to be trusted.
C6: damage is as before or repaired, and a later repair repairs it.
P2: any sectors are lost. P3: besides, one sector is torn between two words.

\`npm run edges\` searches again and writes this page; the suite repeats every row.

## COPIED flags

With all flushes, too, a crash leaves leaks at most, and COPIED flags that a snapshot command has not adapted yet
([WR-08](clauses/write.md#wr-08), [ST-20](clauses/snapshot-transition.md#st-20)). No order of the writes avoids that, if each write changes
one aligned word (ORD-01). A flag is 1 exactly where the refcount is 1. The command changes both, and they are in two words:
the flag is in an L1 or L2 table, which the header names in \`l1_table_offset\`, the refcount in a block, which it names in
\`refcount_table_offset\`. New copies of the tables do not help: the header would have to change both of these words at once.
So between two writes one is new and the other old, and a power failure or a signal there leaves one of two:

| command | first | then | between them |
| --- | --- | --- | --- |
| \`snapshot -c\` | refcount 2, COPIED 0 in either order | the entry of the snapshot | COPIED 1 at refcount 2, or 0 at refcount 1 |
| \`snapshot -d\` | refcount 1 | COPIED 1 | COPIED 0 at refcount 1 |

Neither loses anything: a snapshot whose entry is not durable shares nothing yet, and a cluster whose flag is 0 is copied before
it is written. \`check -r all\` corrects both. A write that merely fails leaves neither, since its command is undone.

## Edges

| edge | geometry | script | the disk has | what breaks |
| --- | --- | --- | --- | --- |
`

const foot = `
## Without a counterexample

Nothing was found to break without these:

`

/** The document. */
export const document = (rows: readonly Row[]): string =>
  head +
  rows
    .flatMap(({ edge, example }) =>
      example === undefined
        ? []
        : `| ${edge} | ${example.geometry} | ${example.script.map((c) => `\`${inWords(c)}\``).join('<br>')} | ${example.broken.model}: ${example.broken.state} | ${example.broken.promise} |\n`
    )
    .join('') +
  foot +
  rows.flatMap(({ edge, example }) => (example === undefined ? `- ${edge}\n` : [])).join('')

const commandsOf = (cell: string): readonly Action[] =>
  [...cell.matchAll(/`([^`]*)`/g)].map(([, words = ''], i) => fromWords(words, i + 1))

/** The rows of a document. Law: `rowsOf(document(rows)) = rows`, but for the bytes of writes. */
export const rowsOf = (text: string): readonly Row[] =>
  text.split('\n').flatMap((line): readonly Row[] => {
    const bare = /^- (.*)$/.exec(line)?.[1]
    if (bare !== undefined) return [{ edge: bare }]
    const [, edge = '', geometry = '', script, state = '', promise = ''] = line.split(/^\| | \| | \|$/)
    if (script === undefined || !geometries.has(geometry)) return []
    const [model, ...has] = state.split(': ')
    const broken = { edge, model: model === 'P3' ? ('P3' as const) : ('P2' as const), state: has.join(': '), promise }
    return [{ edge, example: { geometry, script: commandsOf(script), broken } }]
  })
