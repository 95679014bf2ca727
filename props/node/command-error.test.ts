/** The one way to fail: a body in do notation ends at its first failure, and cleans up. */
import { openSync } from 'node:fs'
import { open } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { issue } from '../../src/bytes/issue.js'
import {
  because,
  type CommandError,
  commandError,
  either,
  failure,
  get,
  system,
  systemTask,
  task,
  wait
} from '../../src/node/command-error.js'
import { suite } from '../run/suite.js'

const test = suite('command error')

const second: readonly E.Either<CommandError, number>[] = [E.right(2), failure('no second step')]

for (const result of second) {
  const expected = E.isRight(result) ? { result: E.right(3), seen: ['second', 'closed'] } : { result, seen: ['closed'] }

  test(`a body whose second step is ${result._tag} ends there, and its finally block runs`, () => {
    const seen: string[] = []
    const sum = either(function* () {
      try {
        const a = yield* get(E.right(1))
        const b = yield* get(result)
        seen.push('second')
        return a + b
      } finally {
        seen.push('closed')
      }
    })()
    assert.equal({ result: sum, seen }, expected)
  })

  test(`a task whose second step is ${result._tag} ends there, and its finally block has run`, async () => {
    const seen: string[] = []
    const sum = task(async function* () {
      try {
        const a = yield* get(E.right(1))
        const b = yield* wait(() => Promise.resolve(result))
        seen.push('second')
        return a + b
      } finally {
        await Promise.resolve()
        seen.push('closed')
      }
    })()
    assert.equal(seen, [])
    assert.equal({ result: await sum(), seen }, expected)
  })
}

test('an exception of the system becomes an error with its reason and the name of the file', async () => {
  const expected = failure("Could not open '/nowhere': no such file or directory", { file: '/nowhere' })
  assert.equal(
    system('open', '/nowhere', () => openSync('/nowhere', 'r')),
    expected
  )
  assert.equal(await systemTask('open', '/nowhere', () => open('/nowhere', 'r'))(), expected)
  assert.equal(
    system('open', 'a', () => 7),
    E.right(7)
  )
})

test('an issue becomes an error with its clause and byte offset; an error stays as it is', () => {
  const found = issue({
    clause: 'HDR-02',
    phase: 'invalid',
    source: 'both',
    structure: 'header',
    field: 'version',
    at: 4,
    size: 4,
    found: '7',
    expected: '2 or 3'
  })
  assert.equal(because("Could not open 'a'", 'a')([found]), {
    message: "Could not open 'a': header version at byte 4: found 7, expected 2 or 3 [HDR-02]",
    exitCode: 1,
    clause: 'HDR-02',
    file: 'a',
    offset: 4
  })
  const full = commandError("Could not write 'b': no space left on device", { file: 'b' })
  assert.is(because("Could not open 'a'", 'a')(full), full)
})

test.run()
