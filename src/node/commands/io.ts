/** `qcow2 io`: guest bytes read and written by lines in qemu-io's own words. */
import { createInterface } from 'node:readline/promises'
import { flow } from 'fp-ts/lib/function.js'
import { failure, get, wait } from '../command-error.js'
import { dropUnread, print, textWriter } from '../files/output.js'
import { IoSession } from '../io/io-session.js'
import { carriesOut } from '../images/format-options.js'
import { caches, discards, writesThrough } from '../text/values.js'
import { argument, choice, command, flag, option, optional, repeated, text } from './command.js'
import { allow, givenFormat, ignored, namedBy, secrets } from './options.js'

/** The lines of standard input, with a prompt on a terminal. */
const standardInput = async function* (): AsyncGenerator<string> {
  const terminal = process.stdin.isTTY
  const lines = createInterface({ input: process.stdin, ...(terminal ? { output: process.stdout } : {}) })
  lines.setPrompt('qcow2> ')
  if (terminal) lines.prompt()
  for await (const line of lines) {
    yield line
    if (terminal) lines.prompt()
  }
}

export const io = command({
  args: { image: argument('[image]', 'the image', optional(text)) },
  options: {
    format: option('-f, --format <format>', 'format of the image: qcow2 (default) or raw', givenFormat),
    imageOpts: flag('--image-opts', 'the image is named by options, such as driver=qcow2,file.filename=disk.qcow2'),
    secrets,
    cmd: repeated('-c, --cmd <line>', "a line, such as 'write -P 1 0 64k'"),
    readOnly: flag('-r, --read-only', 'change nothing'),
    temporary: flag('-s, --snapshot', 'what is written goes to a temporary overlay, which is gone at the end'),
    copyOnRead: flag('-C, --copy-on-read', 'what is read from the backing files is stored in the image'),
    forceShare: flag('-U, --force-share', 'with -r: also while another process writes the image'),
    cache: choice(
      '-t, --cache <mode>',
      'writethrough and directsync make each write durable before the next line; other modes are ignored',
      caches,
      undefined
    ),
    discard: choice(
      '-d, --discard <mode>',
      'what becomes of discards: ignore and off leave the image as it is; unmap (default) and on carry them out',
      discards,
      undefined
    ),
    allow
  },
  ignored: [ignored['-n'], ignored['-i'], ignored['-k'], ignored['-m']],
  async *run(
    { image },
    {
      format: given,
      imageOpts,
      secrets: keys,
      cmd,
      readOnly,
      temporary,
      copyOnRead,
      forceShare,
      cache,
      discard,
      allow: folders
    },
    report
  ) {
    const named =
      image === undefined
        ? undefined
        : yield* get(namedBy({ words: image, byOptions: imageOpts, format: given, secrets: keys }))
    if (forceShare && !readOnly) yield* get(failure('-U can only be used with -r: other processes change what is read'))
    const { put, end } = textWriter()
    const output = { print: cmd.length > 0 ? flow(put, dropUnread) : print, report, flush: flow(end, dropUnread) }
    const session = new IoSession(output, folders, keys)
    if (named !== undefined)
      yield* wait(
        session.open({
          ...(cache === undefined ? {} : { writeThrough: writesThrough(cache) }),
          ...(discard === undefined ? {} : { discards: carriesOut(discard) }),
          ...named,
          ...(readOnly ? { readOnly } : {}),
          ...(temporary ? { temporary } : {}),
          ...(copyOnRead ? { copyOnRead } : {}),
          ...(forceShare ? { forceShare } : {})
        })
      )
    const code = await session.run(cmd.length > 0 ? cmd : standardInput())()
    const [closed, flushed] = [session.close(), output.flush()]
    const exitCode = yield* get(code)
    for (const ended of [closed, flushed]) yield* get(ended)
    return exitCode
  }
})
