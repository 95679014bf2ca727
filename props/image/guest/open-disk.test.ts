/** An open disk reads what a reader without memory reads, and requests no table that it still has. */
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../../corpus/load.js'
import type { Issue } from '../../../src/bytes/issue.js'
import { fromText } from '../../../src/bytes/octets.js'
import { fromMemory, orFail, type Plan, type Read, runSync } from '../../../src/bytes/plan.js'
import { runAsync } from '../../../src/bytes/run-async.js'
import { native } from '../../../src/node/compression/native.js'
import { nativeCipher } from '../../../src/node/encryption/native.js'
import { type Chain, chainSize } from '../../../src/image/guest/chain.js'
import { activeDisk, type GuestDisk, snapshotDisk } from '../../../src/image/guest/extents.js'
import { type CacheSizes, openDisk } from '../../../src/image/guest/open-disk.js'
import { readGuest } from '../../../src/image/guest/read.js'
import { unlock } from '../../../src/image/guest/unlock.js'
import { vmStateDisk } from '../../../src/image/guest/vm-state.js'
import { readMetadata } from '../../../src/image/metadata.js'
import { arbitraryScript, commandOf } from '../../arbitrary/script.js'
import { arbitraryShape, backingOf, traitsOf } from '../../arbitrary/shape.js'
import { holds, holdsInTime } from '../../run/holds.js'
import { note, suite } from '../../run/suite.js'
import { abstraction, type Machine, newMachine, perhaps, right } from '../../transition/model/machine.js'
import { inPlansMemory, runOn } from '../world.js'
import { chainOf, type MemoryChain } from './chains.js'

const test = suite('open disk')

/** Guest bytes that are read. */
interface Bytes {
  readonly at: number
  readonly length: number
}

/** Reads of a disk: sectors, and ranges anywhere; some begin where the one before ends. */
interface Move {
  readonly kind: 'sector' | 'range' | 'next'
  /** Where, as a fraction of the disk in 2^32ths. */
  readonly where: number
  readonly length: number
}

const moves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('sector', 'range', 'next', 'next'),
    where: fc.nat(2 ** 32 - 1),
    length: fc.oneof(fc.nat(600), fc.nat(5000), fc.nat(70_000))
  }),
  { minLength: 4, maxLength: 12, size: 'max' }
)

const readsOf = (size: number, all: readonly Move[]): readonly Bytes[] => {
  let end = 0
  return all.map(({ kind, where, length }) => {
    const anywhere = Math.floor((size * where) / 2 ** 32)
    const at = kind === 'sector' ? anywhere - (anywhere % 512) : kind === 'range' ? anywhere : end
    end = Math.min(size, at + (kind === 'sector' ? 512 : length))
    return { at, length: end - at }
  })
}

/** The least memory: one slice of a table for each layer, and one cluster. */
const least: CacheSizes = { tables: 0, clusters: 0 }

type Result = E.Either<readonly Issue[], Uint8Array>

const shown = (result: Result): string =>
  E.isRight(result) ? `${result.right.length} bytes` : result.left.map(({ message }) => message).join('\n')

/** Fails unless a read ends as that of the reader without memory; of several issues any may be the one. */
const same = (found: Result, wanted: Result, { at, length }: Bytes, name: string): void => {
  const isSector = at % 512 === 0 && length <= 512
  const isEqual =
    E.isRight(found) && E.isRight(wanted)
      ? Buffer.compare(found.right, wanted.right) === 0
      : E.isLeft(found) && E.isLeft(wanted) && (!isSector || shown(found) === shown(wanted))
  assert.ok(isEqual, `${name}: ${length} bytes at ${at}: ${shown(found)} for ${shown(wanted)}`)
}

/** Compares both readers over these reads: with the usual memory by a plan, with the least at once. */
const compare = (name: string, chain: Chain, read: (request: Read) => Uint8Array, all: readonly Move[]): void => {
  const world = { read: inPlansMemory(read) }
  const [usual, small] = [openDisk(chain, native), openDisk(chain, native, least)]
  for (const bytes of readsOf(chainSize(chain), all)) {
    const { at, length } = bytes
    const wanted = runSync(readGuest(chain, at, length, native), world)
    same(runSync(usual.read(at, length), world), wanted, bytes, name)
    const into = new Uint8Array(length).fill(0xa5)
    same(small.readSync(world, at, length, into), wanted, bytes, name)
  }
}

/** Disks of an image of the corpus: the active one and that of its first snapshot. */
const chainsOf = (name: string): readonly MemoryChain[] => {
  const loaded = load(name)
  const [first] = loaded.expect.guest.snapshots
  return (first === undefined ? [undefined] : [undefined, first.id]).flatMap((id) => {
    const chain = chainOf(loaded, id)
    return E.isRight(chain) ? [chain.right] : []
  })
}

test('an open disk reads the disks of the corpus as a reader without memory does, and ends in the same issues', () => {
  const all = names().flatMap((name) => chainsOf(name).map((chain) => ({ name, ...chain })))
  assert.ok(all.length > 600)
  for (const { name, chain, read } of all)
    holds(
      fc.property(moves, (drawn) => compare(name, chain, read, drawn)),
      { runs: 1 }
    )
  note(`${all.length} disks`)
})

/** The disks of an image that commands have changed: its active one, those of its snapshots, and their VM states. */
const disksOf = ({ opened: { metadata: m, g, backing } }: Machine): readonly Chain[] => {
  const ofSnapshots = m.snapshots.flatMap((s): readonly Chain[] => {
    const [disk, state] = [snapshotDisk(m, g, s), vmStateDisk(m, g, s)]
    return [
      ...(E.isRight(disk) ? [[{ _tag: 'Image', disk: disk.right }, ...backing] satisfies Chain] : []),
      ...(E.isRight(state) ? [[{ _tag: 'Image', disk: state.right }] satisfies Chain] : [])
    ]
  })
  return [[{ _tag: 'Image', disk: activeDisk(m, g) }, ...backing], ...ofSnapshots]
}

test('an open disk reads the disks that random commands leave as a reader without memory does', () => {
  const property = fc.property(arbitraryShape, arbitraryScript(2, 12), moves, (shape, script, drawn) => {
    const traits = traitsOf(shape)
    const { files, ...machine } = script.reduce(
      (m, move, i) => {
        const done = perhaps(m, commandOf(move, abstraction(m.files, traits), i + 1))
        return E.isRight(done) ? done.right : m
      },
      newMachine(shape.options, backingOf(shape))
    )
    const read = ({ file, at, length }: Read): Uint8Array =>
      fromMemory(file.depth > 0 ? files.backing : files[file.part])({ at, length })
    for (const chain of disksOf({ files, ...machine })) compare('a script', chain, read, drawn)
  })
  holds(property, { runs: 40 })
})

function* unlocked(password: string): Plan<GuestDisk> {
  const m = yield* orFail(yield* readMetadata())
  if (m.geometry === undefined) throw new Error('no geometry')
  return { ...activeDisk(m, m.geometry), decryption: yield* unlock(m, fromText(password), nativeCipher) }
}

test('an open disk decrypts what a reader without memory decrypts', () => {
  for (const name of ['case-59-luks', 'case-60-aes']) {
    const { image } = load(name)
    const chain: Chain = [{ _tag: 'Image', disk: right(runOn(image, unlocked('abc'))) }]
    holds(
      fc.property(moves, (drawn) => compare(name, chain, fromMemory(image), drawn)),
      { runs: 10 }
    )
  }
})

test('an open disk reads the same in a world that answers in its own time', async () => {
  const { chain, read } = right(E.mapLeft(() => [])(chainOf(load('case-19-backing-chain'))))
  const world = { read: (request: Read) => () => Promise.resolve(E.right(read(request))) }
  const property = fc.asyncProperty(moves, async (drawn) => {
    const disk = openDisk(chain, native)
    for (const { at, length } of readsOf(disk.size, drawn)) {
      const wanted = runSync(readGuest(chain, at, length, native), { read })
      assert.equal(await runAsync(() => disk.read(at, length), world)(), wanted)
    }
  })
  await holdsInTime(property, { runs: 5 })
})

const [size, entries] = [65536, 8192] // bytes of a cluster, entries of an L2 table
const tableAt = (i: number): number => (2 + i) * size
const dataAt = tableAt(3)

/** A disk of three L2 tables, each with a cluster at its start and 16 of data after it, and the requests that it makes. */
const watched = (sizes?: Partial<CacheSizes>) => {
  const image = new Uint8Array(dataAt + 64 * size)
  const view = new DataView(image.buffer)
  for (let i = 0; i < 3; i++) {
    view.setBigUint64(size + 8 * i, BigInt(tableAt(i)))
    for (let k = 0; k < 17; k++) view.setBigUint64(tableAt(i) + 8 * k, BigInt(dataAt + (17 * i + k) * size))
  }
  const g = { version: 3, clusterBits: 16, refcountOrder: 4, extendedL2: false, externalDataFile: false }
  const none = { compressionType: 0, encrypted: false }
  const guest: GuestDisk = { g, size: 3 * entries * size, l1TableOffset: size, l1Size: 3, ...none }
  const requests: string[] = []
  const answer = fromMemory(image)
  const disk = openDisk([{ _tag: 'Image', disk: guest }], native, sizes)
  const read = (at: number, length: number): readonly string[] => {
    requests.length = 0
    const read = disk.readSync(
      {
        read: (request) => {
          requests.push(`${request.at}+${request.length}`)
          return answer(request)
        }
      },
      at,
      length
    )
    assert.ok(E.isRight(read))
    return [...requests]
  }
  return { read, guest }
}

const table = (i: number): string => `${tableAt(i)}+${size}`
const data = (i: number, length: number, from = 0): string => `${dataAt + 17 * i * size + from}+${length}`
const guestOf = (i: number): number => i * entries * size

test('the L1 table is requested once, an L2 table as long as it is kept, and data in one request', () => {
  const { read } = watched()
  assert.equal(read(0, 2 ** 20), [`${size}+24`, table(0), data(0, 2 ** 20)])
  assert.equal(read(guestOf(1), 4096), [table(1), data(1, 4096)])
  assert.equal(read(guestOf(0) + 4096, 4096), [data(0, 4096, 4096)])
  const little = watched(least)
  assert.equal(little.read(guestOf(0), 4096), [`${size}+24`, table(0), data(0, 4096)])
  assert.equal(little.read(guestOf(1), 4096), [table(1), data(1, 4096)])
  assert.equal(little.read(guestOf(0), 4096), [table(0), data(0, 4096)])
  const two = watched({ tables: 2 ** 17 })
  for (const i of [0, 1, 0, 2]) two.read(guestOf(i), 512)
  assert.equal(
    [0, 2, 1].map((i) => two.read(guestOf(i), 1024).length),
    [1, 1, 2]
  )
})

test('reads that follow each other request 128 KiB ahead, and others nothing that they do not need', () => {
  const { read } = watched()
  read(0, 512)
  assert.equal(read(512, 512), [data(0, 2 * size, 512)])
  for (let at = 1024; at <= 2 * size; at += 512) assert.equal(read(at, 512), [])
  assert.equal(read(2 * size + 512, 512), [data(0, 2 * size, 2 * size + 512)])
  assert.equal(read(8 * size, 512), [data(0, 512, 8 * size)])
  assert.equal(read(8 * size + 512, 4 * size), [data(0, 4 * size, 8 * size + 512)])
})

test('a compressed cluster is decoded once as long as it is kept', () => {
  const packed = [0, 1, 2, 3].reduce<Machine>(
    (m, i) => right(perhaps(m, { _tag: 'WriteCompressed', at: i * size, bytes: new Uint8Array(size).fill(i + 1) })),
    newMachine({ size: 4 * size })
  )
  const [chain] = disksOf(packed)
  if (chain === undefined) throw new Error('no disk')
  const decodedIn = (sizes: Partial<CacheSizes>, at: readonly number[]): number => {
    let decoded = 0
    const deflate: typeof native.deflate = (...given) => {
      decoded++
      return native.deflate(...given)
    }
    const disk = openDisk(chain, { ...native, deflate }, sizes)
    for (const from of at)
      assert.equal(
        disk.readSync({ read: fromMemory(packed.files.image) }, from, 512),
        E.right(new Uint8Array(512).fill(Math.floor(from / size) + 1))
      )
    return decoded
  }
  const scattered = [0, 1, 2, 3, 0, 1, 2, 3].map((i, n) => i * size + 512 * n)
  assert.is(decodedIn({}, scattered), 4)
  assert.is(decodedIn({ clusters: 2 * size }, scattered), 8)
  assert.is(decodedIn(least, [0, 512, 1024, size, size + 4096, 0]), 3)
})

test('bytes that were read ahead stay as they are under later reads', () => {
  const bytes = Uint8Array.from({ length: 4 * 2 ** 17 }, (_, at) => (at >> 9) % 251)
  const disk = openDisk([{ _tag: 'Raw', size: bytes.length }], native)
  const kept = Array.from({ length: bytes.length / 512 }, (_, i) =>
    right(disk.readSync({ read: inPlansMemory(fromMemory(bytes)) }, 512 * i, 512))
  )
  for (const [i, sector] of kept.entries()) assert.equal(sector, bytes.slice(512 * i, 512 * i + 512))
})

test('compressed clusters of one number in two layers are kept apart', () => {
  const [top, base] = [12, 16].map((clusterBits) => {
    const cluster = 2 ** clusterBits
    const bytes = new Uint8Array(cluster).fill(clusterBits)
    return right(perhaps(newMachine({ size: 2 ** 18, clusterBits }), { _tag: 'WriteCompressed', at: cluster, bytes }))
  })
  if (top === undefined || base === undefined) throw new Error('no layers')
  const layers = [top, base].map(({ opened: { metadata, g } }) => activeDisk(metadata, g))
  const [first, second] = layers
  if (first === undefined || second === undefined) throw new Error('no disks')
  const disk = openDisk(
    [
      { _tag: 'Image', disk: first },
      { _tag: 'Image', disk: second }
    ],
    native
  )
  const world = {
    read: ({ file, at, length }: Read) => fromMemory((file.depth === 0 ? top : base).files.image)({ at, length })
  }
  for (const [at, byte] of [
    [4096, 12],
    [65_536, 16],
    [4096, 12]
  ] as const)
    assert.equal(disk.readSync(world, at, 512), E.right(new Uint8Array(512).fill(byte)))
})

test('bytes past the end of a layer are not looked for below it', () => {
  const { guest } = watched()
  const absent = (size: number) => ({ _tag: 'Image', disk: { ...guest, size, l1Size: 0 } }) as const
  const chain: Chain = [absent(2048), absent(1024), { _tag: 'Raw', size: 2048 }]
  const world = { read: inPlansMemory(fromMemory(new Uint8Array(2048).fill(7))) }
  const expected = new Uint8Array(2048).fill(7, 0, 1024)
  assert.equal(openDisk(chain, native).readSync(world, 0, 2048), E.right(expected))
  assert.equal(runSync(readGuest(chain, 0, 2048, native), world), E.right(expected))
})

test.run()
