/** Loaded before a command: at its end, the most memory that it had is the last line on stderr, in bytes. */
import { existsSync, readFileSync } from 'node:fs'

const status = '/proc/self/status'

const kilobytes = (): number =>
  existsSync(status) ? Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]) : process.resourceUsage().maxRSS

process.on('exit', () => {
  process.stderr.write(`\n${kilobytes() * 1024}\n`)
})
