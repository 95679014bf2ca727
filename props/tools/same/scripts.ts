/** Random scripts as data: commands that fit the abstract disk, and some that no disk takes. */
import fc from 'fast-check'
import { blankDisk, type Disk, step } from '../../../spec/disk.js'
import { imageName } from '../../../corpus/recipe.js'
import { arbitraryScript, commandOf, type Move } from '../../arbitrary/script.js'
import { arbitraryShape, backingOf, minimalShapes, type Shape, traitsOf } from '../../arbitrary/shape.js'
import { type Files, perhaps } from '../../transition/model/machine.js'
import { begin } from '../../transition/model/recording.js'
import { inWords } from '../../transition/model/script-text.js'
import * as E from 'fp-ts/lib/Either.js'
import type { PlainScript } from './protocol.js'
import { Random } from '../../../src/fuzz/random.js'

interface Drawn {
  readonly shape: Shape
  readonly moves: readonly Move[]
  readonly odd: readonly number[]
  /** What the damage and the repairs at the end depend on; none for 0. */
  readonly end: number
}

const shapes = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...minimalShapes) },
  { weight: 1, arbitrary: arbitraryShape.filter(({ options }) => (options.clusterBits ?? 16) <= 14) }
)

/** Shapes, some with clusters that are leaked from the start. */
const leaking = fc
  .tuple(shapes, fc.constantFrom(0, 0, 1, 3))
  .map(([shape, leaked]): Shape => (leaked === 0 ? shape : { ...shape, leaked }))

const drawn: fc.Arbitrary<Drawn> = fc.record({
  shape: leaking,
  end: fc.oneof(fc.constant(0), fc.nat(0xffff)),
  moves: arbitraryScript(3, 20),
  odd: fc.array(fc.nat(0xffff), { minLength: 20, maxLength: 20 })
})

const each = 250
const batches = new Map<number, readonly Drawn[]>()

/** Script `n` of a seed. */
const drawnAt = (seed: number, n: number): Drawn => {
  const key = (seed + Math.imul(Math.floor(n / each), 7919)) | 0
  const batch = batches.get(key) ?? fc.sample(drawn, { seed: key, numRuns: each })
  if (batches.size > 2) batches.clear()
  batches.set(key, batch)
  const found = batch[n % each]
  if (found === undefined) throw new Error(`there is no script ${n}`)
  return found
}

/** What is done to an image as a whole, and what is refused. */
const oddLine = (random: Random, end: number): string => {
  const at = 512 * random.below(1 + end / 512)
  return random.of([
    'amend -o compat=0.10',
    'amend -o compat=1.1',
    `amend -o refcount_bits=${2 ** random.below(7)}`,
    'amend -o lazy_refcounts=on',
    'amend -o lazy_refcounts=off',
    'rebase -u',
    'rebase -u -b backing.raw -F raw',
    'empty',
    'check -r leaks',
    'check -r all',
    `damage ${8 * random.below(1 + end / 8)} ${random.below(2) === 0 ? '8000000000000400' : '00'}`,
    `damage ${512 * random.below(16) + 8 * random.below(8)} ${(random.below(2 ** 16) + 2 ** 16).toString(16).padStart(16, '0')}`,
    `mark b${random.below(8)} ${at} ${at + 1024}`,
    `vm-state ${512 * random.below(20)} ${random.below(3000)}`,
    `write ${end} 512`,
    `write ${at} ${end}`,
    `write -c ${at + 1} 512`,
    `write -z ${end - 511} 1024`,
    `discard ${at} ${end + 512}`,
    `resize ${random.below(100_000)}`,
    `resize --preallocation=${random.of(['metadata', 'falloc', 'full'])} ${end + 512 * random.below(40)}`,
    `snapshot -c ${'n'.repeat(random.of([1, 255, 256]))}`,
    'snapshot -a nobody',
    'snapshot -d nobody',
    `bitmap --add -g ${random.of([512, 1000, 256, 65536])} b${random.below(8)}`,
    'bitmap --remove nobody',
    'bitmap --merge nobody b1'
  ])
}

/** Words in the tables of the first clusters are changed, and the image is repaired and used again. */
const ending = (random: Random, clusterSize: number): readonly string[] => {
  const damage = (): string => {
    const at = clusterSize * (1 + random.below(7)) + 8 * random.below(8)
    const value = random.of(['0000000000000000', '0001000100010001', '0002', '0000', '8000000000000400', '03', '7fff'])
    return `damage ${at} ${value}`
  }
  return [
    ...Array.from({ length: 1 + random.below(3) }, damage),
    `check -r ${random.of(['leaks', 'all'])}`,
    'write 0 600',
    'check -r all',
    'write 512 100',
    'discard 0 4096'
  ]
}

/** The lines of a script, which follow the abstract disk as long as it is one. */
const linesOf = ({ shape, moves, odd, end }: Drawn): readonly string[] => {
  const lines: string[] = []
  let disk: Disk = blankDisk(traitsOf(shape), Math.ceil(shape.options.size / 512) * 512, backingOf(shape))
  for (const [i, move] of moves.entries()) {
    const chance = odd[i % odd.length] ?? 0
    if (chance % 6 === 0) lines.push(oddLine(new Random(chance), disk.content.length))
    const command = commandOf(move, disk, lines.length + 1)
    lines.push(inWords(command))
    const outcome = step(command, disk)
    if (outcome._tag === 'Done') ({ disk } = outcome)
  }
  return end === 0 ? lines : [...lines, ...ending(new Random(end), 2 ** (shape.options.clusterBits ?? 16))]
}

/** Script `n` of a seed as data. */
export const scriptAt = (seed: number, n: number): PlainScript => {
  const script = drawnAt(seed, n)
  return { shape: script.shape, lines: linesOf(script) }
}

const companionsOf = ({ data, backing }: Files): readonly (readonly [string, Uint8Array])[] => [
  ...(data.length === 0 ? [] : [['data.raw', data] as const]),
  ...(backing.length === 0 ? [] : [['backing.raw', backing] as const])
]

/** The files that script `n` of a seed makes, without what it does to the image as a whole. */
export const scriptFiles = (
  seed: number,
  n: number
): { readonly files: ReadonlyMap<string, Uint8Array>; readonly recipe: string } => {
  const { shape, moves } = drawnAt(seed, n)
  const backing = backingOf(shape)
  let disk: Disk = blankDisk(traitsOf(shape), Math.ceil(shape.options.size / 512) * 512, backing)
  let { machine } = begin(shape)
  for (const [i, move] of moves.entries()) {
    const command = commandOf(move, disk, i + 1)
    const [outcome, done] = [step(command, disk), perhaps(machine, command)]
    if (outcome._tag === 'Done' && E.isRight(done)) [disk, machine] = [outcome.disk, done.right]
  }
  return {
    files: new Map([[imageName, machine.files.image], ...companionsOf(machine.files)]),
    recipe: `script ${n} of seed ${seed}`
  }
}
