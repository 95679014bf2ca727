/**
 * Runs built test files, as `node worker.js PATH...`, one after the other until a test fails, and sends an account of each to
 * the parent process.
 */
import type { FileAccount } from './account.js'

// Without a parent nobody asks any more.
process.on('disconnect', () => process.exit(1))

const built = new URL('../../', import.meta.url)

/** Where uvu queues suites when UVU_DEFER is set. */
const queue: (() => Promise<unknown>)[] = []
Object.assign(globalThis, { UVU_DEFER: 1, UVU_QUEUE: [queue], UVU_INDEX: 0 })

const { fail, reason, report, select, suitesRun } = await import('../run/suite.js')

const send = (account: FileAccount): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) throw new Error('there is no parent process')
    process.send(account, () => resolve())
  })

/** The account of a test file, once its tests have run. */
const run = async (path: string): Promise<FileAccount> => {
  const [before, suites, began] = [report(), suitesRun(), process.cpuUsage()]
  const counts = [before.failures.length, before.skipped.length] as const
  queue.length = 0
  select(path, [])
  try {
    await import(new URL(path.replace(/\.ts$/, '.js'), built).href)
    if (queue.length !== suitesRun() - suites) throw new Error('has a suite that is not from props/run/suite.ts')
    for (const each of queue) await each().catch(() => undefined)
  } catch (thrown) {
    fail(path, reason(thrown))
  }
  const { user, system } = process.cpuUsage(began)
  const { failures, neverRan, cases, skipped } = report()
  return {
    path,
    failed: [...failures.slice(counts[0]).map(({ title }) => title), ...neverRan],
    cases: cases - before.cases,
    skipped: skipped.length - counts[1],
    cpu: (user + system) / 1e6
  }
}

for (const path of process.argv.slice(2)) {
  const account = await run(path)
  await send(account)
  if (account.failed.length > 0) break
}
process.exit(0)
