/** The page: an image in three panes, or the place to give it one. */
import { memo } from 'preact/compat'
import { useCallback, useEffect, useMemo, useReducer, useRef } from 'preact/hooks'
import { type Place, parseFragment, fragmentOf } from '../fragment.js'
import type { Span } from '../spans.js'
import { blockOf, type Blocks, noBlocks, withBlock } from './blocks.js'
import { type Channel, startWorker } from './channel.js'
import { BlocksContext, type Explorer, ExplorerContext } from './context.js'
import { Findings } from './findings.js'
import { Middle } from './middle.js'
import type { ImageSource } from './protocol.js'
import { SelectionPane } from './selection-pane.js'
import { servedImage } from './served.js'
import { Start } from './start.js'
import { type Event, start, type State, update } from './state.js'
import { Tree } from './tree.js'
import { TopBar } from './top-bar.js'
import { useDrop } from './drop.js'

/** The place that the URL names, and the one after each step of the browser's history. */
const useHistory = (dispatch: (event: Event) => void): void => {
  useEffect(() => {
    const follow = (): void => dispatch({ _tag: 'Go', place: parseFragment(location.hash) })
    addEventListener('hashchange', follow)
    return () => {
      removeEventListener('hashchange', follow)
    }
  }, [])
}

const setFragment = (place: Place, isMove: boolean): void => {
  const fragment = fragmentOf(place)
  if (fragment === location.hash) return
  if (isMove) history.replaceState(null, '', fragment)
  else history.pushState(null, '', fragment)
}

/** Asks for what is selected, again whenever more is known of the image. */
const useSelected = ({ place, generation, summary }: State, channel: Channel): void => {
  useEffect(() => {
    if (summary === undefined || summary.fileLength === 0) return
    channel.send({ _tag: 'Select', at: place.at })
    channel.send({ _tag: 'Contents', at: place.at })
  }, [place.at, generation])
}

/** The blocks of the image that is open, and what takes another one. */
const useBlockStore = (
  state: State
): readonly [Blocks, (at: number, bytes: Uint8Array, spans: readonly Span[]) => void] => {
  const [store, put] = useReducer(withBlock, { image: 0, blocks: noBlocks })
  const now = useRef(state)
  now.current = state
  const take = useCallback((at: number, bytes: Uint8Array, spans: readonly Span[]) => {
    const { image, generation } = now.current
    put({ image, block: blockOf(at, bytes, spans, generation) })
  }, [])
  return [store.image === state.image ? store.blocks : noBlocks, take]
}

const Bar = memo(TopBar)
const Center = memo(Middle)
const Side = memo(() => (
  <nav class="pane structures" aria-label="Structures and findings">
    <Tree />
    <Findings />
  </nav>
))
const Selected = memo(() => (
  <aside class="pane selection" aria-label="Selection">
    <SelectionPane />
  </aside>
))

export const App = () => {
  const [state, dispatch] = useReducer(update, { ...start, place: parseFragment(location.hash) })
  const [blocks, takeBlock] = useBlockStore(state)
  const channel = useRef<Channel | undefined>(undefined)
  channel.current ??= startWorker((reply) => {
    if (reply._tag === 'Window') takeBlock(reply.at, reply.bytes, reply.spans)
    else dispatch(reply)
  })
  const { send } = channel.current
  useHistory(dispatch)
  useSelected(state, channel.current)

  const openImage = useCallback((source: ImageSource) => {
    dispatch({ _tag: 'Opening', name: source.name })
    send({ _tag: 'Open', source })
  }, [])
  useEffect(() => {
    void servedImage().then((source) => source === undefined || openImage(source))
  }, [])
  useEffect(() => {
    document.title = state.summary === undefined ? 'qcow2 explorer' : `${state.summary.name} \u2013 qcow2 explorer`
  }, [state.summary?.name])
  const isOver = useDrop(openImage)

  const explorer = useMemo(
    (): Explorer => ({
      state,
      send,
      dispatch,
      openImage,
      go: (at, { view = state.place.view, move = false } = {}) => {
        const place = { at, view }
        setFragment(place, move)
        dispatch({ _tag: 'Go', place })
      },
      edit: (edits) => {
        dispatch({ _tag: 'Edited', edits })
        send({ _tag: 'Edits', edits })
      }
    }),
    [state]
  )
  return (
    <ExplorerContext.Provider value={explorer}>
      <BlocksContext.Provider value={blocks}>
        {state.summary === undefined ? (
          <Start isOver={isOver} />
        ) : (
          <div class={`app shows-${state.pane}`}>
            <Bar summary={state.summary} />
            <Side />
            <Center summary={state.summary} />
            <Selected />
          </div>
        )}
        {isOver && state.summary !== undefined && <div class="over">Drop to open</div>}
      </BlocksContext.Provider>
    </ExplorerContext.Provider>
  )
}
