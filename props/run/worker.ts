/** Runs one built test file, as `node worker.js PATH URL GREP...`, and sends its report to the parent process. */
const [, , path = '', url = '', ...greps] = process.argv

/** Where uvu queues suites when UVU_DEFER is set. */
const queue: (() => Promise<unknown>)[] = []
Object.assign(globalThis, { UVU_DEFER: 1, UVU_QUEUE: [queue], UVU_INDEX: 0 })

const { fail, reason, report, select, suitesRun } = await import('./suite.js')
select(path, greps)
try {
  await import(url)
  if (queue.length !== suitesRun()) throw new Error('has a suite that is not from props/run/suite.ts')
  if (report().registered.length === 0) throw new Error('has no test')
  // A suite whose hook throws ends early or rejects; either way the hook is on record, and so are the tests left waiting.
  for (const run of queue) await run().catch(() => undefined)
} catch (thrown) {
  fail(path, reason(thrown))
}
process.send?.(report(), () => process.disconnect())
