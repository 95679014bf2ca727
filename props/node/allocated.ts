/** The space that files take up: compared with that of files of which it is known, since every file system has its own units. */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, rmSync, writeFileSync } from 'node:fs'

/** Bytes that a file takes up once all of it has been given a place, which may be later than it is written. */
export const allocated = (path: string): number => {
  const fd = openSync(path, 'r+')
  fsyncSync(fd)
  const { blocks } = fstatSync(fd)
  closeSync(fd)
  return blocks * 512
}

/** Bytes that a new file takes up beside `path` if `length` zeros are written into it, or if they are a hole. */
export const allocatedFor = (path: string, length: number, what: 'zeros' | 'hole'): number => {
  const probe = `${path}.probe`
  writeFileSync(probe, what === 'zeros' ? Buffer.alloc(length) : '')
  const fd = openSync(probe, 'r+')
  ftruncateSync(fd, length)
  closeSync(fd)
  const used = allocated(probe)
  rmSync(probe)
  return used
}
