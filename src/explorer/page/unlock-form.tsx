/** A password for the guest data of an encrypted image. It stays in the worker of the page. */
import { useRef } from 'preact/hooks'
import { useExplorer } from './context.js'

export const UnlockForm = () => {
  const { state, send, dispatch } = useExplorer()
  const input = useRef<HTMLInputElement>(null)
  return (
    <form
      class="edit"
      onSubmit={(event) => {
        event.preventDefault()
        dispatch({ _tag: 'Unlocking' })
        send({ _tag: 'Unlock', password: input.current?.value ?? '' })
      }}
    >
      <label for="password">The guest data are encrypted. Password</label>
      <div class="joined">
        <input id="password" ref={input} type="password" autocomplete="off" />
        <button type="submit" disabled={state.lock === 'unlocking'}>
          {state.lock === 'unlocking' ? 'Unlocking\u2026' : 'Unlock'}
        </button>
      </div>
      {state.wrongPassword !== undefined && (
        <p class="error" role="alert">
          {state.wrongPassword}
        </p>
      )}
    </form>
  )
}
