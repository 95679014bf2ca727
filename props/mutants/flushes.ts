/** Faults of the order in which writes become durable: flushes that are not there, and stages that change places. */
import type { Mutant } from './mutant.js'

const fault = (name: string, find: string, replace: string, file = 'engine/transaction.js'): Mutant => ({
  name,
  file: `transition/${file}`,
  edits: [[find, replace]],
  red: 'props/transition/crash/flushes.test.ts',
  rule: 'the scripts of the table break nothing'
})

const unwaited = (stage: string, name: string): Mutant =>
  fault(name, "if (first === 'release' ||", `if (first === '${stage}' || first === 'release' ||`)

export const flushMutants: readonly Mutant[] = [
  unwaited('prepare', 'what is new is seen before it is there'),
  unwaited('cover', 'a refcount table is trusted before the header names it'),
  unwaited('record', 'data is seen before the bits of dirty bitmaps'),
  unwaited('expose', 'counts fall before nothing points any more'),
  unwaited('settle', 'space is given back before the second word says so'),
  fault('no stage waits for another', '...(n === 0 ? [] : [flush]),', ''),
  fault('a round waits for nothing of the one before', ": second !== 'prepare'", ': false'),
  fault('a release waits for nothing', "first !== 'settle' || second !== 'release'", "second !== 'release'"),
  fault(
    'counts fall before a pointer has moved',
    "'record', 'expose', 'settle', 'release', 'retire'",
    "'record', 'release', 'settle', 'expose', 'retire'"
  ),
  fault('bits are recorded behind the data', "'record', 'expose', 'settle'", "'expose', 'record', 'settle'"),
  fault('the second word changes first', "'expose', 'settle', 'release'", "'settle', 'expose', 'release'"),
  fault(
    'counts are durable after what needs them',
    "'cover', 'extend', 'record', 'expose'",
    "'expose', 'extend', 'record', 'cover'"
  ),
  fault(
    'the header names a refcount table that is not there yet',
    "yield* w.changeHeader('cover', {\n        refcountTableOffset",
    "yield* w.changeHeader('prepare', {\n        refcountTableOffset",
    'amend/refcount-width.js'
  )
]
