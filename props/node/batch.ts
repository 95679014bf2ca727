/** Command lines that one process carries out, each as if it were alone. */
import { spawnSync } from 'node:child_process'

const helper = `
import { readFileSync } from 'node:fs'
import { execute } from ${JSON.stringify(new URL('../../src/node/program.js', import.meta.url).href)}
process.on('warning', () => undefined)
for (const words of JSON.parse(readFileSync(0, 'utf8'))) {
  const errors = []
  const done = await execute(words, ({ message }) => errors.push(message))()
  if (done._tag === 'Left') errors.push(done.left.message)
  console.log('\\0' + JSON.stringify({ code: done._tag === 'Left' ? done.left.exitCode : done.right, errors }) + '\\0')
}`

/** The outcome of a command line. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** What each line prints in a folder, and how it ends. */
export const runLines = (cwd: string, lines: readonly (readonly string[])[]): readonly Ran[] => {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', helper], {
    cwd,
    input: JSON.stringify(lines),
    encoding: 'utf8'
  })
  const pieces = stdout.split('\0')
  return lines.map((_, i) => {
    const { code, errors } = JSON.parse(pieces[2 * i + 1] ?? '{}') as { code: number; errors: readonly string[] }
    return { code, out: (pieces[2 * i] ?? '').replace(/^\n/, ''), error: errors.join('\n') }
  })
}
