/** The selection: what the selected byte is, in the words of the format. */
import type { Json } from '../../bytes/json.js'
import { grouped, offsetText, sizeText } from '../numbers.js'
import type { ClusterOwner, SelectedPart, Selection } from '../selection.js'
import { BitDiagrams } from './bits.js'
import { ClauseName } from './clause-name.js'
import { useExplorer } from './context.js'
import { EditField } from './edit-field.js'
import { FindingText } from './findings.js'
import { To } from './to.js'
import { Preview } from './preview.js'

const range = (at: number, size: number): string =>
  size === 1 ? offsetText(at) : `${offsetText(at)} \u2013 ${offsetText(at + size - 1)}`

/** A number in decimal, in hexadecimal and, for bytes, with a unit. */
const numberText = (value: number | string, doc: string): string => {
  const n = Number(value)
  if (!Number.isFinite(n) || n < 10) return String(value)
  const unit =
    /offset|size|length|\bin bytes/.test(doc) && n >= 1024 && Number.isSafeInteger(n) ? ` = ${sizeText(n)}` : ''
  const whole = typeof value === 'string' && /^\d+$/.test(value) ? BigInt(value) : n
  return `${grouped(whole)} = 0x${whole.toString(16)}${unit}`
}

/** A field of an entry: an offset in hexadecimal. */
const fieldText = (name: string, value: Json | undefined): string => {
  if (typeof value === 'object') return JSON.stringify(value)
  return name.endsWith('offset') && typeof value !== 'boolean' ? `0x${BigInt(value ?? 0).toString(16)}` : String(value)
}

const Value = ({ value, doc }: { readonly value: Json; readonly doc: string }) => {
  if (value === null) return <span>none</span>
  if (typeof value === 'number') return <span class="mono">{numberText(value, doc)}</span>
  if (typeof value === 'string')
    return <span class="mono">{/^\d+$/.test(value) ? numberText(value, doc) : value === '' ? '(empty)' : value}</span>
  if (typeof value === 'boolean') return <span class="mono">{String(value)}</span>
  if (Array.isArray(value)) return <span class="mono">{value.map((v) => JSON.stringify(v)).join(', ')}</span>
  return (
    <dl class="fields">
      {Object.entries(value).map(([key, v]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{fieldText(key, v)}</dd>
        </div>
      ))}
    </dl>
  )
}

const Rules = ({ part }: { readonly part: SelectedPart }) => (
  <details open={part.diagrams.length === 0 && !part.structure.endsWith('cluster')}>
    <summary>
      Rule <ClauseName id={part.clause} />
    </summary>
    <p class="says">
      {part.says.says}{' '}
      <span class="hint">
        {part.says.subject} {part.says.level}
        {part.says.source === 'both' ? '' : `, ${part.says.source}`}
      </span>
    </p>
    {part.rules.length > 0 && (
      <ul class="rules">
        {part.rules.map((r, i) => (
          <li key={i}>
            {r.field} is {r.expected} <ClauseName id={r.clause} />
            {r.source === 'both' ? '' : <span class="hint"> {r.source} only</span>}
          </li>
        ))}
      </ul>
    )}
  </details>
)

const Part = ({ part }: { readonly part: SelectedPart }) => {
  const { state } = useExplorer()
  const hasBits = part.diagrams.length > 0
  return (
    <section class="part">
      <h3>
        <i class={`dot k-${part.kind}`} aria-hidden="true" /> {part.structure}
        {part.of === '' ? '' : <span class="of">{part.of}</span>}
      </h3>
      <p class="what">
        <b>{part.part}</b> <span class="mono place">{range(part.at, part.size)}</span>
      </p>
      <p class="doc">{part.doc}</p>
      {!hasBits && (
        <p class="value">
          <Value value={part.value} doc={`${part.doc} ${part.part}`} />
        </p>
      )}
      <BitDiagrams diagrams={part.diagrams} />
      <p class="links">
        {part.target !== undefined && (
          <>
            leads to <To at={part.target} />{' '}
          </>
        )}
        {part.from !== undefined && (
          <>
            named at <To at={part.from} />
          </>
        )}
      </p>
      {state.isEditing && <EditField at={part.at} size={part.size} />}
      <Rules part={part} />
    </section>
  )
}

const Owner = ({ o }: { readonly o: ClusterOwner }) => (
  <li>
    <i class={`dot k-${o.kind}`} aria-hidden="true" /> <To at={o.at}>{o.name}</To>
    {o.from !== undefined && (
      <span class="hint">
        {' '}
        by <To at={o.from} />
      </span>
    )}
  </li>
)

const Cluster = ({ selection }: { readonly selection: Selection }) => {
  const { cluster, refcount, owners } = selection
  if (cluster === undefined) return null
  return (
    <section class="part">
      <h3>Host cluster {grouped(cluster.at / cluster.size)}</h3>
      <p>
        <span class="mono place">{range(cluster.at, cluster.size)}</span>{' '}
        {refcount === undefined ? 'no refcount block describes it' : `refcount ${refcount}`}
      </p>
      {owners.length === 0 ? (
        <p class="hint">Nothing refers to it.</p>
      ) : (
        <ul class="owners">
          {owners.map((o, i) => (
            <Owner key={i} o={o} />
          ))}
        </ul>
      )}
    </section>
  )
}

export const SelectionPane = () => {
  const { state } = useExplorer()
  const { selection, place } = state
  return (
    <>
      <h2>
        Byte <span class="mono">{offsetText(place.at)}</span>
        {selection?.at === place.at && (
          <span class="hint">
            {' '}
            {grouped(place.at)}, holds 0x{selection.byte.toString(16).padStart(2, '0')}
          </span>
        )}
      </h2>
      {selection !== undefined && (
        <>
          {selection.findings.map((f, i) => (
            <p key={i} class="here">
              <FindingText f={f} /> <ClauseName id={f.clause} />
            </p>
          ))}
          {selection.parts.length === 0 && (
            <section class="part">
              <p class="doc">No structure and no guest data: the byte is not used.</p>
              {state.isEditing && <EditField at={place.at} size={1} />}
            </section>
          )}
          {selection.parts.map((part, i) => (
            <Part key={i} part={part} />
          ))}
          <Preview />
          <Cluster selection={selection} />
          <p class="hint keys">
            Keys in the bytes: arrows, <kbd>n</kbd> and <kbd>p</kbd> for the next and the previous field,{' '}
            <kbd>Enter</kbd> to follow an offset, <kbd>g</kbd> to go to one.
          </p>
        </>
      )}
    </>
  )
}
