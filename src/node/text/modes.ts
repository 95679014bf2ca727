/** Words that options take. */
import type { Preallocation } from '../../../spec/disk.js'

/** How to allocate before anything is written. */
export const preallocations = ['off', 'metadata', 'falloc', 'full'] as const

/** Whether a word is a way to allocate before anything is written. */
export const isPreallocation = (word: string): word is Preallocation => preallocations.some((mode) => mode === word)

/** How a host file is cached. */
export const caches = ['none', 'writeback', 'writethrough', 'unsafe', 'directsync', 'off'] as const

/** What becomes of discards. */
export const discards = ['ignore', 'off', 'unmap', 'on'] as const

/** How a host file is read and written. */
export const aios = ['threads', 'native', 'io_uring'] as const
