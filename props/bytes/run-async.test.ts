/** runAsync gives the result of runSync, and ends with the failure of its driver. */
import { inspect } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import { type BlobLike, fromBlob } from '../../src/bytes/blob.js'
import { fromMemory, type Plan, type Read, readAt, runSync, emit } from '../../src/bytes/plan.js'
import { type Failure, runAsync, showFailure } from '../../src/bytes/run-async.js'
import { check } from '../../src/image/check/check.js'
import { dump } from '../../src/image/dump/dump.js'
import { readInfo } from '../../src/image/info.js'
import { note, suite } from '../run/suite.js'

/** A value in full as text, which compares quickly. */
const all = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity }

const test = suite('plans in their own time')

/** The result of a plan and what it emits. */
const now = <A, W>(image: Uint8Array, plan: () => Plan<A, W>) => {
  const emitted: W[] = []
  return { end: runSync(plan(), { read: fromMemory(image), emit: (w) => emitted.push(w) }), emitted }
}

const later = async <A, W>(image: Uint8Array, plan: () => Plan<A, W>) => {
  const emitted: W[] = []
  const end = await runAsync(plan, { read: fromBlob(new Blob([image])), emit: (w) => emitted.push(w) })()
  return { end, emitted }
}

test('info, check and dump of an image give the same from a Blob as from memory, also of a broken image', async () => {
  const images = names()
    .filter((name) => /^(broken|odd)-/.test(name))
    .map((name) => load(name).image)
    .filter((image) => image.length <= 2 ** 15)
  for (const image of images)
    for (const plan of [readInfo, () => check(image.length), () => dump(image.length, 'none')]) {
      const [a, b] = [await later<unknown, unknown>(image, plan), now<unknown, unknown>(image, plan)]
      assert.ok(inspect(a, all) === inspect(b, all), `an image of ${image.length} bytes`)
    }
  assert.ok(images.length > 100)
  note(`${images.length} images of the corpus, three plans each`)
})

test('each run of the task starts a fresh plan', async () => {
  const image = load('case-49-snapshots').image
  const task = runAsync(readInfo, { read: fromBlob(new Blob([image])) })
  assert.equal(await task(), await task())
  assert.ok(E.isRight(await task()))
})

test('a plan fails with the issues of runSync', async () => {
  const [a, b] = [now(new Uint8Array(600), readInfo), await later(new Uint8Array(600), readInfo)]
  assert.equal(b.end, a.end)
  assert.match(E.isLeft(b.end) ? showFailure(b.end.left) : '', /magic.*\[OPEN-01\]$/)
})

const reason = (end: E.Either<Failure, unknown>): string => (E.isLeft(end) ? showFailure(end.left) : 'no failure')

test('a plan ends at the first failed read and asks for nothing more', async () => {
  const asked: Read[] = []
  const plan = function* (): Plan<number, string> {
    yield* emit('before')
    yield* readAt(0, 1)
    yield* readAt(1, 1)
    yield* emit('after')
    return 1
  }
  const emitted: string[] = []
  const end = await runAsync(plan, {
    read: (request) => {
      asked.push(request)
      return request.at === 0 ? TE.right(new Uint8Array(1)) : TE.left({ _tag: 'Unanswered', reason: 'no line' })
    },
    emit: (w) => emitted.push(w)
  })()
  assert.is(reason(end), 'no line')
  assert.is(asked.length, 2)
  assert.equal(emitted, ['before'])
})

test('a Blob that cannot be read is a failure with its reason, not an exception', async () => {
  const gone: BlobLike = {
    size: 1000,
    slice: () => ({ arrayBuffer: () => Promise.reject(new Error('the file was changed')) })
  }
  assert.is(reason(await runAsync(readInfo, { read: fromBlob(gone) })()), 'the file was changed')
})

test.run()
