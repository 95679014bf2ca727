/** The code that Node compiled of the bundle, kept in the user's cache folder: with it a command starts in two thirds of the time. */
import fs = require('node:fs')
import path = require('node:path')

/** What the place of the cache depends on. */
interface Surroundings {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Partial<Record<string, string>>>
  /** The user's home folder; throws where the user has none. */
  readonly home: () => string
}

/** The result of a system call; `undefined` where it fails: the cache is only for speed. */
const attempt = <A,>(call: () => A): A | undefined => {
  try {
    return call()
  } catch {
    return undefined
  }
}

/** The user's cache folder, as the system places it; `undefined` where the user has no home folder. */
const cacheFolder = ({ platform, env, home }: Surroundings): string | undefined => {
  const paths = platform === 'win32' ? path.win32 : path.posix
  const given = env[platform === 'win32' ? 'LOCALAPPDATA' : 'XDG_CACHE_HOME'] ?? ''
  if (paths.isAbsolute(given)) return given
  const own = attempt(home) ?? ''
  // From a relative path the command would run code of the folder in which it starts.
  if (!paths.isAbsolute(own)) return undefined
  if (platform === 'win32') return paths.join(own, 'AppData', 'Local')
  return paths.join(own, ...(platform === 'darwin' ? ['Library', 'Caches'] : ['.cache']))
}

/**
 * The file for a command; all words that are no name of a command share one, so that there are few. `undefined` where there
 * is no cache folder, and where the variable that turns Node's own cache off is set.
 */
const fileFor = (surroundings: Surroundings, command = ''): string | undefined => {
  const folder = cacheFolder(surroundings)
  if (folder === undefined || surroundings.env['NODE_DISABLE_COMPILE_CACHE'] !== undefined) return undefined
  return path.join(folder, 'qcow2-spec', 'code', /^[a-z]{1,16}$/.test(command) ? command : 'other')
}

/** What the code depends on beside V8's own checks: Node, and the digest of the bundle. */
const keyOf = (digest: string): string => `${process.version} ${process.arch} ${digest}`

/** Whether no other user could have written a file: its code would run as this one. */
const isOwn = ({ uid, mode }: fs.Stats): boolean =>
  process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0)

/** The code with this key in a file. */
const read = (file: string, key: string): Buffer | undefined => {
  const bytes = attempt(() => (isOwn(fs.lstatSync(file)) ? fs.readFileSync(file) : undefined))
  const end = Math.max(0, (bytes?.length ?? 0) - key.length)
  return bytes?.toString('latin1', end) === key ? bytes.subarray(0, end) : undefined
}

/** Keeps the code in place of what the file has. */
const write = (file: string, key: string, code: Uint8Array): void => {
  const partial = `${file}.${process.pid}`
  const written = attempt(() => {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    fs.writeFileSync(partial, Buffer.concat([code, Buffer.from(key, 'latin1')]), { flag: 'wx', mode: 0o600 })
    fs.renameSync(partial, file)
    return true
  })
  if (written !== true) attempt(() => fs.rmSync(partial, { force: true }))
}

export = { cacheFolder, fileFor, keyOf, read, write }
