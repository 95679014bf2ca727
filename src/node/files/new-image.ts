/** New images: the files of an image that is being made, which appear under their names together. */
import { closeSync, fdatasyncSync, ftruncateSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { HostWrite } from '../../bytes/host-write.js'
import type { CreateOptions } from '../../transition/create/options.js'
import { writeFully } from './sparse.js'
import { type Whole, wholeFile } from './whole.js'

type Part = 'image' | 'data'

/** Where a relative name that an image holds is looked for: in the image's folder. */
export const beside = (image: string, name: string): string => resolve(dirname(image), name)

interface NewFile {
  readonly part: Part
  readonly path: string
  readonly fd: number
}

/** The files of a new image, empty at first. */
export interface NewImage {
  readonly parts: readonly NewFile[]
  /** Does what is to be done to one of the files: nothing that is new is given back. */
  readonly perform: (change: HostWrite) => void
  /** Gives the files their names. */
  readonly keep: () => void
  /** Closes them, and removes what has no name yet. */
  readonly drop: () => void
}

/**
 * Opens the files; those that were there stay until the new ones are whole. `write` puts bytes at their place in one of
 * them. Throws what the system throws.
 */
export const newImage = async (
  image: string,
  { dataFile }: Pick<CreateOptions, 'dataFile'>,
  write = writeFully
): Promise<NewImage> => {
  const wholes: readonly (readonly [Part, Whole])[] = [
    ...(dataFile === undefined ? [] : [['data', await wholeFile(beside(image, dataFile.name))] as const]),
    ['image', await wholeFile(image)]
  ]
  const parts: NewFile[] = []
  const close = (): void => {
    for (const { fd } of parts.splice(0)) closeSync(fd)
  }
  const drop = (): void => {
    close()
    for (const [, whole] of wholes) whole.drop()
  }
  try {
    for (const [part, { path }] of wholes) parts.push({ part, path, fd: openSync(path, 'w+') })
  } catch (error) {
    drop()
    throw error
  }
  return {
    parts,
    perform: (change) => {
      if (change._tag === 'Flush') for (const { fd } of parts) fdatasyncSync(fd)
      else {
        const fd = parts.find(({ part }) => part === change.file.part)?.fd
        if (fd === undefined) return
        // Zeros that are to be written take up space.
        if (change._tag === 'Write') write(fd, change.bytes, change.at)
        else if (change._tag === 'Truncate') ftruncateSync(fd, change.length)
      }
    },
    keep: () => {
      close()
      for (const [, whole] of wholes) whole.keep()
    },
    drop
  }
}
