/**
 * Witnesses as documents: a section for each clause, in the Markdown file beside the clauses of its chapter.
 *
 *     ## REF-01
 *
 *     A snapshot raises the refcount of each data cluster.
 *
 *     ```console
 *     $ qemu-img create -f qcow2 a.qcow2 1M
 *     $ qemu-io -c 'write 0 64k' a.qcow2
 *     $ qemu-img snapshot -c s a.qcow2
 *     $ peek a.qcow2 [[48]]+2*5 2
 *     0002
 *     ```
 *
 *     ```diff
 *     - qemu-img snapshot -c s a.qcow2
 *     ```
 *
 * A `console` block is a script: command lines, and below each what it prints. It runs once for each party: QEMU 7.2, 10 and
 * 11, and `ours`, where qemu-img and qemu-io are the command of this package. Names after `console` restrict it to these
 * parties, `qemu` being all versions of QEMU. `{ours} `, `{7.2} ` or `{10 11} ` before a line restricts the line. A line `...`
 * is any lines, and `...` inside a line is any text. A command without output below it must succeed, and may print anything;
 * `exit 1` below it, after its output, is its exit code. Beside qemu-img, qemu-io and qcow2 there are the words of bytes.ts, and
 * `trace [--words] COMMAND`, which prints what the command writes to its image, epoch by epoch (epochs.ts).
 *
 * The `diff` block is the negative control of the script before it: with its command lines replaced, the script must come
 * out otherwise, at a command that the control left as it was.
 */
import * as E from 'fp-ts/lib/Either.js'

/** Who carries out a script: this package, or a version of QEMU. */
export const parties = ['ours', '7.2', '10', '11'] as const
export type Party = (typeof parties)[number]

/** A line of a script, and the parties that it is for. */
interface Line {
  readonly for: readonly Party[]
  readonly text: string
}

/** A command line, and the lines that it must print. */
export interface Step {
  readonly command: string
  readonly expected: readonly string[]
}

/** Command lines that a control replaces by others. */
export interface Replacement {
  readonly from: string
  readonly to: readonly string[]
}

export interface Script {
  readonly clause: string
  readonly parties: readonly Party[]
  /** Of which line of the document the first command is. */
  readonly line: number
  readonly lines: readonly Line[]
  /** The lines as they are in the document. */
  readonly source: readonly string[]
  readonly control: readonly Replacement[]
}

const isParty = (name: string): name is Party => parties.some((party) => party === name)

const named = (words: string): readonly Party[] | undefined => {
  const names = words.split(/[ ,]+/).filter((word) => word !== '')
  const found = names.flatMap((name) => (name === 'qemu' ? parties.filter((party) => party !== 'ours') : [name]))
  return found.every(isParty) ? found : undefined
}

const lineOf = (text: string): Line | undefined => {
  const [, names, rest = ''] = /^\{([a-z0-9., ]*)\} ?(.*)$/.exec(text) ?? []
  if (names === undefined) return { for: parties, text }
  const some = named(names)
  return some === undefined ? undefined : { for: some, text: rest }
}

/** The lines `- old` and `+ new` of a control. */
const controlOf = (lines: readonly string[]): readonly Replacement[] | undefined => {
  const replacements: { from: string; to: string[] }[] = []
  for (const line of lines) {
    const text = line.slice(2)
    if (line.startsWith('- ')) replacements.push({ from: text, to: [] })
    else if (line.startsWith('+ ') && replacements.length > 0) replacements.at(-1)?.to.push(text)
    else return undefined
  }
  return replacements
}

interface Fence {
  readonly language: string
  readonly after: string
  readonly line: number
  readonly lines: readonly string[]
}

/** The sections of a document: the clause, and its fenced blocks. */
const sectionsOf = (text: string): readonly { readonly clause: string; readonly fences: readonly Fence[] }[] => {
  const sections: { clause: string; fences: Fence[] }[] = []
  let open: (Fence & { lines: string[] }) | undefined
  for (const [index, line] of text.split('\n').entries()) {
    if (open !== undefined) {
      if (line === '```') open = undefined
      else open.lines.push(line)
    } else if (line.startsWith('```')) {
      const [language = '', ...after] = line.slice(3).split(' ')
      open = { language, after: after.join(' '), line: index + 2, lines: [] }
      sections.at(-1)?.fences.push(open)
    } else if (line.startsWith('## ')) sections.push({ clause: line.slice(3).trim(), fences: [] })
  }
  return sections
}

/** The scripts of a document; a message that names the line where it has another form. */
export const scriptsOf = (text: string): E.Either<string, readonly Script[]> => {
  const scripts: Script[] = []
  for (const { clause, fences } of sectionsOf(text))
    for (const { language, after, line, lines } of fences) {
      if (language === 'console') {
        const some = after === '' ? parties : named(after)
        const read = lines.map(lineOf)
        const bad = some === undefined ? 0 : read.findIndex((one) => one === undefined)
        if (some === undefined || bad >= 0) return E.left(`line ${line + bad}: no such party`)
        scripts.push({
          clause,
          parties: some,
          line,
          lines: read.flatMap((one) => one ?? []),
          source: lines,
          control: []
        })
      } else if (language === 'diff') {
        const control = controlOf(lines)
        const script = scripts.pop()
        if (control === undefined || script?.clause !== clause || script.control.length > 0)
          return E.left(`line ${line}: not the control of a script`)
        scripts.push({ ...script, control })
      }
    }
  return E.right(scripts)
}

const commandMark = '$ '

/** The steps of a script for one party. */
export const stepsFor = ({ lines }: Script, party: Party): readonly Step[] => {
  const steps: { command: string; expected: string[] }[] = []
  for (const { for: some, text } of lines) {
    if (!some.includes(party)) continue
    if (text.startsWith(commandMark)) steps.push({ command: text.slice(commandMark.length), expected: [] })
    else steps.at(-1)?.expected.push(text)
  }
  return steps
}

/** Steps of which the control wrote some. */
export interface Controlled {
  readonly steps: readonly Step[]
  /** The places of the steps that the control wrote. */
  readonly written: ReadonlySet<number>
}

/** The steps under the control of their script; a message where it replaces a command that is not there once. */
export const controlled = (steps: readonly Step[], control: readonly Replacement[]): E.Either<string, Controlled> => {
  for (const { from } of control)
    if (steps.filter(({ command }) => command === from).length !== 1)
      return E.left(`the control replaces '${from}', which is not there once`)
  const parts = steps.map((step) => {
    const replaced = control.find(({ from }) => from === step.command)
    return { mine: replaced !== undefined, steps: replaced?.to.map((command) => ({ command, expected: [] })) ?? [step] }
  })
  const flat = parts.flatMap(({ mine, steps: some }) => some.map((step) => ({ mine, step })))
  return E.right({
    steps: flat.map(({ step }) => step),
    written: new Set(flat.flatMap(({ mine }, index) => (mine ? [index] : [])))
  })
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** Whether a text has the expected lines. */
export const fits = (expected: readonly string[], text: string): boolean => {
  const pattern = expected.map((line) =>
    line === '...' ? '(?:.*\\n)*?' : `${line.split('...').map(escaped).join('.*')}\\n`
  )
  return new RegExp(`^${pattern.join('')}$`).test(text)
}
