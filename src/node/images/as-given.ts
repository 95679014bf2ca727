/** Commands as the options of an image have them. */
import type { AnyCommand } from '../../transition/command.js'
import { isZeros } from '../files/sparse.js'
import type { NodeOptions } from './image-node.js'

/**
 * A command as the options of its image have it: written zeros may become zero clusters, and discards may be left alone, by
 * themselves (`undefined`) and in writes of zeros.
 */
export const asGiven = (
  { discards = true, detectZeroes = 'off' }: NodeOptions,
  command: AnyCommand
): AnyCommand | undefined => {
  if (command._tag === 'Write' && detectZeroes !== 'off' && isZeros(command.bytes))
    return { _tag: 'WriteZeroes', at: command.at, length: command.bytes.length, unmap: detectZeroes === 'unmap' }
  if (discards) return command
  if (command._tag === 'Discard') return undefined
  return command._tag === 'WriteZeroes' ? { ...command, unmap: false } : command
}
