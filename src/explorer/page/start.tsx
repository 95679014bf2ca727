/** The page before it has an image. */
import { useState } from 'preact/hooks'
import { useExplorer } from './context.js'

/** The last part of a URL's path, or its host. */
const nameOf = (url: string): string => {
  const parsed = new URL(url)
  const last = decodeURIComponent(parsed.pathname.split('/').at(-1) ?? '')
  return last === '' ? parsed.host : last
}

const FilePicker = () => {
  const { openImage } = useExplorer()
  return (
    <label class="button primary">
      Choose an image
      <input
        class="visually-hidden"
        type="file"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0]
          if (file !== undefined) openImage({ _tag: 'File', name: file.name, blob: file })
        }}
      />
    </label>
  )
}

const UrlForm = () => {
  const { openImage } = useExplorer()
  const [url, setUrl] = useState('')
  return (
    <form
      class="url"
      onSubmit={(event) => {
        event.preventDefault()
        if (URL.canParse(url)) openImage({ _tag: 'Url', name: nameOf(url), url })
      }}
    >
      <label for="url">or the URL of one</label>
      <div class="joined">
        <input
          id="url"
          type="url"
          required
          placeholder="https://"
          value={url}
          onInput={(event) => setUrl(event.currentTarget.value)}
        />
        <button type="submit">Open</button>
      </div>
      <p class="hint">
        A server on another host must serve ranges and allow other pages to read them (CORS). Without that,{' '}
        <code>qcow2 explore URL</code> reads it.
      </p>
    </form>
  )
}

export const Start = ({ isOver }: { readonly isOver: boolean }) => {
  const { state, dispatch } = useExplorer()
  return (
    <main class={isOver ? 'start over-start' : 'start'}>
      <h1>qcow2 explorer</h1>
      {state.isOpening ? (
        <p role="status">Opening {state.opening}…</p>
      ) : (
        <>
          <p class="lead">
            A disk image, explained byte by byte: every structure, every rule, everything that is wrong.
          </p>
          <FilePicker />
          <p class="hint">Or drop one anywhere on this page. Nothing leaves the browser.</p>
          <UrlForm />
        </>
      )}
      {state.error !== undefined && (
        <p class="error" role="alert">
          {state.error} <button onClick={() => dispatch({ _tag: 'Dismiss' })}>Dismiss</button>
        </p>
      )}
    </main>
  )
}
