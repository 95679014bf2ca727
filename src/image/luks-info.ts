/** LUKS: what the LUKS header of an encrypted image names, as far as qemu-img reports it. */
import { sectorSize } from '../format/limits.js'
import { luksActive, type LuksSlot, luksText } from '../format/luks.js'
import type { LuksPartition } from './luks-area.js'

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

/** What a LUKS header and its key slots name. */
export const luksInfo = ({ header: h, slots }: LuksPartition): LuksInfo => {
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
