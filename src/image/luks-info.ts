/** LUKS: what the LUKS header of an encrypted image names, as far as qemu-img reports it. */
import type { Plan } from '../bytes/plan.js'
import { sectorSize } from '../format/limits.js'
import { luksActive, type LuksSlot, luksText } from '../format/luks.js'
import { readPartition } from './luks-area.js'
import { luksPointer, type Metadata } from './metadata.js'

/** A key slot of a LUKS header. */
export interface LuksSlotInfo {
  /** Of a slot in use: the iterations of its key derivation, and its anti-forensic stripes. */
  readonly active?: { readonly iterations: number; readonly stripes: number }
  /** Bytes from the start of the encryption area. */
  readonly keyOffset: number
}

/** What a LUKS header names. @see LUKS-03 */
export interface LuksInfo {
  readonly ivGenerator: string
  readonly hash: string
  /** The cipher with the bits of its key, such as `aes-256`. */
  readonly cipher: string
  readonly cipherMode: string
  readonly uuid: string
  /** Bytes from the start of the encryption area. */
  readonly payloadOffset: number
  readonly masterKeyIterations: number
  readonly slots: readonly LuksSlotInfo[]
}

const slotInfo = (s: LuksSlot): LuksSlotInfo => ({
  ...(s.active === luksActive ? { active: { iterations: s.iterations, stripes: s.stripes } } : {}),
  keyOffset: s.keyMaterialOffset * sectorSize
})

/** Bits of the cipher's key: XTS splits the master key in two. */
const cipherBits = (keyBytes: number, mode: string): number => (mode === 'xts' ? keyBytes / 2 : keyBytes) * 8

/** Reads the LUKS header of an image that is encrypted by LUKS, if it is and the header decodes. */
export function* readLuks(m: Metadata): Plan<LuksInfo | undefined> {
  const pointer = luksPointer(m)
  if (pointer === undefined || m.header.cryptMethod !== 2) return undefined
  const partition = yield* readPartition(pointer)
  if (partition === undefined) return undefined
  const { header: h, slots } = partition
  const [cipherMode = '', ivGenerator = ''] = luksText(h.cipherMode).split('-')
  return {
    ivGenerator,
    hash: luksText(h.hashSpec),
    cipher: `${luksText(h.cipherName)}-${cipherBits(h.keyBytes, cipherMode)}`,
    cipherMode,
    uuid: luksText(h.uuid),
    payloadOffset: h.payloadOffset * sectorSize,
    masterKeyIterations: h.mkDigestIter,
    slots: slots.map(slotInfo)
  }
}
