/** The nodes below an image, as QEMU 10 and 11 report them: the file, and a part of it where that is meant. */
import type { JsonObject } from '../../bytes/json.js'
import { humanSize } from './numbers.js'

/** A node below an image. */
export interface ChildNode {
  readonly filename: string
  /** The driver. */
  readonly format: string
  /** Bytes, in whole sectors. */
  readonly length: number
  /** Bytes it takes on its disk, where that is known. */
  readonly actualSize?: number
  /** The limits of requests to it, where they are to be printed. */
  readonly limits?: JsonObject
  /** The node below it. */
  readonly child?: ChildNode
}

/** The value of the key `children`. */
export const childrenJson = (child: ChildNode | undefined): readonly JsonObject[] =>
  child === undefined ? [] : [{ name: 'file', info: nodeJson(child) }]

const nodeJson = ({ filename, format, length, actualSize, limits, child }: ChildNode): JsonObject => ({
  ...(limits === undefined ? {} : { limits }),
  children: childrenJson(child),
  'virtual-size': length,
  filename,
  format,
  ...(actualSize === undefined ? {} : { 'actual-size': actualSize }),
  ...(format === 'file' || format === 'host_device' ? { 'format-specific': { type: 'file', data: {} } } : {}),
  'dirty-flag': false
})

/** The lines on a node at a path, and on those below it. */
export const childLines = (
  node: ChildNode,
  limitLines: (limits: JsonObject) => readonly string[],
  path = '/'
): readonly string[] => {
  const { filename, format, length, actualSize, limits, child } = node
  const [name, type, size] =
    child === undefined ? ['filename', 'protocol type', 'file length'] : ['image', 'file format', 'virtual size']
  const own = [
    `${name}: ${filename}`,
    `${type}: ${format}`,
    `${size}: ${humanSize(length)} (${length} bytes)`,
    `disk size: ${actualSize === undefined ? 'unavailable' : humanSize(actualSize)}`,
    ...(limits === undefined ? [] : limitLines(limits))
  ]
  const below = child === undefined ? [] : childLines(child, limitLines, `${path}file/`)
  return [`Child node '${path}file':`, ...[...own, ...below].map((line) => `    ${line}`)]
}
