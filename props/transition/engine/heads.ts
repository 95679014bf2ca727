/** First clusters: images with all sorts of them, what one says, and what a crash may make one say. */
import { isDeepStrictEqual } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { Traits } from '../../../spec/disk.js'
import { concat, fromText } from '../../../src/bytes/octets.js'
import { type Extension, typeOf } from '../../../src/format/extension.js'
import { header } from '../../../src/format/header.js'
import { readMetadata } from '../../../src/image/metadata.js'
import { type Head, headIn, unlikeHead } from '../../../src/crash/head.js'
import type { AnyCommand } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { areaBytes } from '../../../src/transition/engine/extension-area.js'
import { share } from '../../run/suite.js'
import { crashStates } from '../crash/crashes.js'
import {
  abstraction,
  countsOf,
  type Files,
  type Machine,
  machineOf,
  newMachine,
  perhaps,
  right,
  runOver
} from '../model/machine.js'

export const traits: Traits = { version: 3, grain: 512, dataFile: false, backingSize: 0 }

export const headOf = (files: Files): Head => headIn(right(right(runOver(files, readMetadata()))))

/** What a first cluster is drawn from. */
export interface Drawn {
  readonly options: Required<Pick<CreateOptions, 'size' | 'version' | 'clusterBits'>>
  readonly extensions: readonly Extension[]
  readonly name: string
}

const bare = (data: Uint8Array) => ({ data, padding: new Uint8Array(0) })

/** An extension of an unknown type. */
const unknown = fc
  .record({ type: fc.integer({ min: 1, max: 9 }), data: fc.uint8Array({ maxLength: 40 }) })
  .map(({ type, data }): Extension => ({ _tag: 'Other', type, ...bare(data) }))

const format: Extension = { _tag: 'BackingFormat', ...bare(fromText('raw')) }

/** A name of so many bytes, no two neighbours of which are the same. */
export const nameOf = (length: number, first = 'a'): string =>
  Array.from({ length }, (_, i) => String.fromCharCode(first.charCodeAt(0) + (i % 23))).join('')

/** Heads of small disks: unknown extensions around the backing format, names that leave little room or much. */
export const heads: fc.Arbitrary<Drawn> = fc
  .record({
    options: fc.record({
      size: fc.constantFrom(2048, 4096),
      version: fc.constantFrom(2 as const, 3 as const, 3 as const),
      clusterBits: fc.constantFrom(9, 9, 9, 10, 13)
    }),
    others: fc.uniqueArray(unknown, { maxLength: 3, selector: typeOf }),
    place: fc.nat({ max: 3 }),
    length: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 500 }))
  })
  .map(({ options, others, place, length }) => {
    const extensions = length === 0 ? others : [...others.slice(0, place), format, ...others.slice(place)]
    const taken = (options.version === 2 ? 72 : 112) + areaBytes(extensions).length
    return { options, extensions, name: nameOf(Math.min(length, 2 ** options.clusterBits - taken)) }
  })

const written = { _tag: 'Write', at: 300, bytes: new Uint8Array(900).fill(7) } as const

/** An image with this head, some of its disk written. */
export const machineWith = ({ options, extensions, name }: Drawn): Machine => {
  const { files, opened } = newMachine(options)
  const area = areaBytes(extensions)
  const at = opened.metadata.header.headerLength + area.length
  const h = { ...opened.metadata.header, backingFileOffset: BigInt(name === '' ? 0 : at), backingFileSize: name.length }
  const image = files.image.slice()
  image.fill(0, 0, 2 ** h.clusterBits)
  image.set(concat([header.encode(h), area, fromText(name)]))
  return right(perhaps(machineOf({ ...files, image }), written))
}

/** How often crashes left what, beside what was and what is to be. */
export class Seen {
  states = 0
  /** Without a backing file. */
  nameless = 0
  /** With fewer extensions. */
  cut = 0
  /** With bitmaps that are not trusted. */
  untrusted = 0
  /** Marked dirty. */
  dirty = 0
}

const same = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join()

/** A head and the disk under it. */
const viewOf = (files: Files) => ({ head: headOf(files), disk: abstraction(files, traits) })

/** Whether a first cluster has no backing file, where there was one before or is one afterwards. */
const isNameless = (head: Head, old: Head, now: Head): boolean => head.name === '' && old.name !== '' && now.name !== ''

/** Fails unless a crash leaves an image that opens, with the same disk, and a head and bitmaps that were or are to be. */
const survives = (old: ReturnType<typeof viewOf>, now: ReturnType<typeof viewOf>, files: Files, seen: Seen): void => {
  const { head, disk } = viewOf(files)
  assert.is(head.refusal, undefined)
  assert.equal(disk.content, old.disk.content)
  assert.equal(disk.snapshots, old.disk.snapshots)
  assert.is(unlikeHead(head, old.head, now.head), undefined)
  if (head.trusted && !isDeepStrictEqual(disk.bitmaps, old.disk.bitmaps)) assert.equal(disk.bitmaps, now.disk.bitmaps)
  if (!head.dirty) assert.is(countsOf(files).corruptions, 0)
  seen.states++
  seen.nameless += Number(isNameless(head, old.head, now.head))
  seen.cut += Number([old, now].every((each) => !same(head.extensions, each.head.extensions)))
  seen.untrusted += Number(old.head.trusted && now.head.trusted && !head.trusted)
  seen.dirty += Number(head.dirty)
}

/** The machine after a command that may be refused, every crash on the way survived, and nothing worse in the end. */
export const through = (m: Machine, command: AnyCommand, seen: Seen): Machine => {
  const done = perhaps(m, command)
  share('commands carried out', 0.3, E.isRight(done))
  if (E.isLeft(done)) return m
  const { files, writes } = done.right
  const [old, now] = [viewOf(m.files), viewOf(files)]
  for (const state of crashStates(m.files, writes)) survives(old, now, state, seen)
  assert.equal(
    now.head.clauses.filter((clause) => !old.head.clauses.includes(clause)),
    []
  )
  const { corruptions, leaks, checkErrors } = countsOf(files)
  assert.equal([corruptions, leaks, checkErrors], [0, 0, 0])
  return done.right
}
