/** Unlocking an encrypted image: from a password to the decryption of its guest data. */
import * as E from 'fp-ts/lib/Either.js'
import { type Complaint, type Issue, issue } from '../../bytes/issue.js'
import { padded } from '../../bytes/octets.js'
import { failWith, type Plan, readAt } from '../../bytes/plan.js'
import { blockSize, type Cipher } from '../../encryption/cipher.js'
import { derivationCost, type LuksScheme, masterKey, materialSize, schemeOf } from '../../encryption/luks.js'
import { sectorCipher } from '../../encryption/sectors.js'
import { maxKeyDerivation, sectorSize } from '../../format/limits.js'
import { luksActive, type LuksHeader, luksHeader } from '../../format/luks.js'
import type { EncryptionPointer } from '../../format/extension-payload.js'
import { type LuksPartition, readPartition } from '../luks-area.js'
import { luksPointer, type Metadata } from '../metadata.js'
import type { Decryption } from './extents.js'

/** An issue of a field of the LUKS header. */
const inHeader = (
  { offset }: EncryptionPointer,
  field: keyof LuksHeader,
  why: Pick<Complaint, 'clause' | 'phase' | 'found' | 'expected'>
): Issue => {
  const place = luksHeader.placeOf(field)
  return issue({ ...place, at: Number(offset) + place.at, source: 'both', refusal: 'OPEN-25', ...why })
}

/** The issue of a password that no key slot takes, in QEMU's words. */
const wrongPassword = (pointer: EncryptionPointer): Issue => ({
  ...inHeader(pointer, 'mkDigest', {
    clause: 'OPEN-25',
    phase: 'inconsistent',
    found: 'the digest of another key',
    expected: 'that of a key in a slot'
  }),
  message: 'Invalid password, cannot unlock any keyslot [OPEN-25]'
})

/** The scheme of a LUKS header, where it is supported and a password can be tried on all of these slots in time. */
function* supported({ header, slots }: LuksPartition, pointer: EncryptionPointer, cipher: Cipher): Plan<LuksScheme> {
  const scheme = schemeOf(header, cipher)
  if (E.isLeft(scheme)) {
    const { field, found, expected } = scheme.left
    const phase = 'invalid'
    return yield* failWith([inHeader(pointer, field, { clause: 'LUKS-10', phase, found, expected })])
  }
  const cost = derivationCost(scheme.right, header, slots)
  if (cost > maxKeyDerivation)
    yield* failWith([
      inHeader(pointer, 'mkDigestIter', {
        clause: 'LUKS-03',
        phase: 'limit',
        found: `iterations, with those of the slots, of ${cost} HMACs`,
        expected: `at most ${maxKeyDerivation}`
      })
    ])
  return scheme.right
}

function* unlockLuks(pointer: EncryptionPointer, password: Uint8Array, cipher: Cipher): Plan<Decryption | undefined> {
  const partition = yield* readPartition(pointer)
  if (partition === undefined) return undefined
  const { header } = partition
  const slots = partition.slots.filter(({ active }) => active === luksActive)
  const scheme = yield* supported({ header, slots }, pointer, cipher)
  for (const slot of slots) {
    const at = Number(pointer.offset) + slot.keyMaterialOffset * sectorSize
    const material = yield* readAt(at, materialSize(scheme))
    const key = masterKey(cipher, scheme, header, slot, material, password)
    if (key === undefined) continue
    const sectors = sectorCipher(cipher, scheme, key)
    key.fill(0)
    return { ...sectors, numberedBy: 'host' }
  }
  return yield* failWith([wrongPassword(pointer)])
}

/** The key of AES is the first 16 bytes of the password, padded with zeros. @see LUKS-06 */
const unlockAes = (password: Uint8Array, cipher: Cipher): Decryption => {
  const key = padded(password.subarray(0, blockSize), blockSize)
  const sectors = sectorCipher(cipher, { mode: 'cbc', generator: 'plain64' }, key)
  key.fill(0)
  return { ...sectors, numberedBy: 'guest' }
}

/**
 * The decryption of an image's guest data under a password: for `decryption` of its {@link GuestDisk}. `undefined` for an image
 * that is not encrypted. The metadata are those of an image that may be opened. Under AES every password is taken, and a wrong
 * one decrypts to noise.
 *
 * Fails over a password that unlocks no key slot, over another cipher than AES in mode XTS or CBC, over a hash that the cipher
 * has not, and over iterations of more than 2^28 HMACs. What it computes of the key is overwritten, but for the decryption,
 * whose `wipe` does that; the caller overwrites the password.
 *
 * @see LUKS-03, LUKS-06, LUKS-10 and OPEN-25
 * @example
 * import { portableCipher } from 'qcow2-spec/encryption'
 * import { orFail, readMetadata, runSync, unlock } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const decryption = function* () {
 *   return yield* unlock(yield* orFail(yield* readMetadata()), new TextEncoder().encode('password'), portableCipher)
 * }
 * assert.deepEqual(runSync(decryption(), worldOf(files, () => undefined)), { _tag: 'Right', right: undefined })
 */
export function* unlock(m: Metadata, password: Uint8Array, cipher: Cipher): Plan<Decryption | undefined> {
  if (m.header.cryptMethod === 1) return unlockAes(password, cipher)
  const pointer = m.header.cryptMethod === 2 ? luksPointer(m) : undefined
  return pointer === undefined ? undefined : yield* unlockLuks(pointer, password, cipher)
}
