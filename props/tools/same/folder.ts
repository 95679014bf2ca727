/** The folder in which the commands of an item are carried out. */
import { linkSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { FileData } from './protocol.js'

/** The files of an item, which are restored after each command that may change them. */
export class Folder {
  private readonly bytes = new Map<string, Uint8Array>()

  constructor(private readonly files: Readonly<Record<string, FileData>>) {
    for (const name of readdirSync('.')) rmSync(name, { recursive: true })
    for (const [name, data] of Object.entries(files))
      if ('gzip' in data) this.bytes.set(name, gunzipSync(Buffer.from(data.gzip, 'base64')))
    this.restore()
  }

  /** The bytes of the image; empty where it is too large to be held. */
  get image(): Uint8Array {
    return this.bytes.get('img.qcow2') ?? new Uint8Array(0)
  }

  /** Puts every file back as it was. */
  restore(): void {
    for (const [name, data] of Object.entries(this.files)) {
      rmSync(name, { force: true })
      const bytes = this.bytes.get(name)
      if (bytes !== undefined) writeFileSync(name, bytes)
      else if ('path' in data) linkSync(data.path, name)
    }
  }
}
