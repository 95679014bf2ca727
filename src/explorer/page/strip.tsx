/** The strip: the whole file in one row, with the selected place. */
import { useEffect, useRef } from 'preact/hooks'
import { kindAt } from '../kinds.js'
import { offsetText } from '../numbers.js'
import type { Summary } from '../summary.js'
import { useExplorer } from './context.js'
import { paletteOf, prepare } from './paint.js'
import { useScheme, useSize } from './layout.js'

const cells = 512
const height = 18

export const Strip = ({ summary }: { readonly summary: Summary }) => {
  const { state, send, go } = useExplorer()
  const canvas = useRef<HTMLCanvasElement>(null)
  const { width } = useSize(canvas)
  const scheme = useScheme()
  const clusters = Math.ceil(summary.fileLength / summary.clusterSize)
  useEffect(() => {
    send({ _tag: 'HostMap', of: 'strip', range: { from: 0, to: clusters, cells } })
  }, [state.generation, clusters])
  const map = state.strip
  const total = map === undefined ? 1 : map.perCell * map.cells
  useEffect(() => {
    const context = canvas.current === null ? undefined : prepare(canvas.current, width, height)
    if (context === undefined || map === undefined || canvas.current === null) return
    const palette = paletteOf(canvas.current)
    const step = width / Math.max(1, clusters / map.perCell)
    map.kinds.forEach((kind, i) => {
      context.fillStyle = palette.of(`k-${kindAt(kind)}`)
      context.fillRect(i * step, 3, Math.ceil(step), height - 6)
      if ((map.marks[i] ?? 0) === 0) return
      context.fillStyle = palette.of('bad')
      context.fillRect(i * step, 0, Math.max(2, step), 3)
    })
  }, [map, width, scheme, total])
  const position = (100 * state.place.at) / Math.max(1, summary.fileLength)
  return (
    <div class="strip">
      <canvas
        ref={canvas}
        aria-hidden="true"
        title={`The whole file; at ${offsetText(state.place.at)}`}
        onClick={(event) => {
          const at = Math.floor((event.offsetX / width) * summary.fileLength)
          go(Math.max(0, Math.min(summary.fileLength - 1, at)))
        }}
      />
      <i class="here-mark" style={{ left: `${position}%` }} />
    </div>
  )
}
