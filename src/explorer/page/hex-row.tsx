/** One row of bytes. */
import { memo } from 'preact/compat'
import type { Blocks } from './blocks.js'
import { columnOf, type Group, type Row } from './hex-rows.js'

interface Props {
  readonly row: Row
  /** Hexadecimal digits of an offset. */
  readonly digits: number
  readonly perRow: number
  /** The selected byte of the row; -1 for none. */
  readonly selected: number
  /** Where the selected span begins; -1 for none. */
  readonly selectedSpan: number
  readonly isEditing: boolean
  /** What the row was made from. */
  readonly blocks: Blocks
}

const classOf = (g: Group, selectedSpan: number): string =>
  [
    'g',
    g.span === undefined ? '' : `k k-${g.span.kind}`,
    g.isContinued ? 'cont' : '',
    g.goesOn ? 'goes' : '',
    g.isZero ? 'zero' : '',
    g.isSecondHalf ? 'second' : '',
    g.span?.at === selectedSpan ? 'sel' : ''
  ]
    .filter((name) => name !== '')
    .join(' ')

const HexRowView = ({ row, digits, perRow, selected, selectedSpan, isEditing }: Props) => (
  <div class={selected >= 0 ? 'row current' : 'row'}>
    <span class="at">{row.at.toString(16).padStart(digits, '0')}</span>
    <span class="cells" style={{ width: `${columnOf(perRow)}ch` }}>
      {row.groups?.map((g, i) => (
        <span key={i} class={classOf(g, selectedSpan)}>
          {g.hex}
        </span>
      ))}
      {selected >= 0 && (
        <i class={isEditing ? 'cursor editing' : 'cursor'} style={{ left: `${columnOf(selected)}ch`, width: '2ch' }} />
      )}
    </span>
    <span class="text">
      {row.groups?.map((g) => g.text).join('') ?? ''}
      {selected >= 0 && <i class="cursor" style={{ left: `${selected}ch`, width: '1ch' }} />}
    </span>
  </div>
)

/** Whether two rows show the same. */
const isSame = (a: Props, b: Props): boolean =>
  a.row.at === b.row.at &&
  a.blocks.get(a.row.at - (a.row.at % 4096)) === b.blocks.get(b.row.at - (b.row.at % 4096)) &&
  a.selected === b.selected &&
  a.isEditing === b.isEditing &&
  a.digits === b.digits &&
  a.perRow === b.perRow &&
  a.selectedSpan === b.selectedSpan

export const HexRow = memo(HexRowView, isSame)
