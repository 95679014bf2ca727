/** Runs of clusters: the pieces in which a disk is read become whole clusters of one kind, and lose no byte. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { ClusterRuns } from '../../src/node/convert/clusters.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('runs of clusters')

const cluster = 16

/** A part of the disk: zeros that are not read, or bytes, which may be zeros too; and whether it is copied. */
interface Part {
  readonly length: number
  readonly fill: number | undefined
  readonly copied: boolean
}

const parts = fc.array(
  fc.record({
    length: fc.integer({ min: 1, max: 5 * cluster }),
    fill: fc.option(fc.nat(2), { nil: undefined }),
    copied: fc.boolean()
  }),
  { maxLength: 20 }
)

const sizeOf = (all: readonly Part[]): number => all.reduce((sum, { length }) => sum + length, 0)

/** The runs of a disk, with copies of their bytes. */
const runsOf = (all: readonly Part[], sparse: number) => {
  const clusters = new ClusterRuns(cluster, sizeOf(all), sparse)
  return all.flatMap(({ length, fill, copied }) =>
    [...clusters.add(length, fill === undefined ? undefined : new Uint8Array(length).fill(fill), copied)].map(
      ({ at, length: n, bytes }) => ({ at, length: n, bytes: bytes?.slice() })
    )
  )
}

test('a cluster is in exactly one run if any of its bytes is copied, and in none else; its bytes are those of the disk', () => {
  holds(
    fc.property(parts, fc.nat(3 * cluster), (all, sparse) => {
      const size = sizeOf(all)
      const disk = all.flatMap(({ length, fill }) => Array.from({ length }, () => fill ?? 0))
      const copied = all.flatMap((part) => Array.from({ length: part.length }, () => part.copied))
      const written = new Map<number, readonly number[]>()
      for (const { at, length, bytes } of runsOf(all, sparse)) {
        assert.is(at % cluster, 0)
        assert.ok(length % cluster === 0 || at + length === size)
        assert.is(bytes?.length ?? length, length)
        for (let from = at; from < at + length; from += cluster) {
          assert.not.ok(written.has(from))
          const end = Math.min(from + cluster, at + length)
          written.set(from, [...(bytes?.subarray(from - at, end - at) ?? new Uint8Array(end - from))])
        }
      }
      for (let from = 0; from < size; from += cluster) {
        const isCopied = copied.slice(from, from + cluster).includes(true)
        assert.equal(written.get(from), isCopied ? disk.slice(from, from + cluster) : undefined)
      }
    })
  )
})

test('zeros are a run without bytes where they are long enough, whether they are read or not', () => {
  const long: readonly Part[] = [
    { length: 2 * cluster, fill: 1, copied: true },
    { length: 3 * cluster, fill: 0, copied: true },
    { length: 3 * cluster, fill: undefined, copied: true },
    { length: cluster, fill: 2, copied: true },
    { length: cluster, fill: 0, copied: true }
  ]
  const zeros = (sparse: number) => runsOf(long, sparse).map(({ length, bytes }) => [length / cluster, bytes?.[0]])
  assert.equal(zeros(1), [
    [2, 1],
    [3, undefined],
    [3, undefined],
    [1, 2],
    [1, undefined]
  ])
  assert.equal(zeros(2 * cluster), zeros(1), 'zeros that are read together are a hole, however few')
  assert.ok(runsOf(long, 0).every(({ bytes }) => bytes !== undefined))
})

test('read zeros are a run without bytes from as many on as are given, at multiples of the power of two below', () => {
  const bytes = (...fills: readonly number[]) =>
    Uint8Array.from(fills.flatMap((fill) => Array.from({ length: cluster }, () => fill)))
  const runs = (sparse: number, ...fills: readonly number[]) => {
    const clusters = new ClusterRuns(cluster, fills.length * cluster, sparse)
    return [...clusters.add(fills.length * cluster, bytes(...fills), true)].map((run) => [
      run.length / cluster,
      run.bytes !== undefined
    ])
  }
  assert.equal(runs(2 * cluster, 1, 0, 0, 0, 1, 1), [
    [2, true],
    [2, false],
    [2, true]
  ])
  assert.equal(runs(2 * cluster, 1, 0, 0, 1), [[4, true]])
  assert.equal(runs(3 * cluster, 1, 1, 0, 0, 1, 1), [
    [2, true],
    [2, true],
    [2, true]
  ])
  assert.equal(runs(3 * cluster, 1, 1, 0, 0, 0, 0, 1), [
    [2, true],
    [4, false],
    [1, true]
  ])
})

test('a hole beside data in a unit of zeros stays one', () => {
  const clusters = new ClusterRuns(cluster, 4 * cluster, 4 * cluster)
  const runs = [
    ...clusters.add(cluster, new Uint8Array(cluster).fill(1), true),
    ...clusters.add(3 * cluster, undefined, true)
  ]
  assert.equal(
    runs.map(({ length, bytes }) => [length / cluster, bytes !== undefined]),
    [
      [1, true],
      [3, false]
    ]
  )
})

test.run()
