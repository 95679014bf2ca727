/** Issues: what they say in one line, whose they are, and which of them QEMU refuses an image over. */
import { PathReporter } from 'io-ts/lib/PathReporter.js'
import * as assert from 'uvu/assert'
import { type Complaint, issue, refusalOf, shift, show, under } from '../../src/bytes/issue.js'
import { header } from '../../src/format/header.js'
import { suite } from '../run/suite.js'
import { same } from './laws.js'
import { bytesIn } from './notation.js'

const test = suite('issue')

const complaint: Complaint = {
  clause: 'OPEN-03',
  phase: 'invalid',
  source: 'both',
  structure: 'header',
  field: 'cluster_bits',
  at: 20,
  size: 4,
  found: '8',
  expected: 'at least 9'
}

test('an issue names what, where and the clause', () => {
  assert.is(show(complaint), 'header cluster_bits at byte 20: found 8, expected at least 9 [OPEN-03]')
  assert.is(show({ ...complaint, field: '' }), 'header at byte 20: found 8, expected at least 9 [OPEN-03]')
})

test('an issue that moves says so', () => {
  const [moved] = shift(512)([issue(complaint)])
  same([moved?.at, moved?.message], [532, show({ ...complaint, at: 532 })])
})

test('a rule of both parties holds under either, and a rule of one under that one', () => {
  const issues = (['both', 'format', 'qemu'] as const).map((source) => issue({ ...complaint, source }))
  const sources = (party: 'format' | 'qemu') => under(party)(issues).map((i) => i.source)
  same(sources('format'), ['both', 'format'])
  same(sources('qemu'), ['both', 'qemu'])
})

test('QEMU refuses an image over its own opening checks, and over issues that name one of them', () => {
  assert.is(refusalOf(complaint), 'OPEN-03')
  assert.is(refusalOf({ ...complaint, source: 'format' }), undefined)
  assert.is(refusalOf({ ...complaint, clause: 'HDR-02' }), undefined)
  assert.is(refusalOf({ ...complaint, clause: 'HDR-02', refusal: 'OPEN-04' }), 'OPEN-04')
})

test('PathReporter of io-ts prints the line', () => {
  same(PathReporter.report(header.decode(bytesIn('514649fb00000004 00*96'))), [
    'header version at byte 4: found 4, expected 2 or 3 [OPEN-02]'
  ])
})

test.run()
