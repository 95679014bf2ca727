/** Lines about the open image, carried out as qemu-io does. */
import * as E from 'fp-ts/lib/Either.js'
import { clusterSize } from '../../format/geometry.js'
import { chainSize } from '../../image/guest/chain.js'
import { vmStateOffset } from '../../image/guest/vm-state.js'
import { readInfo } from '../../image/info.js'
import { specificJson } from '../../image/info-json.js'
import { type CommandError, isError, showCause } from '../command-error.js'
import { ioSize } from '../text/numbers.js'
import { specificLines } from '../text/info-text.js'
import { allocated, allocationMap } from './allocation.js'
import type { IoFile } from './io-file.js'
import { failedWith, type ImageLine, type Outcome, readOnly, success } from './line.js'
import { read, write } from './transfers.js'

const truncate = (
  { changes }: IoFile,
  { size, preallocation }: Extract<ImageLine, { readonly _tag: 'Truncate' }>
): E.Either<CommandError, Outcome> => {
  if (changes === undefined) return E.right(readOnly)
  const done = changes.command({ _tag: 'Resize', size, preallocation })
  if (E.isRight(done)) return E.right(success())
  return isError(done.left) ? E.left(done.left) : E.right(failedWith(showCause(done.left)))
}

const info = (file: IoFile): Outcome => {
  const [top] = file.chain()
  if (top._tag === 'Raw') return success('format name: raw\n')
  const info = file.run(readInfo)
  if (E.isLeft(info)) return failedWith(showCause(info.left))
  const { g, size } = top.disk
  return success(
    [
      'format name: qcow2',
      `cluster size: ${ioSize(clusterSize(g))}`,
      `vm state offset: ${ioSize(vmStateOffset(g, size))}`,
      ...specificLines(specificJson(info.right))
    ]
      .map((line) => `${line}\n`)
      .join('')
  )
}

/** Carries out a line on the open file; fails where a system call of a change fails. */
export const runLine = (file: IoFile, line: ImageLine): E.Either<CommandError, Outcome> => {
  switch (line._tag) {
    case 'Read':
      return E.right(read(file, line))
    case 'Write':
    case 'WriteZeroes':
    case 'Discard':
      return write(file, line)
    case 'Flush':
      return E.map(() => success())(file.changes?.end() ?? E.right(undefined))
    case 'Length':
      return E.right(success(`${ioSize(chainSize(file.chain()))}\n`))
    case 'Alloc':
      return E.right(allocated(file, line.at, line.length))
    case 'Map':
      return E.right(allocationMap(file))
    case 'Truncate':
      return truncate(file, line)
    case 'Info':
      return E.right(info(file))
    case 'Nothing':
      return E.right(success())
  }
}
