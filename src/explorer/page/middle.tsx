/** The middle of the page: the strip of the whole file, and the bytes or a map. */
import { type View, views } from '../fragment.js'
import type { Summary } from '../summary.js'
import { useExplorer } from './context.js'
import { GuestView } from './guest-view.js'
import { Hex } from './hex.js'
import { HostView } from './host-view.js'
import { Strip } from './strip.js'
import type { Pane } from './state.js'

const titles: Readonly<Record<View, string>> = { bytes: 'Bytes', host: 'Host clusters', guest: 'Guest disk' }

/** The tabs of a narrow page lead to the other panes too. */
const panes: readonly (readonly [Pane, string])[] = [
  ['structures', 'Structures'],
  ['selection', 'Selection']
]

const Tabs = () => {
  const { state, go, dispatch } = useExplorer()
  return (
    <div class="tabs" role="group" aria-label="View">
      {views.map((view) => (
        <button
          key={view}
          aria-pressed={state.place.view === view && state.pane === 'view'}
          class={state.place.view === view ? 'tab chosen' : 'tab'}
          onClick={() => {
            dispatch({ _tag: 'Pane', pane: 'view' })
            go(state.place.at, { view })
          }}
        >
          {titles[view]}
        </button>
      ))}
      {panes.map(([pane, title]) => (
        <button
          key={pane}
          class="tab narrow-only"
          aria-pressed={state.pane === pane}
          onClick={() => dispatch({ _tag: 'Pane', pane })}
        >
          {title}
        </button>
      ))}
    </div>
  )
}

export const Middle = ({ summary }: { readonly summary: Summary }) => {
  const { state } = useExplorer()
  const { view } = state.place
  return (
    <main class="pane middle">
      <Tabs />
      <div class="shown">
        {summary.clusterSize > 0 && <Strip summary={summary} />}
        {view === 'bytes' && <Hex />}
        {view === 'host' && <HostView summary={summary} />}
        {view === 'guest' && <GuestView summary={summary} />}
      </div>
    </main>
  )
}
