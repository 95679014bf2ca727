/** Carries out the orders of the parent process, and sends it an account of each test file. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as suiteModule from '../run/suite.js'
import { type FileAccount, Order } from './account.js'

// Without a parent nobody asks any more.
process.on('disconnect', () => process.exit(0))

/** Where uvu queues suites when UVU_DEFER is set. */
const queue: (() => Promise<unknown>)[] = []
Object.assign(globalThis, { UVU_DEFER: 1, UVU_QUEUE: [queue], UVU_INDEX: 0 })

/** The runner of a copy, with the tests that its test files register. */
type Runner = typeof suiteModule

const isRunner = (loaded: unknown): loaded is Runner =>
  typeof loaded === 'object' && loaded !== null && 'select' in loaded && 'report' in loaded

const send = (account: FileAccount): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) throw new Error('there is no parent process')
    process.send(account, () => resolve())
  })

/** The account of a test file of a copy, once its tests have run. */
const run = async (runner: Runner, built: URL, path: string, title: string): Promise<FileAccount> => {
  const { fail, reason, report, select, suitesRun } = runner
  const [before, suites, began] = [report(), suitesRun(), process.cpuUsage()]
  const counts = {
    registered: before.registered.length,
    failures: before.failures.length,
    skipped: before.skipped.length
  }
  queue.length = 0
  select(path, [title])
  try {
    await import(new URL(path.replace(/\.ts$/, '.js'), built).href)
    if (queue.length !== suitesRun() - suites) throw new Error('has a suite that is not from props/run/suite.ts')
    for (const each of queue) await each().catch(() => undefined)
  } catch (thrown) {
    fail(path, reason(thrown))
  }
  const { user, system } = process.cpuUsage(began)
  const { registered, passed, failures, neverRan, cases, skipped } = report()
  return {
    path,
    registered: registered.slice(counts.registered),
    passed: passed - before.passed,
    failed: [
      ...failures.slice(counts.failures).map(({ title, text }) => ({ title, text })),
      ...neverRan.map((title) => ({ title, text: 'never ran' }))
    ],
    cases: cases - before.cases,
    skipped: skipped.length - counts.skipped,
    cpu: (user + system) / 1e6
  }
}

const carryOut = async ({ folder, paths, title }: Order): Promise<void> => {
  process.chdir(folder)
  const built = pathToFileURL(join(folder, 'dist/'))
  const runner: unknown = await import(new URL('props/run/suite.js', built).href)
  if (!isRunner(runner)) throw new Error(`${folder} has no runner`)
  for (const path of paths) {
    const account = await run(runner, built, path, title)
    await send(account)
    if (account.failed.length > 0) break
  }
}

process.on('message', (message) => {
  const order = Order.decode(message)
  if (order._tag === 'Left') throw new Error('is no order')
  void carryOut(order.right)
})
