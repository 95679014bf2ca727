/** Where this package and QEMU part over a damaged image, and are meant to. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { compressionType } from '../../src/format/header.js'
import { type Metadata, readMetadata } from '../../src/image/metadata.js'
import { runOn } from '../image/world.js'
import { checked, type Question, type Subject } from './verdict.js'

/** Two answers to one question about a damaged image. */
export interface Parting {
  readonly question: Question
  readonly damaged: Subject
  readonly qemu: string
  readonly ours: string
}

interface Difference {
  readonly clause: ClauseId
  readonly why: string
  readonly explains: (parting: Parting) => boolean
}

const metadataOf = ({ damaged }: Parting): Metadata | undefined => {
  const m = E.flatten(runOn(damaged.image, readMetadata()))
  return E.isRight(m) ? m.right : undefined
}

const hasKey = ({ damaged }: Parting): boolean => damaged.expect.opts?.includes('key-secret') === true

/** QEMU gave no answer, for one reason or another. */
const gaveUp = ({ qemu }: Parting): boolean => qemu === '1' || qemu === 'late'

/** Every row explains some difference of the kept verdicts; one that does not fails the test. */
export const differences: readonly Difference[] = [
  {
    clause: 'LUKS-08',
    why: 'a damage calls the data encrypted, and QEMU opens nothing without a key; metadata needs none',
    explains: (p) => gaveUp(p) && !hasKey(p) && metadataOf(p)?.header.cryptMethod !== 0
  },
  {
    clause: 'LUKS-03',
    why: 'QEMU derives the key of a slot, and needs an encryption area in the file; metadata needs neither',
    explains: (p) => gaveUp(p) && hasKey(p) && metadataOf(p)?.header.cryptMethod === 2
  },
  {
    clause: 'CHK-06',
    why: 'QEMU ends at a snapshot L1 table that it cannot read, without counts; here the rest is counted too',
    explains: (p) => {
      const report = checked(p.damaged)
      const unread =
        E.isRight(report) && report.right.findings.some((f) => f.severity === 'error' && f.structure.startsWith('snap'))
      return p.question === 'check' && p.qemu === '1' && p.ours.startsWith('1 ') && unread
    }
  },
  {
    clause: 'CMP-10',
    why: 'the portable zstd decoder does not see that the bits of a block are not used up exactly',
    explains: (p) => {
      const h = metadataOf(p)?.header
      return (
        (p.question === 'guest' || p.question === 'snapshot') &&
        p.qemu === '1' &&
        h !== undefined &&
        compressionType(h) === 1
      )
    }
  }
]

/** The row that explains a difference. */
export const explained = (parting: Parting): Difference | undefined => differences.find((d) => d.explains(parting))
