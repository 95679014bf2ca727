/** The reference checker returns the counts of `qemu-img check`. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { check, type Counts, exitCode } from '../../../spec/reference/check.js'
import { note, suite } from '../../run/suite.js'
import { opened, tally } from './corpus.js'

const test = suite('reference check')

test('the exit code and every count equal those of qemu-img check', () => {
  const codes: string[] = []
  for (const { name, expect, reference } of opened('check')) {
    const { exit, stdout, stderr } = expect.check
    const ours = check(reference)
    if (E.isLeft(ours)) throw new Error(`${name}: ${ours.left}`)
    const theirs: Counts = {
      corruptions: stdout?.corruptions ?? 0,
      leaks: stdout?.leaks ?? 0,
      checkErrors: stdout?.['check-errors'] ?? 0,
      totalClusters: stdout?.['total-clusters'] ?? 0,
      allocatedClusters: stdout?.['allocated-clusters'] ?? 0,
      fragmentedClusters: stdout?.['fragmented-clusters'] ?? 0,
      compressedClusters: stdout?.['compressed-clusters'] ?? 0,
      imageEndOffset: stdout?.['image-end-offset'] ?? 0
    }
    assert.equal(ours.right, theirs, `${name}: ${stderr}`)
    assert.is(exitCode(ours.right), exit, name)
    codes.push(`exit ${exit ?? 'none'}`)
  }
  note(`${codes.length} images with the eight counts of qemu-img check: ${tally(codes)}`)
  assert.ok(codes.length > 480)
})

test.run()
