/** `qcow2 rebase -u`: another name for the backing file, without a look at it. */
import * as E from 'fp-ts/lib/Either.js'
import { showFailure } from '../bytes/run-async.js'
import { fail, ok } from './command.js'
import { withImage } from './open-writing.js'

/** Formats that a backing file may be said to have, beyond those that are read here. */
const formats: readonly string[] = [
  'raw',
  'qcow2',
  'qcow',
  'qed',
  'vdi',
  'vhdx',
  'vmdk',
  'vpc',
  'luks',
  'parallels',
  'dmg',
  'bochs',
  'cloop',
  'host_device'
]

/** What the image is put over; without a name, over nothing. */
export interface RebaseOptions {
  readonly unsafe: boolean
  readonly backing?: string
  readonly format?: string
}

/** The command. */
export const rebase = async (image: string, { unsafe, backing, format }: RebaseOptions): Promise<number> => {
  if (!unsafe)
    return fail('Only -u is known, which changes the name of the backing file and nothing that the guest data needs')
  if (format !== undefined && !formats.includes(format)) return fail(`Invalid format name: '${format}'`)
  const name = backing ?? ''
  if (name !== '' && format === undefined)
    return fail(`Could not change the backing file to '${name}': backing format must be specified [BACK-05]`)
  return withImage(image, { alone: true }, (session) => {
    const done = session.command({
      _tag: 'Rebase',
      ...(name === '' ? {} : { backing: { name, format: format ?? '', layers: [] } })
    })
    return E.isRight(done) ? ok : fail(`Could not change the backing file to '${name}': ${showFailure(done.left)}`)
  })
}
