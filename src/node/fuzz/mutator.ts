/**
 * The mutator: images on standard input become others on standard output, for the custom mutators of AFL++ and libFuzzer.
 *
 * A request is a u32 seed, a u32 of the most bytes that are taken, a u32 length and the bytes; an answer is a u32 length and
 * the bytes. Numbers are little-endian.
 */
import { readSync } from 'node:fs'
import type * as E from 'fp-ts/lib/Either.js'
import { imageOf } from '../../fuzz/image.js'
import { drawnChoices } from '../../fuzz/choices.js'
import { mutated, type Parent, parentOf } from '../../fuzz/mutation.js'
import { Random } from '../../fuzz/random.js'
import { type CommandError, either, failure, get, system } from '../command-error.js'
import { printBytes } from '../files/output.js'

/** Longest image of a request, in bytes: no fuzzer makes one of that length. */
const longestRequest = 2 ** 28

/** Longest image that is taken apart, in bytes. */
const longest = 2 ** 20

/** Of so many answers one is a generated image. */
const fresh = 16

/** Reads so many bytes of standard input; fewer at its end. */
const take = (length: number): E.Either<CommandError, Buffer> =>
  system('read', 'standard input', () => {
    const bytes = Buffer.alloc(length)
    let done = 0
    for (let n = 1; done < length && n > 0; done += n) n = readSync(0, bytes, done, length - done, null)
    return bytes.subarray(0, done)
  })

/** Parents by their bytes: a fuzzer asks for many mutations of one image. */
class Parents {
  private last: Parent = { image: new Uint8Array(0), places: [], pointers: [] }

  of(image: Uint8Array): Parent {
    if (Buffer.compare(this.last.image, image) !== 0) this.last = parentOf(image)
    return this.last
  }
}

const answerOf = (parents: Parents, image: Uint8Array, seed: number): Uint8Array => {
  const random = new Random(seed)
  const other = imageOf(drawnChoices(seed, 0)).bytes
  if (image.length === 0 || image.length > longest || random.below(fresh) === 0) return other
  return mutated(parents.of(image), random, other)
}

/** Answers requests up to the end of standard input; one that is cut off gets no answer, and one that is too long an error. */
export const mutate = either(function* () {
  const parents = new Parents()
  const head = new Uint8Array(4)
  for (;;) {
    const request = yield* get(take(12))
    if (request.length < 12) return
    const [seed, most, length] = [request.readUInt32LE(0), request.readUInt32LE(4), request.readUInt32LE(8)]
    if (length > longestRequest)
      return yield* get(failure(`A request of ${length} bytes is longer than ${longestRequest}`))
    const image = yield* get(take(length))
    if (image.length < length) return
    const answer = answerOf(parents, new Uint8Array(image), seed).subarray(0, most)
    new DataView(head.buffer).setUint32(0, answer.length, true)
    yield* get(printBytes(head))
    yield* get(printBytes(answer))
  }
})
