/** The findings, by severity; each leads to its bytes. */
import type { Finding } from '../../image/check/findings.js'
import { grouped, offsetText } from '../numbers.js'
import { useExplorer } from './context.js'

/** Most findings that are listed. */
const most = 500

export const FindingText = ({ f }: { readonly f: Finding }) => (
  <>
    <b class={`severity is-${f.severity}`}>{f.severity}</b> {f.structure}
    {f.field === '' ? '' : ` ${f.field}`}: found {f.found}, expected {f.expected}
  </>
)

const places = (f: Finding, length: number): readonly (readonly [string, number])[] =>
  (f.owners ?? [])
    .flatMap((o): readonly (readonly [string, number])[] => (o.entry === undefined ? [] : [[o.section, o.entry]]))
    .filter(([, at]) => at < length)

export const Findings = () => {
  const { state, go } = useExplorer()
  const { verdict, summary } = state
  if (verdict === undefined || summary === undefined) return null
  const length = summary.fileLength
  const { findings } = verdict
  const more = findings.length - most + verdict.leftOut
  return (
    <section class="findings">
      <h2>
        Findings <span class="count">{findings.length + verdict.leftOut}</span>
      </h2>
      {findings.length === 0 && <p class="hint">None.</p>}
      <ul>
        {findings.slice(0, most).map((f, i) => (
          <li key={i}>
            <button
              class="finding"
              disabled={f.at >= length}
              onClick={() => go(f.at, { view: 'bytes' })}
              title={`Go to ${offsetText(f.at)}`}
            >
              <FindingText f={f} /> <span class="clause">{f.clause}</span>
            </button>
            {places(f, length).map(([name, at]) => (
              <button key={at} class="small link" onClick={() => go(at, { view: 'bytes' })}>
                {name} at {offsetText(at)}
              </button>
            ))}
          </li>
        ))}
      </ul>
      {more > 0 && <p class="hint">and {grouped(more)} more</p>}
    </section>
  )
}
