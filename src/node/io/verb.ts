/** The commands of lines as `help` describes them. */
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, inContext } from '../command-error.js'
import { failedBy, type Line, type Parsed } from './line.js'
import { getopt, type Words } from './words.js'

const vector = '[-P pattern] off len [len..]'

/** The arguments of each command and what it does, in the order and the words of qemu-io. */
const usages = {
  abort: '-- simulate a program crash using abort(3)',
  aio_flush: '-- completes all outstanding aio requests',
  aio_read: `[-Cqv] ${vector} -- asynchronously reads a number of bytes`,
  aio_write: `[-Cfquz] ${vector} -- asynchronously writes a number of bytes`,
  alloc: 'offset [count] -- checks if offset is allocated in the file',
  close: '-- close the current open file',
  discard: '[-Cq] off len -- discards a number of bytes at a specified offset',
  flush: '-- flush all in-core file state to disk',
  help: '[command] -- help for one or all commands',
  info: '-- prints information about the current file',
  length: '-- gets the length of the current file',
  map: '-- prints the allocated areas of a file',
  open: '[-rsCnkU] [-t cache] [-d discard] [-i aio] [-o options] [path] -- open the file specified by path',
  quit: '-- exit the program',
  read: '[-abCqv] [-P pattern [-s off] [-l len]] off len -- reads a number of bytes at a specified offset',
  readv: `[-Cqv] ${vector} -- reads a number of bytes at a specified offset`,
  reopen: '[(-r|-w)] [-c cache] [-o options] -- reopens the file with new options',
  sigraise: 'signal -- raises a signal',
  sleep: '-- waits for the given value in milliseconds',
  truncate: '[-m prealloc_mode] off -- truncates the current file at the given offset',
  write: '[-bcCfnquz] [-P pattern | -s source_file] off len -- writes a number of bytes at a specified offset',
  writev: `[-Cfq] ${vector} -- writes a number of bytes at a specified offset`
}

/** The name of a command. */
export type VerbName = keyof typeof usages

/** The line with which qemu-io describes a command. */
export const usageLine = (name: VerbName): string => `${name} ${usages[name]}`

/** The parser of a command, from its arguments. */
export type Parse = (args: readonly string[], name: VerbName) => Parsed<Line>

/** The options and operands of a command; the outcome of others is its description, and the message of `getopt`. */
export const parseWords = (args: readonly string[], optstring: string, name: VerbName): Parsed<Words> =>
  E.mapLeft((error: CommandError) => failedBy(inContext(name)(error), `${usageLine(name)}\n`))(getopt(args, optstring))
