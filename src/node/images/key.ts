/** The keys of encrypted images: the secrets that their options name, and what those decrypt. */
import * as E from 'fp-ts/lib/Either.js'
import type { Chain } from '../../image/guest/chain.js'
import type { Decryption } from '../../image/guest/extents.js'
import { unlock } from '../../image/guest/unlock.js'
import type { Metadata } from '../../image/metadata.js'
import { verdict } from '../../image/verdict.js'
import { type CommandError, commandError, failure, get, task, wait } from '../command-error.js'
import { run, type Source } from '../files/source.js'
import type { NodeOptions } from './image-node.js'

/** Fails for options that name another encryption than the image has. */
const keepFormat = (name: string, m: Metadata, given: NodeOptions['encryptFormat']): E.Either<CommandError, void> => {
  const { encryption } = verdict(m, 0)
  if (given === undefined || given === encryption) return E.right(undefined)
  const why =
    encryption === 'none'
      ? `No encryption in image header, but options specified format '${given}'`
      : `Header reported '${encryption}' encryption format but options specify '${given}'`
  return failure(`Could not open '${name}': ${why}`, { file: name })
}

/**
 * The decryption of an image by the secret that its options name; `undefined` where they name none. A secret for an image that
 * is not encrypted is not used, as in QEMU. Its `wipe` is to be called.
 */
export const decryptionOf = task(async function* (
  image: Pick<Source, 'name' | 'world'>,
  m: Metadata,
  { encryptFormat, keySecret, secrets }: NodeOptions
) {
  const { name } = image
  yield* get(keepFormat(name, m, encryptFormat))
  if (m.header.cryptMethod === 0 || keySecret === undefined) return undefined
  const missing = commandError(`Could not open '${name}': No secret with id '${keySecret}'`, { file: name })
  const password = yield* get(E.fromNullable(missing)(secrets?.get(keySecret)))
  const { nativeCipher } = await import('../encryption/native.js')
  return yield* wait(run(image, () => unlock(m, password, nativeCipher)))
})

/** Fails for options that do not open an image: a command that reads its metadata alone has no use for the key itself. */
export const keepKey = task(async function* (...[image, m, options]: Parameters<typeof decryptionOf>) {
  const decryption: Decryption | undefined = yield* wait(decryptionOf(image, m, options))
  decryption?.wipe()
})

/** Fails for a chain of which a layer is encrypted, and its key not known. @see LUKS-08 */
export const keepReadable = (name: string, chain: Chain): E.Either<CommandError, void> =>
  chain.some((layer) => layer._tag === 'Image' && layer.disk.encrypted && layer.disk.decryption === undefined)
    ? failure(`Could not open '${name}': Parameter 'encrypt.key-secret' is required for cipher [LUKS-08]`, {
        file: name,
        clause: 'LUKS-08'
      })
    : E.right(undefined)
