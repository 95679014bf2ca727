/** Extension rules: what a header and its extensions say together. */
import { further } from '../bytes/issue.js'
import { type FieldRule, onField, RuleTable } from '../bytes/judgement.js'
import { type Aligning, alignment } from './alignment.js'
import { type ExtensionArea, lastExtension, payloadStart } from './extension-area.js'
import { bitmapsExtension, encryptionPointer } from './extension-payload.js'
import { type Header, headerPlaces, type HeaderKey } from './header.js'

/** A header and the extensions that follow it. */
export interface Head {
  readonly header: Header
  readonly area: ExtensionArea
}

type HeadRule = FieldRule<Head, Aligning, HeaderKey | 'bitmapDirectoryOffset' | 'offset'>

const trusted = ({ header }: Head): boolean => header.autoclearFeatures.bitmaps
const isLuks = ({ header }: Head): boolean => header.cryptMethod === 2
const bitmaps = ({ area }: Head) => lastExtension(area, 'Bitmaps')?.data
const encryption = ({ area }: Head) => lastExtension(area, 'Encryption')?.data

const inconsistent = { phase: 'inconsistent', refusal: 'OPEN-25', found: String } as const

const rules: readonly HeadRule[] = [
  {
    field: 'autoclearFeatures',
    clause: 'FEAT-07',
    phase: 'inconsistent',
    source: 'format',
    broken: (head) => trusted(head) && bitmaps(head) === undefined,
    found: () => 'the bitmaps bit without a bitmaps extension',
    expected: 'both or neither'
  },
  {
    field: 'autoclearFeatures',
    clause: 'BMP-11',
    phase: 'inconsistent',
    source: 'format',
    broken: (head) => !trusted(head) && bitmaps(head) !== undefined,
    found: () => 'a bitmaps extension without the bitmaps bit',
    expected: 'the bit, without which the bitmaps are not used'
  },
  onField('bitmapDirectoryOffset', alignment('BMP-01', inconsistent), (head) =>
    trusted(head) ? (bitmaps(head)?.bitmapDirectoryOffset ?? 0n) : 0n
  ),
  {
    field: 'cryptMethod',
    clause: 'EXT-09',
    phase: 'inconsistent',
    refusal: 'OPEN-25',
    broken: (head) => encryption(head) !== undefined && !isLuks(head),
    found: ({ header }) => `${header.cryptMethod} beside a full disk encryption pointer`,
    expected: '2'
  },
  onField('offset', alignment('EXT-09', inconsistent), (head) =>
    isLuks(head) ? (encryption(head)?.offset ?? 0n) : 0n
  ),
  {
    field: 'cryptMethod',
    clause: 'LUKS-02',
    phase: 'inconsistent',
    refusal: 'OPEN-27',
    broken: (head) => encryption(head) === undefined && isLuks(head),
    found: () => '2 without a full disk encryption pointer',
    expected: 'the extension'
  },
  {
    field: 'incompatibleFeatures',
    clause: 'EXT-11',
    phase: 'inconsistent',
    source: 'format',
    broken: ({ header, area }) =>
      lastExtension(area, 'DataFile') !== undefined && !header.incompatibleFeatures.externalDataFile,
    found: () => 'an external data file name without the bit',
    expected: 'both or neither'
  }
]

/** The rules of a header and its extensions together. @see BMP-11, EXT-09, EXT-11, FEAT-07 and LUKS-02 */
export const headRules = new RuleTable<Head, Aligning>(
  {
    placeOf: (key, { header, area }) => {
      const inPayload = (tag: 'Bitmaps' | 'Encryption'): number => header.headerLength + payloadStart(area, tag)
      if (key === 'bitmapDirectoryOffset') return further(bitmapsExtension.placeOf(key), inPayload('Bitmaps'))
      if (key === 'offset') return further(encryptionPointer.placeOf(key), inPayload('Encryption'))
      return headerPlaces.placeOf(key, header)
    }
  },
  rules
)
