/** Writes in flight: every byte reaches its place in whatever order writes complete, though memory is reused after a few rounds. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as assert from 'uvu/assert'
import type { CommandError } from '../../src/node/command-error.js'
import { AsyncWriter, maxRounds, type StartWrite } from '../../src/node/files/async-writer.js'
import { writeAt } from '../../src/node/files/sparse.js'
import { holdsInTime } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { messageOf, valueOf } from './outcome.js'

const test = suite('async writer')
const folder = mkdtempSync(join(tmpdir(), 'qcow2-async-writer-'))
const path = join(folder, 'file')
test.after(() => rmSync(folder, { recursive: true }))

/** Fewest bytes that are written asynchronously. */
const least = 2 ** 15

/** Lengths of the writes of each round, all of which share one memory. */
const arbitraryRounds = fc.array(fc.array(fc.constantFrom(least, least + 1, 2 * least - 1), { maxLength: 2 }), {
  maxLength: 3 * maxRounds,
  size: 'max'
})

/** How writes that are started one after the other end: how many quarters are written; 0: the write fails. */
const arbitraryEnds = (...fewest: readonly number[]) =>
  fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(4) }, fc.constantFrom(...fewest, 1, 2, 3)), {
    maxLength: 40,
    size: 'max'
  })

/** Whether the caller lets writes complete before it goes on, one point after the other; else it does not. */
const arbitraryPauses = fc.array(fc.boolean(), { maxLength: 60 })

/** A range of the file that is put, and how many of its bytes are still to be written. */
interface Range {
  readonly from: number
  readonly to: number
  readonly value: number
  left: number
}

/** A fake of the system: the scheduler decides which write completes next, and `ends` how. */
class System {
  readonly disk: Uint8Array
  readonly ranges: Range[] = []
  /** Where writes failed. */
  readonly failures: number[] = []
  private readonly ends: number[]
  private readonly pauses: boolean[]

  constructor(
    private readonly scheduler: fc.Scheduler,
    size: number,
    ends: readonly number[],
    pauses: readonly boolean[]
  ) {
    this.disk = new Uint8Array(size)
    this.ends = [...ends]
    this.pauses = [...pauses]
  }

  readonly start: StartWrite = async (_, bytes, at) => {
    const quarters = this.ends.shift() ?? 4
    const length = Math.ceil((bytes.length * quarters) / 4)
    await this.scheduler.schedule(Promise.resolve(), `write ${length} of ${bytes.length} bytes at ${at}`)
    const range = this.ranges.find(({ from, to }) => from <= at && at < to)
    assert.ok(range?.to === at + bytes.length)
    if (length === 0) {
      range.left = 0
      this.failures.push(at)
      throw new Error(`at ${at}`)
    }
    this.disk.set(bytes.subarray(0, length), at)
    range.left -= length
    return length
  }

  /** A point where any writes may complete before the caller goes on. */
  async pause(): Promise<void> {
    if (this.pauses.shift() === true) await this.scheduler.schedule(Promise.resolve(), 'caller')
  }
}

/** Puts all rounds, or those up to the first failure, as a copy does; resolves to all failures that are reported. */
const copy = async (system: System, rounds: readonly (readonly number[])[], stops: boolean): Promise<string[]> => {
  const writer = new AsyncWriter(system.start)
  const memories = Array.from({ length: maxRounds }, () => new Uint8Array(4 * least))
  const ends: number[] = []
  const reported: string[] = []
  const wait = async (task: TaskEither<CommandError, void>): Promise<void> => {
    const message = await messageOf(task)
    if (message !== '') reported.push(message)
  }
  let at = 0
  for (const [i, lengths] of rounds.entries()) {
    const memory = memories[i % maxRounds]?.fill(i + 1) ?? new Uint8Array()
    let used = 0
    for (const length of lengths) {
      await system.pause()
      system.ranges.push({ from: at, to: at + length, value: i + 1, left: length })
      writer.put('file', -1, memory.subarray(used, used + length), at)
      used += length
      at += length
    }
    ends.push(at)
    await system.pause()
    await wait(writer.barrier)
    const over = ends.at(-maxRounds) ?? 0
    assert.ok(system.ranges.every(({ to, left }) => to > over || left === 0))
    if (stops && reported.length > 0) break
  }
  await system.pause()
  await wait(writer.end)
  assert.ok(system.ranges.every(({ left }) => left === 0))
  return reported
}

const sizeOf = (rounds: readonly (readonly number[])[]): number => rounds.flat().reduce((sum, n) => sum + n, 0)

/** Whether the bytes of a range are on the disk. */
const isWritten = ({ disk }: System, { from, to, value }: Range): boolean =>
  disk.subarray(from, to).every((byte) => byte === value)

/** Copies with a schedule, and looks at the system and at what is reported in the end. */
const holdsInAnyOrder = (
  ends: ReturnType<typeof arbitraryEnds>,
  look: (system: System, reported: readonly string[]) => void
): Promise<void> =>
  holdsInTime(
    fc.asyncProperty(
      fc.record({
        scheduler: fc.scheduler(),
        rounds: arbitraryRounds,
        ends,
        pauses: arbitraryPauses,
        stops: fc.boolean()
      }),
      async ({ scheduler, rounds, ends, pauses, stops }) => {
        const system = new System(scheduler, sizeOf(rounds), ends, pauses)
        look(system, await scheduler.waitFor(copy(system, rounds, stops)))
      }
    ),
    { runs: 400 }
  )

test('in whatever order writes complete, a barrier ends the oldest round, and every byte reaches its place', async () => {
  await holdsInAnyOrder(arbitraryEnds(), (system, reported) => {
    assert.equal(reported, [])
    assert.ok(system.ranges.every((range) => isWritten(system, range)))
  })
})

test('of the writes that fail the first is reported, exactly once, and the others reach their places', async () => {
  await holdsInAnyOrder(arbitraryEnds(0), (system, reported) => {
    const { failures, ranges } = system
    assert.equal(reported, failures.length === 0 ? [] : [`Could not write 'file': at ${Math.min(...failures)}`])
    const failed = ({ from, to }: Range): boolean => failures.some((at) => from <= at && at < to)
    assert.ok(ranges.every((range) => failed(range) || isWritten(system, range)))
  })
})

test('a barrier waits only where the most rounds are in flight', async () => {
  const held: (() => void)[] = []
  const writer = new AsyncWriter((_, { length }) => new Promise((resolve) => held.push(() => resolve(length))))
  await valueOf(writer.barrier)
  for (let i = 1; i < maxRounds; i++) {
    writer.put('file', -1, new Uint8Array(least), 0)
    await valueOf(writer.barrier)
  }
  writer.put('file', -1, new Uint8Array(least), 0)
  let isOver = false
  const last = valueOf(writer.barrier).then(() => {
    isOver = true
  })
  await new Promise(setImmediate)
  assert.not.ok(isOver)
  held[0]?.()
  await last
  held.forEach((complete) => complete())
  await valueOf(writer.end)
})

test('bytes at an offset that is no safe integer are not written, now or later', async () => {
  writeFileSync(path, 'before')
  const fd = openSync(path, 'r+')
  const places = fc.oneof(fc.double({ min: 2 ** 53 }), fc.constantFrom(2 ** 53 - least, 2 ** 53 - 1, 0.5, NaN))
  await holdsInTime(
    fc.asyncProperty(places, async (at) => {
      const started: number[] = []
      const writer = new AsyncWriter((_, bytes, place) => Promise.resolve(started.push(place) * bytes.length))
      writer.put('file', fd, new Uint8Array(least), at)
      assert.match(await messageOf(writer.end), /too large/)
      assert.equal(started, [])
    })
  )
  for (const at of [2 ** 53, 2 ** 55, 0.5])
    assert.match(await messageOf(TE.fromEither(writeAt('file', fd, new Uint8Array(512), at))), /too large/)
  closeSync(fd)
  assert.is(readFileSync(path, 'latin1'), 'before')
})

test('a write that fails at once is reported at once, and by nothing later', async () => {
  const writer = new AsyncWriter(() => Promise.reject(new Error('later')))
  writer.put('file', -1, new Uint8Array(least), 0)
  assert.match(await messageOf(TE.fromEither(writer.put('file', -1, new Uint8Array(1), 0))), /fd/)
  await valueOf(writer.end)
})

test('a file holds the bytes that were written, and failures of the system are reported', async () => {
  const lengths = [0, 1, 4096, 2 ** 15, 2 ** 18, 3, 2 ** 15, 2 ** 20, 2 ** 15]
  const parts = lengths.map((length, i) => Buffer.alloc(length, i + 1))
  const file = openSync(path, 'w+')
  const writer = new AsyncWriter()
  let at = 0
  for (const part of parts) {
    writer.put('file', file, part, at)
    at += part.length
    await valueOf(writer.barrier)
  }
  await valueOf(writer.end)
  closeSync(file)
  assert.ok(readFileSync(path).equals(Buffer.concat(parts)))

  const readOnly = openSync(path, 'r')
  const refused = new AsyncWriter()
  refused.put('file', readOnly, new Uint8Array(least), 0)
  assert.match(await messageOf(refused.end), /bad file descriptor/)
  await valueOf(refused.end)
  closeSync(readOnly)
})

test.run()
