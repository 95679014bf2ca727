/** Lines about the open image, carried out as qemu-io does. */
import * as E from 'fp-ts/lib/Either.js'
import { showFailure } from '../../bytes/run-async.js'
import { clusterSize } from '../../format/geometry.js'
import { chainSize } from '../../image/guest/chain.js'
import { vmStateOffset } from '../../image/guest/vm-state.js'
import { readFacts } from '../../image/info.js'
import { specificJson } from '../../image/info-json.js'
import { ioSize } from '../text/human-size.js'
import { specificLines } from '../text/info-text.js'
import { allocated, allocationMap } from './allocation.js'
import type { IoFile } from './file.js'
import { failedWith, type ImageLine, type Outcome, readOnly, success } from './line.js'
import { read, write } from './transfers.js'

const truncate = (
  { changes }: IoFile,
  { size, preallocation }: Extract<ImageLine, { readonly _tag: 'Truncate' }>
): Outcome => {
  if (changes === undefined) return readOnly
  const done = changes.command({ _tag: 'Resize', size, preallocation })
  return E.isRight(done) ? success() : failedWith(showFailure(done.left))
}

const info = (file: IoFile): Outcome => {
  const [top] = file.chain()
  if (top._tag === 'Raw') return success('format name: raw\n')
  const facts = file.run(readFacts)
  if (E.isLeft(facts)) return failedWith(showFailure(facts.left))
  const { g, size } = top.disk
  return success(
    [
      'format name: qcow2',
      `cluster size: ${ioSize(clusterSize(g))}`,
      `vm state offset: ${ioSize(vmStateOffset(g, size))}`,
      ...specificLines(specificJson(facts.right))
    ]
      .map((line) => `${line}\n`)
      .join('')
  )
}

/** Carries out a line on the open file. Throws what the system throws. */
export const runLine = (file: IoFile, line: ImageLine): Outcome => {
  switch (line._tag) {
    case 'Read':
      return read(file, line)
    case 'Write':
    case 'WriteZeroes':
    case 'Discard':
      return write(file, line)
    case 'Flush':
      file.changes?.end()
      return success()
    case 'Length':
      return success(`${ioSize(chainSize(file.chain()))}\n`)
    case 'Alloc':
      return allocated(file, line.at, line.length)
    case 'Map':
      return allocationMap(file)
    case 'Truncate':
      return truncate(file, line)
    case 'Info':
      return info(file)
    case 'Nothing':
      return success()
  }
}
