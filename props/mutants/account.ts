/** What a trial's process is asked to run, and the accounts that it sends. */
import * as t from 'io-ts'

/** Test files to run one after another, until a test fails. */
export const Order = t.readonly(
  t.type({
    /** The copy of the build. */
    folder: t.string,
    /** The paths of the test files' sources below the root. */
    paths: t.readonlyArray(t.string),
    /** Only tests run whose full title has this. */
    title: t.string
  })
)
export type Order = t.TypeOf<typeof Order>

export const FileAccount = t.readonly(
  t.type({
    path: t.string,
    /** The full titles of all its tests, selected or not. */
    registered: t.readonlyArray(t.string),
    passed: t.number,
    /** The tests that failed or never ran. */
    failed: t.readonlyArray(t.type({ title: t.string, text: t.string })),
    /** Generated cases of its properties. */
    cases: t.number,
    /** Skipped tests: those that need QEMU, in a run without it. */
    skipped: t.number,
    /** CPU time of the process for this file, in seconds. */
    cpu: t.number
  })
)
export type FileAccount = t.TypeOf<typeof FileAccount>
