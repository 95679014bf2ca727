/** Every line in which the output of a shell test differs is explained by a row, or reported. */
import * as assert from 'uvu/assert'
import { suite } from '../run/suite.js'
import { changes, type Difference, unexplained } from './compare.js'
import { listed } from './list.js'

const test = suite('iotests')

const row: Difference = { reason: 'wording', why: 'messages', qemu: [1, /^qemu: /], ours: [1, /^qemu: /] }

test('the name of the program, the clause of a message and spaces at the end of a line are no difference', () => {
  const outputs = ['== a ==  \nqemu-io: no file\n', '== a ==\nqcow2: no file [OPEN-01]\n'] as const
  assert.equal(changes(...outputs), { qemu: [], ours: [] })
})

test('a line of one output only is a change', () => {
  assert.equal(changes('a\nread 512\nc\n', 'a\nread failed\nc\n'), { qemu: ['read 512'], ours: ['read failed'] })
})

test('a row explains the lines that its patterns match, and no other line', () => {
  const both = { qemu: ['qemu: Image is too big'], ours: ['qemu: header size at byte 24'] }
  assert.equal(unexplained(both, [row]), [])
  assert.equal(unexplained(both, []), ['- qemu: Image is too big', '+ qemu: header size at byte 24'])
  assert.equal(unexplained({ ...both, ours: [...both.ours, 'read 512'] }, [row]), ['+ read 512'])
})

test('a row that explains more or fewer lines than it lists is reported', () => {
  const error = 'qemu: Image is too big'
  assert.equal(unexplained({ qemu: [error, error], ours: [] }, [row]), [
    '? 2 lines of qemu, 1 are listed: messages',
    '? 0 lines of ours, 1 are listed: messages'
  ])
})

test('a rule of ours names its clause, or is about what info prints', () => {
  const rules = [...listed.values()].flat().filter(({ reason }) => reason === 'our rule')
  assert.ok(rules.length > 0)
  for (const { clause, why } of rules) assert.ok(clause !== undefined || why.startsWith('info '), why)
})

test.run()
