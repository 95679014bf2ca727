/** The top of the page: what the image is, the verdict on it, and what can be done with it. */
import { useRef } from 'preact/hooks'
import { parseOffset, sizeText } from '../numbers.js'
import type { Summary } from '../summary.js'
import type { Verdict } from '../verdict.js'
import { useExplorer } from './context.js'

const VerdictText = ({ verdict, original }: { readonly verdict: Verdict; readonly original: Verdict | undefined }) => (
  <span class={`verdict is-${verdict.state}`}>
    <b>{verdict.state}</b> {verdict.text === verdict.state ? '' : verdict.text}
    {original !== undefined && original.text !== verdict.text && (
      <span class="was">
        {' '}
        was: {original.state === 'clean' ? '' : `${original.state}, `}
        {original.text}
      </span>
    )}
  </span>
)

const Status = () => {
  const { state, send } = useExplorer()
  const { verdict, original, progress, unchecked } = state
  return (
    <div class="status" role="status">
      {verdict !== undefined && <VerdictText verdict={verdict} original={original} />}
      {verdict === undefined && progress === undefined && unchecked !== undefined && (
        <span class="verdict">not checked: {unchecked}</span>
      )}
      {progress !== undefined && (
        <span class="progress">
          <i class="spinner" aria-hidden="true" /> {progress}{' '}
          <button class="small" onClick={() => send({ _tag: 'Cancel' })}>
            Cancel
          </button>
        </span>
      )}
    </div>
  )
}

const GoTo = ({ summary }: { readonly summary: Summary }) => {
  const { go } = useExplorer()
  const input = useRef<HTMLInputElement>(null)
  return (
    <form
      class="go"
      onSubmit={(event) => {
        event.preventDefault()
        const at = parseOffset(input.current?.value ?? '')
        const isGood = at !== undefined && at < summary.fileLength
        input.current?.setCustomValidity(isGood ? '' : `an offset below ${summary.fileLength}`)
        if (isGood) go(at, { view: 'bytes' })
        else input.current?.reportValidity()
      }}
    >
      <input
        id="go"
        ref={input}
        aria-label="Go to offset"
        placeholder="Offset"
        spellcheck={false}
        autocomplete="off"
        onFocus={() => input.current?.select()}
        onInput={() => input.current?.setCustomValidity('')}
      />
    </form>
  )
}

const Actions = () => {
  const { state, send, dispatch, edit } = useExplorer()
  const n = state.edits.length
  return (
    <div class="actions">
      <button
        aria-pressed={state.isEditing}
        title="Change a copy of the image; the file stays as it is"
        onClick={() => dispatch({ _tag: 'Editing', is: !state.isEditing })}
      >
        Edit{n === 0 ? '' : ` (${n})`}
      </button>
      {n > 0 && <button onClick={() => edit(state.edits.slice(0, -1))}>Undo</button>}
      <button onClick={() => send({ _tag: 'Download', what: 'image' })} title="Download the image, with all edits">
        Save image
      </button>
      <button onClick={() => send({ _tag: 'Download', what: 'dump' })} title="Download every structure as JSON">
        Save dump
      </button>
      <button onClick={() => dispatch({ _tag: 'Close' })} title="Open another image">
        Close
      </button>
    </div>
  )
}

const facts = (s: Summary): readonly string[] => [
  `${sizeText(s.fileLength)} file`,
  ...(s.version === 0 ? [] : [`${sizeText(s.diskSize)} disk`, `version ${s.version}`]),
  ...(s.clusterSize === 0 ? [] : [`${sizeText(s.clusterSize)} clusters`]),
  ...s.features
]

export const TopBar = ({ summary }: { readonly summary: Summary }) => {
  const { state, dispatch } = useExplorer()
  return (
    <header class="top">
      <div class="title">
        <h1 title={summary.name}>{summary.name}</h1>
        <p class="facts">{facts(summary).join(' \u00b7 ')}</p>
      </div>
      <Status />
      <GoTo summary={summary} />
      <Actions />
      {(summary.unreadable ?? state.error) !== undefined && (
        <p class="error" role="alert">
          {summary.unreadable ?? state.error}
          {summary.unreadable === undefined && (
            <button class="small" onClick={() => dispatch({ _tag: 'Dismiss' })}>
              Dismiss
            </button>
          )}
        </p>
      )}
    </header>
  )
}
