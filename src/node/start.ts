/** `npm start`: `qcow2 info` of the image named, which may be compressed by gzip, or of one of the corpus. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { system } from './command-error.js'

const embedded = '../../../corpus/images/matrix-64k-w16-v3-zstd-ext.qcow2.gz'

/** Decompresses a file into one that is gone when the process ends; its path. */
const decompressed = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-start-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  const path = join(folder, basename(name, '.gz'))
  writeFileSync(path, gunzipSync(readFileSync(name)))
  return path
}

const name = process.argv[2] ?? fileURLToPath(new URL(embedded, import.meta.url))
/** What cannot be decompressed is left to the command, which says why. */
const image = name.endsWith('.gz') ? E.getOrElse(() => name)(system('read', name, () => decompressed(name))) : name
process.argv.splice(2, Infinity, 'info', image)
await import('./main.js')
