/** Conformance vectors: small images, and what every program must make of them. */
import * as t from 'io-ts'
import { type ClauseId, isClauseId } from '../../../spec/clauses/index.js'

const clauseId = new t.Type<ClauseId, string, unknown>(
  'ClauseId',
  (u): u is ClauseId => typeof u === 'string' && isClauseId(u),
  (u, context) => (typeof u === 'string' && isClauseId(u) ? t.success(u) : t.failure(u, context)),
  String
)

/** A file: a gzip'd one of the corpus, and how it is changed. */
const VectorFile = t.intersection([t.type({ packed: t.string }), t.partial({ edits: t.string })])

/** A disk as a raw file: its length in bytes and its SHA-256. */
const Disk = t.type({ length: t.number, sha256: t.string })

/** What a check counts; `opens` is false where it refuses the image. */
const Check = t.intersection([t.type({ opens: t.boolean }), t.partial({ corruptions: t.number, leaks: t.number })])

/** What some versions of QEMU make of the image. `disk` is the SHA-256 of the guest disk, absent where it is not read. */
const QemuVerdict = t.intersection([
  t.type({ versions: t.readonlyArray(t.string), opens: t.boolean, check: Check }),
  t.partial({ disk: t.string })
])

/**
 * What a reader must do. `valid`: it opens the image and reads the disk. `invalid`: it refuses the image, or fails to read the
 * disk. `acceptable`: it does either; if it reads a disk, it is this one.
 */
const Result = t.keyof({ valid: null, invalid: null, acceptable: null })

/** One vector. Of its `clauses` the first is the one that it is for. */
export const Vector = t.intersection([
  t.type({
    id: t.string,
    /** A sentence on what the image is. */
    title: t.string,
    clauses: t.readonlyArray(clauseId),
    flags: t.readonlyArray(t.string),
    /** The image, `img.qcow2`, and the files beside it, by the names that they refer to each other with. */
    files: t.record(t.string, VectorFile),
    /** SHA-256 of the image. */
    sha256: t.string,
    result: Result,
    check: Check,
    /** Whether a writer may open it. */
    writable: t.boolean,
    qemu: t.readonlyArray(QemuVerdict)
  }),
  t.partial({
    /** The clauses that the image breaks. */
    breaks: t.readonlyArray(clauseId),
    /** The clauses that it keeps by the value next to one that breaks them. */
    nearest: t.readonlyArray(clauseId),
    /** Why a reader may refuse it: the rule that is broken, or the limit. */
    reason: t.string,
    /** The options with which QEMU opens the image, where its name is not enough. */
    options: t.string,
    /** The guest disk, absent where it cannot be read or is longer than 16 MiB. */
    disk: Disk,
    /** Ranges of the guest disk: start, length, depth of the layer, and what is there. */
    map: t.readonlyArray(t.tuple([t.number, t.number, t.number, t.keyof({ absent: null, zero: null, data: null })])),
    snapshots: t.readonlyArray(t.intersection([t.type({ id: t.string, name: t.string }), Disk]))
  })
])
export type Vector = t.TypeOf<typeof Vector>

/** All vectors. `flags` explains each flag once. */
export const Vectors = t.type({
  format: t.literal(1),
  count: t.number,
  flags: t.record(t.string, t.string),
  vectors: t.readonlyArray(Vector)
})
export type Vectors = t.TypeOf<typeof Vectors>
