/** The first bytes of the guest cluster that a host byte is part of, decompressed. */
import { offsetText } from '../numbers.js'
import { useExplorer } from './context.js'
import { rowAt } from './hex-rows.js'
import { blockOf } from './blocks.js'
import { UnlockForm } from './unlock-form.js'

const perRow = 8
const rows = 8

export const Preview = () => {
  const { contents, summary, lock } = useExplorer().state
  if (contents === undefined) return null
  if (summary?.isEncrypted === true && lock !== 'unlocked')
    return (
      <section class="part">
        <h3>What the guest reads</h3>
        <UnlockForm />
      </section>
    )
  if (contents.failed !== undefined)
    return (
      <section class="part">
        <h3>What the guest reads</h3>
        <p class="here">{contents.failed}</p>
      </section>
    )
  const blocks = new Map([[0, blockOf(0, contents.bytes, [], 0)]])
  const n = Math.min(rows, Math.ceil(contents.bytes.length / perRow))
  return (
    <section class="part">
      <h3>What the guest reads</h3>
      <p class="doc">
        from guest byte <span class="mono">{offsetText(contents.guest)}</span>
      </p>
      <pre class="preview">
        {Array.from({ length: n }, (_, i) => rowAt(blocks, i * perRow, perRow).groups ?? [])
          .map(
            (groups) =>
              `${groups
                .map((g) => g.hex)
                .join(' ')
                .padEnd(25)}${groups.map((g) => g.text).join('')}`
          )
          .join('\n')}
      </pre>
    </section>
  )
}
