/** Every structure there is. */
import { bitmapClustersOf, bitmapDirectories, bitmaps, bitmapTableEntries } from './bitmap.js'
import { extensionAreas, extensionRecords, extensions, featureNameTables, payloads } from './extension.js'
import { headers } from './header.js'
import { l2Entries } from './l2.js'
import { luksHeaders, luksKeySlots } from './luks.js'
import { snapshotExtras, snapshots, snapshotTables } from './snapshot.js'
import type { Structure } from './structure.js'
import { l1Entries, refcountBlocks, refcountTableEntries } from './table.js'

/**
 * What `use` makes of each structure, in each context that it is read in.
 *
 * @example
 * import { ofEveryStructure } from 'qcow2-spec/arbitraries'
 * import * as assert from 'node:assert/strict'
 *
 * assert.ok(ofEveryStructure(({ name }) => name).includes('header'))
 */
export const ofEveryStructure = <R>(use: <A>(s: Structure<A>) => R): readonly R[] => [
  use(headers),
  use(extensionAreas),
  use(extensions),
  use(extensionRecords),
  use(featureNameTables),
  use(payloads.names),
  use(payloads.bitmaps),
  use(payloads.encryption),
  use(luksHeaders),
  use(luksKeySlots),
  use(l1Entries),
  ...l2Entries.map((s) => use(s)),
  use(refcountTableEntries),
  ...refcountBlocks.map((s) => use(s)),
  use(snapshotExtras),
  use(snapshots),
  ...snapshotTables.map((s) => use(s)),
  use(bitmaps),
  use(bitmapDirectories),
  use(bitmapTableEntries),
  use(bitmapClustersOf(9))
]
