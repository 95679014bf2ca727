/** Paths of the system, POSIX's or those of Windows: `paths` is Node's functions for one of them. */
import type { PlatformPath } from 'node:path'

/** Whether a path leads to a folder or into it. Both are absolute. */
export const isInside = (paths: PlatformPath, folder: string, path: string): boolean => {
  const way = paths.relative(folder, path)
  return way !== '..' && !way.startsWith(`..${paths.sep}`) && !paths.isAbsolute(way)
}

/** A path that starts at the folder of the image as one from the working directory. */
export const fromFolderOf = (paths: PlatformPath, image: string, path: string): string => {
  const end = Math.max(image.lastIndexOf('/'), image.lastIndexOf(paths.sep)) + 1
  return paths.isAbsolute(path) ? path : image.slice(0, end) + path
}
