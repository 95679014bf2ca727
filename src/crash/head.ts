/** The head of an image: what its first cluster holds beside the places of tables, and what a crash may make of it. */
import { empty, toHex } from '../bytes/octets.js'
import { extension, typeOf } from '../format/extension.js'
import { extensionTypes, holeType } from '../format/extension-kinds.js'
import { type Metadata, refusal } from '../image/metadata.js'

/** The fields of the first cluster, but for the places of tables. */
export interface Head {
  readonly version: number
  /** The backing file name; empty without one. */
  readonly name: string
  /** The extensions but for holes and bitmaps. */
  readonly extensions: readonly string[]
  readonly trusted: boolean
  readonly dirty: boolean
  /** Why QEMU would refuse it, if it does. */
  readonly refusal: string | undefined
  /** The clauses of what is wrong with it. */
  readonly clauses: readonly string[]
}

/** The types that are not compared: holes, which hide freed bytes, and bitmaps, which C9 judges. */
const ignoredTypes: readonly number[] = [holeType, extensionTypes.Bitmaps]

/** What the first cluster says by this metadata. */
export const headIn = (m: Metadata): Head => ({
  version: m.header.version,
  name: toHex(m.backingName ?? empty),
  extensions: (m.extensions?.extensions ?? [])
    .filter((e) => !ignoredTypes.includes(typeOf(e)))
    .map((e) => toHex(extension.encode({ ...e, padding: empty }))),
  trusted: m.header.autoclearFeatures.bitmaps,
  dirty: m.header.incompatibleFeatures.dirty,
  refusal: refusal(m.issues)?.message,
  clauses: [...new Set(m.issues.map((i) => i.clause))].toSorted()
})

const same = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join()

/** How a first cluster is neither the old nor the new one, but for a name or for extensions that are cut off. */
export const unlikeHead = (head: Head, old: Head, now: Head): string | undefined => {
  const isOld = same(head.extensions, old.extensions)
  const isNew = same(head.extensions, now.extensions)
  const isFirstOf = (all: readonly string[]): boolean => same(head.extensions, all.slice(0, head.extensions.length))
  if (!isNew && !isFirstOf(old.extensions) && !isFirstOf(now.extensions)) return 'extensions of neither'
  if (![old.name, now.name, ''].includes(head.name)) return 'the backing file is neither of the two'
  // A new name never has an old format, nor an old name a new one.
  if (old.name === now.name || head.name === '') return undefined
  return (head.name === now.name ? isNew : isOld) ? undefined : 'a name with the format of another'
}
