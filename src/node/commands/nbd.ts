/** `qcow2 nbd`: the disk of an image, served to NBD clients with qemu-nbd's options. */
import { rmSync, writeFileSync } from 'node:fs'
import type * as E from 'fp-ts/lib/Either.js'
import { maxString } from '../../nbd/numbers.js'
import { actOnEach, type CommandError, failure, get, keepRules, system, wait } from '../command-error.js'
import { openExport } from '../nbd/export.js'
import { type Address, serve } from '../nbd/server.js'
import { carriesOut } from '../images/format-options.js'
import { detections } from '../images/image-node.js'
import { aios, caches, discards } from '../text/values.js'
import { argument, choice, command, flag, ignoredChoice, option, optional, orElse, repeated, text } from './command.js'
import { allow, givenFormat, namedBy, secrets, wholeNumber } from './options.js'

/** The port of the protocol. */
const defaultPort = 10809
/** Most bytes of the path of a socket, on every system. */
const maxPath = 103

export const nbd = command({
  args: { image: argument('<image>', 'the image', text) },
  options: {
    format: option('-f, --format <format>', 'format of the image: qcow2 (default) or raw', givenFormat),
    secrets,
    imageOpts: flag('--image-opts', 'the image is named by options, such as driver=qcow2,file.filename=disk.qcow2'),
    socket: option('-k, --socket <path>', 'listen on a Unix socket', optional(text)),
    bind: option('-b, --bind <address>', 'listen on this address; 127.0.0.1 unless it is given', optional(text)),
    port: option(
      '-p, --port <port>',
      `listen on this port; ${defaultPort} unless it is given`,
      optional(wholeNumber('port', 1, 65535))
    ),
    readOnly: flag('-r, --read-only', 'let clients change nothing'),
    snapshot: option('-l, --load-snapshot <id or name>', 'serve a snapshot, read-only', optional(text)),
    bitmaps: repeated('-B, --bitmap <name>', 'report a dirty bitmap as the metadata context qemu:dirty-bitmap:NAME'),
    allocationDepth: flag('-A, --allocation-depth', 'report the metadata context qemu:allocation-depth'),
    name: option('-x, --export-name <name>', 'the name of the export; empty unless it is given', orElse(text, '')),
    description: option('-D, --description <text>', 'a description of the export', orElse(text, '')),
    persistent: flag('-t, --persistent', 'go on when the last client has left'),
    shared: option(
      '-e, --shared <n>',
      'clients at once, 1 unless it is given, 0 for any number; others wait',
      orElse(wholeNumber('number of clients', 0, 2 ** 31 - 1), 1)
    ),
    discard: choice(
      '--discard <mode>',
      'what becomes of trims: ignore and off leave the image as it is; unmap (default) and on carry them out',
      discards,
      undefined
    ),
    detectZeroes: choice(
      '--detect-zeroes <mode>',
      'off (default); on stores written zeros without data, unmap frees their clusters too',
      detections,
      undefined
    ),
    pidFile: option('--pid-file <path>', 'write the id of the process into a file, until it ends', optional(text)),
    allow
  },
  ignored: [ignoredChoice('--cache <mode>', caches), ignoredChoice('--aio <mode>', aios), { flags: '-n, --nocache' }],
  async *run({ image }, options) {
    const { socket, bind, port, snapshot, bitmaps, name, description, discard, detectZeroes, pidFile, shared } = options
    const [nameLength, descriptionLength] = [name, description].map((each) => Buffer.byteLength(each))
    yield* get(
      keepRules([
        [socket !== undefined && (bind !== undefined || port !== undefined), '-k and -b or -p are mutually exclusive'],
        [
          socket !== undefined && Buffer.byteLength(socket) > maxPath,
          `the path of a socket has at most ${maxPath} bytes`
        ],
        [socket === '', 'the path of the socket is empty'],
        [(nameLength ?? 0) > maxString, `the name of an export has at most ${maxString} bytes`],
        [(descriptionLength ?? 0) > maxString, `a description has at most ${maxString} bytes`],
        [snapshot !== undefined && bitmaps.length > 0, '-l and -B are mutually exclusive'],
        [
          detectZeroes === 'unmap' && !carriesOut(discard ?? 'unmap'),
          'setting detect-zeroes to unmap is not allowed without setting discard operation to unmap'
        ]
      ])
    )
    const named = yield* get(
      namedBy({ words: image, byOptions: options.imageOpts, format: options.format, secrets: options.secrets })
    )
    if (named.driver === 'raw' && (snapshot !== undefined || bitmaps.length > 0))
      yield* get(failure('a raw file has no snapshots and no bitmaps: -l and -B need -f qcow2'))
    const exported = yield* wait(
      openExport({
        image: {
          ...(snapshot === undefined ? {} : { snapshot }),
          ...(discard === undefined ? {} : { discards: carriesOut(discard) }),
          ...(detectZeroes === undefined ? {} : { detectZeroes }),
          ...named,
          readOnly: options.readOnly || snapshot !== undefined || named.readOnly === true
        },
        name,
        description,
        allow: options.allow,
        bitmaps: [...new Set(bitmaps)],
        allocationDepth: options.allocationDepth,
        isShared: shared !== 1
      })
    )
    const address: Address =
      socket === undefined ? { host: bind ?? '127.0.0.1', port: port ?? defaultPort } : { path: socket }
    const written: string[] = []
    const writePid = (): E.Either<CommandError, void> =>
      actOnEach(pidFile === undefined ? [] : [pidFile], (path) =>
        system('write', path, () => {
          writeFileSync(path, `${process.pid}\n`)
          written.push(path)
        })
      )
    const serverOptions = { mostClients: shared === 0 ? Infinity : shared, isPersistent: options.persistent }
    const served = await serve(exported, address, serverOptions, writePid)()
    const closed = exported.close()
    for (const path of written) rmSync(path, { force: true })
    const code = yield* get(served)
    yield* get(closed)
    return code
  }
})
