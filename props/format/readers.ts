/** Every structure by its name: what its bytes decode to, and everything that is wrong with them. */
import * as E from 'fp-ts/lib/Either.js'
import { type ByteType, rawBytes } from '../../src/bytes/byte-type.js'
import { type Complaint, isIssue } from '../../src/bytes/issue.js'
import type { Json } from '../../src/bytes/json.js'
import * as format from '../../src/format/index.js'
import type { Geometry } from '../../src/format/geometry.js'

/** What a structure is read with, unless a case says otherwise. */
const usual: Geometry = { version: 3, clusterBits: 16, extendedL2: false, externalDataFile: false, refcountOrder: 4 }

/** Bytes as they were read. */
export interface Reading {
  readonly complaints: readonly Complaint[]
  /** Of bytes that decode: the JSON, and the bytes that the value and its JSON encode to. */
  readonly decoded?: { readonly json: Json; readonly bytes: Uint8Array; readonly fromJson: Uint8Array }
}

type Reader = (bytes: Uint8Array) => Reading

const reader =
  <A>(type: ByteType<A>, judge: (a: A) => readonly Complaint[] = (a) => type.judge(a)): Reader =>
  (bytes) => {
    const a = type.decode(bytes)
    if (E.isLeft(a)) return { complaints: a.left.filter(isIssue) }
    const json = type.json.encode(a.right)
    const back = type.json.decode(JSON.parse(JSON.stringify(json)))
    const fromJson = E.isRight(back) ? type.encode(back.right) : new Uint8Array()
    return { complaints: judge(a.right), decoded: { json, bytes: type.encode(a.right), fromJson } }
  }

const readers = {
  header: () => reader(format.header, format.judgeHeader),
  'header extension area': () => reader(format.extensionArea),
  'header extension': () => reader(format.extension),
  'extension record': () => reader(format.extensionRecord),
  'feature name': () => reader(format.featureName),
  'bitmaps extension': () => reader(format.bitmapsExtension),
  'full disk encryption pointer': () => reader(format.encryptionPointer),
  'LUKS header': () => reader(format.luksHeader, (a) => format.luksHeaderRules.judge(a, { length: 0x1f_9000n })),
  'LUKS key slot': () =>
    reader(format.luksSlot, (a) => format.luksSlotRules.judge(a, { payloadOffset: 4040, keyBytes: 64, before: [512] })),
  'L1 entry': (g: Geometry) => reader(format.l1Entry, (a) => format.l1Rules.judge(a, g)),
  'L2 entry': (g: Geometry) => reader(format.l2Entry(g)),
  'L2 entry of guest byte 0x50000 in a data file': (g: Geometry) =>
    reader(format.l2Entry(g), (e) => {
      const host = 'hostClusterOffset' in e ? Number(e.hostClusterOffset) : 0
      return format.dataFileRules.judge({ host, guest: 0x5_0000 }, undefined)
    }),
  'refcount table entry': (g: Geometry) =>
    reader(format.refcountTableEntry, (a) => format.refcountTableRules.judge(a, g)),
  'refcount block': (g: Geometry) => reader(format.refcountBlock(g)),
  'snapshot entry': (g: Geometry) => reader(format.snapshotEntry, (a) => format.snapshotRules.judge(a, g)),
  'snapshot entry with its sizes': (g: Geometry) =>
    reader(format.snapshotEntry, (a) => format.snapshotSizeRules.judge(a, { ...g, disk: 0n })),
  'snapshot table of 2': () => reader(format.snapshotTable(2)),
  'bitmap directory': () => reader(format.bitmapDirectory),
  'bitmap entry': (g: Geometry) => reader(format.bitmapEntry, (a) => format.bitmapRules.judge(a, g)),
  'bitmap table entry': (g: Geometry) => reader(format.bitmapTableEntry, (a) => format.bitmapTableRules.judge(a, g)),
  'bitmap data': (g: Geometry) => reader(format.bitmapCluster(g.clusterBits)),
  'bitmap data of 4 bits': () => reader(rawBytes, (bytes) => format.lastBitsRules.judge({ bytes, used: 4 }, undefined)),
  'bitmap data of 8 bits': () => reader(rawBytes, (bytes) => format.lastBitsRules.judge({ bytes, used: 8 }, undefined))
}

/** A structure that has golden bytes or cases. */
export type StructureName = keyof typeof readers

/** Reads bytes as a structure of an image with this geometry. */
export const readAs = (name: StructureName, bytes: Uint8Array, geometry: Partial<Geometry> = {}): Reading =>
  readers[name]({ ...usual, ...geometry })(bytes)
