/** The account of a test file in a trial. */
import * as t from 'io-ts'

export const FileAccount = t.readonly(
  t.type({
    path: t.string,
    /** The full titles of tests that failed or never ran. */
    failed: t.readonlyArray(t.string),
    /** Generated cases of its properties. */
    cases: t.number,
    /** Skipped tests: those that need QEMU, in a run without it. */
    skipped: t.number,
    /** CPU time of the process for this file, in seconds. */
    cpu: t.number
  })
)
export type FileAccount = t.TypeOf<typeof FileAccount>
