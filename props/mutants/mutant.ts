/** A planted fault: a change of the built code that some test must notice. */

export interface Mutant {
  /** What goes wrong. */
  readonly name: string
  /** The built file, below dist/src. */
  readonly file: string
  /** Each text stands exactly once in the file and becomes the other one. */
  readonly edits: readonly (readonly [find: string, replace: string])[]
  /** The test file that must fail. */
  readonly red: string
  /** The title of the test in it that must fail. */
  readonly rule: string
  /** Whether the test holds something against QEMU. */
  readonly byQemu?: boolean
}
