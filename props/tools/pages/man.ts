/** The man page: the commands, their arguments and their options, as their help describes them. */
import { Command as Parser, type Option } from 'commander'
import { commandNames, type CommandName, description, loadCommand, summaries } from '../../../src/node/program.js'
import { packageVersion } from '../../../src/node/version.js'

/** Text as roff prints it: backslashes, hyphens that are not to be dashes, and a line that does not begin as a request. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&')

const bold = (text: string): string => `\\fB${roff(text)}\\fR`
const italic = (text: string): string => `\\fI${roff(text)}\\fR`

/** A command line or a part of one: what stands for a value is in italics. */
const syntax = (text: string): string =>
  text
    .split(/(<[^>]*>|\[[^\]]*\])/)
    .map((part) => (/^[<[]/.test(part) ? italic(part) : part.trim() === '' ? part : bold(part)))
    .join('')

/** A row: what is described, and its description. */
const row = (what: string, about: string): readonly string[] => ['.TP', syntax(what), roff(about)]

const visible = (option: Option): boolean => !option.hidden

const argumentSyntax = ({ required, variadic, name }: { required: boolean; variadic: boolean; name: () => string }) => {
  const word = `${name()}${variadic ? '...' : ''}`
  return required ? `<${word}>` : `[${word}]`
}

/** The section of a command. */
const commandSection = async (name: CommandName): Promise<readonly string[]> => {
  let after = ''
  const parser = new Parser(name)
  parser.configureOutput({ writeOut: (text) => (after = text) })
  ;(await loadCommand(name)).declare(
    parser,
    () => undefined,
    () => undefined
  )
  parser.outputHelp()
  const [, ignored = ''] = after.split('\nAccepted for compatibility, ignored: ')
  const args = parser.registeredArguments
  const all = args.map((arg) =>
    argumentSyntax({ required: arg.required, variadic: arg.variadic, name: () => arg.name() })
  )
  return [
    `.SS ${roff(name)}`,
    `${bold(`qcow2 ${name}`)} ${italic('[options]')} ${all.map(italic).join(' ')}`.trimEnd(),
    '.PP',
    `${roff(summaries[name].replace(/^./, (letter) => letter.toUpperCase()))}.`,
    ...args.flatMap((arg, i) => row(all[i] ?? '', arg.description)),
    ...parser.options.filter(visible).flatMap(({ flags, description: about }) => row(flags, about)),
    ...(ignored === '' ? [] : ['.PP', `Accepted for compatibility, ignored: ${syntax(ignored.trim())}.`])
  ]
}

const exitCodes = {
  0: 'success',
  1: 'an error, or disks that differ in compare',
  2: 'check found corruptions; compare and conform failed',
  3: 'check found leaks only',
  63: 'the format of the file has no checks',
  '128+n': 'signal n ended the command'
}

/** The text of the man page. */
export const manPage = async (): Promise<string> => {
  const sections = await Promise.all(commandNames.map(commandSection))
  const lines = [
    `.TH QCOW2 1 "" "qcow2 ${packageVersion()}" "User Commands"`,
    '.SH NAME',
    'qcow2 \\- read, check, explain, create and change qcow2 disk images',
    '.SH SYNOPSIS',
    `${bold('qcow2')} ${italic('command')} ${italic('[options]')} ${italic('[arguments]')}`,
    '.SH DESCRIPTION',
    roff(description),
    'Options, output and exit codes are those of qemu\\-img, qemu\\-io and qemu\\-nbd where these have them.',
    '.SH COMMANDS',
    ...sections.flat(),
    '.SH OPTIONS',
    ...row('-V, --version', 'print the version, and those of QEMU it was last compared with'),
    ...row('-h, --help', 'describe the program, or the command that is named before'),
    '.SH EXIT STATUS',
    ...Object.entries(exitCodes).flatMap(([code, about]) => row(code, about)),
    '.SH ENVIRONMENT',
    ...row('NO_COLOR', 'if it is set, reports on a terminal have no colours'),
    '.SH SEE ALSO',
    `${bold('qemu-img')}(1), ${bold('qemu-nbd')}(8)`
  ]
  return `${lines.join('\n')}\n`
}
