/** Bit diagrams: a word as a row of squares, its named ranges below. */
import { flipped } from '../edits.js'
import type { BitDiagram, BitRange } from '../diagram.js'
import { useExplorer } from './context.js'
import { To } from './to.js'

const bitsOf = (range: BitRange): string => (range.lo === range.hi ? `${range.lo}` : `${range.hi}\u2013${range.lo}`)

const wordBytes = (d: BitDiagram): Uint8Array => {
  const n = BigInt(d.word)
  const size = d.width / 8
  return Uint8Array.from({ length: size }, (_, i) => Number((n >> BigInt(8 * (size - 1 - i))) & 0xffn))
}

const Squares = ({ diagram: d }: { readonly diagram: BitDiagram }) => {
  const { state, edit } = useExplorer()
  const word = BigInt(d.word)
  const flip = (bit: number): void => edit([...state.edits, { at: d.at, bytes: flipped(wordBytes(d), bit) }])
  return (
    <div class="bits" role={state.isEditing ? 'group' : 'img'} aria-label={`${d.name}: ${d.word}`}>
      {Array.from({ length: d.width }, (_, i) => d.width - 1 - i).map((bit) => {
        const range = d.ranges.findIndex(({ lo, hi }) => bit >= lo && bit <= hi)
        const isSet = ((word >> BigInt(bit)) & 1n) === 1n
        const kind = `bit ${range < 0 ? 'reserved' : `r${range % 4}`} ${isSet ? 'set' : ''}`
        const title = `bit ${bit}: ${d.ranges[range]?.name ?? 'reserved'}, ${isSet ? 1 : 0}`
        return state.isEditing ? (
          <button key={bit} class={kind} title={title} aria-label={title} onClick={() => flip(bit)} />
        ) : (
          <i key={bit} class={kind} title={title} />
        )
      })}
    </div>
  )
}

const Diagram = ({ diagram: d }: { readonly diagram: BitDiagram }) => (
  <figure class="diagram">
    <figcaption>
      {d.name} <span class="mono">{d.word}</span>
    </figcaption>
    <Squares diagram={d} />
    <table class="ranges">
      <tbody>
        {d.ranges.map((r, i) => (
          <tr key={r.name} title={r.doc}>
            <td class="bitno">
              <i class={`bit r${i % 4} set`} aria-hidden="true" /> {bitsOf(r)}
            </td>
            <th scope="row">{r.name}</th>
            <td class="mono">{r.target === undefined ? r.value : <To at={r.target} />}</td>
          </tr>
        ))}
        {d.reserved !== '0x0' && (
          <tr class="bad">
            <td class="bitno">others</td>
            <th scope="row">reserved</th>
            <td class="mono">{d.reserved}</td>
          </tr>
        )}
      </tbody>
    </table>
  </figure>
)

export const BitDiagrams = ({ diagrams }: { readonly diagrams: readonly BitDiagram[] }) => (
  <>
    {diagrams.map((d) => (
      <Diagram key={d.at} diagram={d} />
    ))}
  </>
)
