/**
 * Logs of strace: the system calls of a program and its threads. Read are those of `strace -f -yy -xx`, in which every file
 * descriptor has its path, and every string is hexadecimal.
 */
import { empty, fromHex, toText } from '../bytes/octets.js'

/** A system call that has returned. */
export interface SystemCall {
  readonly name: string
  /** Its arguments, as strace writes them. */
  readonly args: string
  /** What it returned: -1 for an error, and what is no number. */
  readonly result: number
  /** The path of the file descriptor that it returned. */
  readonly opened?: string
}

/** Entry or return of a call, in the order of the log. */
export interface CallEvent {
  readonly edge: 'entry' | 'return'
  readonly call: SystemCall
}

/** The bytes of a string of the log: `\x51\x46`. */
export const bytesOfString = (text: string): Uint8Array => fromHex(text.replaceAll('\\x', '')) ?? empty

/** The path after a file descriptor, and the descriptor: `9<\x2f\x61>`. */
export const descriptorOf = (text: string): { readonly fd: number; readonly path: string } | undefined => {
  const [, fd, path] = /^([0-9]+)<([^<>]*)/.exec(text) ?? []
  return fd === undefined || path === undefined
    ? undefined
    : { fd: Number(fd), path: toText(bytesOfString(path)) ?? path }
}

/** The call of a line without its process: `name(args) = result`. */
const callOf = (line: string): SystemCall | undefined => {
  const [, name, args, returned] = /^([a-z_0-9]+)\((.*)\)\s+= (.*)$/.exec(line) ?? []
  if (name === undefined || args === undefined || returned === undefined) return undefined
  const opened = descriptorOf(returned)?.path
  const number = Number(/^-?[0-9]+/.exec(returned)?.[0] ?? -1)
  return { name, args, result: number, ...(opened === undefined ? {} : { opened }) }
}

const unfinished = ' <unfinished ...>'
const resumed = /^<\.\.\. [a-z_0-9]+ resumed>/

/**
 * The entries and returns of the calls in a log, in order. A call that another thread interrupts in the log is two lines of
 * it, and its entry lies before what happens meanwhile. Calls that never return are left out.
 */
export const eventsOf = (log: string): readonly CallEvent[] => {
  const events: (CallEvent | undefined)[] = []
  const open = new Map<string, { readonly text: string; readonly at: number }>()
  for (const line of log.split('\n')) {
    const [, process = '', text] = /^([0-9]+) +(.*)$/.exec(line) ?? []
    if (text === undefined) continue
    if (text.endsWith(unfinished)) {
      open.set(process, { text: text.slice(0, -unfinished.length), at: events.length })
      events.push(undefined)
      continue
    }
    const begun = resumed.test(text) ? open.get(process) : undefined
    const call = callOf(begun === undefined ? text : begun.text + text.replace(resumed, ''))
    if (call === undefined) continue
    if (begun === undefined) events.push({ edge: 'entry', call })
    else events[begun.at] = { edge: 'entry', call }
    events.push({ edge: 'return', call })
  }
  return events.flatMap((event) => event ?? [])
}
