/** What is said of a violation: the script in the words of qemu-io and qemu-img, and what the disk had when the power failed. */
import { fateText } from '../../src/crash/fate.js'
import type { Command } from '../../src/transition/command.js'
import type { Shape } from '../arbitrary/shape.js'
import { isOfGuest, lineOf, wordsOf } from './record.js'
import type { Found } from './search.js'

/** A command as one types it. The bytes of a write name the command and the sector, so that no two are alike. */
const typed = (c: Command): string =>
  isOfGuest(c) ? `qemu-io   ${lineOf(c, 'BYTES')}` : `qemu-img  ${wordsOf(c).join(' ')}`

const shapeText = ({ options, backing }: Shape): string =>
  [
    `size ${options.size}`,
    `cluster_size=${2 ** (options.clusterBits ?? 16)}`,
    ...(options.version === 2 ? ['compat=0.10'] : []),
    ...(options.refcountOrder === undefined ? [] : [`refcount_bits=${2 ** options.refcountOrder}`]),
    ...(options.extendedL2 === true ? ['extended_l2=on'] : []),
    ...(options.lazyRefcounts === true ? ['lazy_refcounts=on'] : []),
    ...(options.compressionType === 'zstd' ? ['compression_type=zstd'] : []),
    ...(backing > 0 ? [`a raw backing file of ${backing} bytes`] : [])
  ].join(', ')

/** The lines. */
export const linesOf = ({ shape, recording, violation }: Found): readonly string[] => [
  `  ${shapeText(shape)}`,
  ...recording.commands.map((c, i) => `  ${violation.commands.includes(i + 1) ? '>' : ' '} ${typed(c)}`),
  `  the power fails (${violation.model}), and of what was written since the last flush`,
  ...violation.fates.map(fateText),
  `  ${violation.why}`
]
