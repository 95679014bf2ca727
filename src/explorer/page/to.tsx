/** Links to bytes of the file. */
import { offsetText } from '../numbers.js'
import { useExplorer } from './context.js'

/** A link to a byte of the file. */
export const To = ({ at, children }: { readonly at: number; readonly children?: string }) => {
  const { state, go } = useExplorer()
  const isInside = at < (state.summary?.fileLength ?? 0)
  return (
    <button class="link" disabled={!isInside} onClick={() => go(at, { view: 'bytes' })}>
      {children ?? offsetText(at)}
    </button>
  )
}
