/** LUKS partition headers and their key slots. */
import { luksHeader, luksSlot } from '../../src/format/luks.js'
import { fixed } from './structure.js'

/** LUKS headers without their key slots. */
export const luksHeaders = fixed(luksHeader)

/** Key slots. */
export const luksKeySlots = fixed(luksSlot)
