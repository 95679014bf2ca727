/** The map of host clusters: kinds by colour, refcounts by shade, leaks and overlaps marked. */
import { useEffect } from 'preact/hooks'
import { type HostMap, marks } from '../host-map.js'
import { kindAt, kinds, kindTitles } from '../kinds.js'
import { grouped, sizeText } from '../numbers.js'
import type { Summary } from '../summary.js'
import { useExplorer } from './context.js'
import { MapCanvas, type Paint } from './map-canvas.js'
import { MapTools } from './map-tools.js'
import { mostCells, useZoom } from './zoom.js'

/** How strong the colour of a cell is, by its refcount. */
const shade = (refcount: number): number => (refcount === 0 ? 0.45 : refcount === 1 ? 0.75 : 1)

const paintCell =
  (map: HostMap, isChecked: boolean): Paint =>
  (context, palette, cell, x, y, side) => {
    const kind = kindAt(map.kinds[cell] ?? 0)
    context.globalAlpha = kind === 'free' ? 1 : isChecked ? shade(map.refcounts[cell] ?? 0) : 0.75
    context.fillStyle = palette.of(`k-${kind}`)
    context.fillRect(x, y, side, side)
    context.globalAlpha = 1
    const mark = map.marks[cell] ?? 0
    if (mark === 0) return
    context.strokeStyle = palette.of(mark === marks.leak ? 'warn' : 'bad')
    context.lineWidth = 2
    context.strokeRect(x, y, side, side)
    if ((mark & marks.overlap) === 0) return
    context.beginPath()
    context.moveTo(x, y)
    context.lineTo(x + side, y + side)
    context.stroke()
  }

const markNames: readonly (readonly [number, string])[] = [
  [marks.leak, 'leaked'],
  [marks.corruption, 'refcount too low'],
  [marks.overlap, 'two owners']
]

const statusOf = (map: HostMap, cell: number): string => {
  const kind = map.kinds[cell]
  if (kind === undefined) return ''
  const first = map.from + cell * map.perCell
  const last = Math.min(map.to, first + map.perCell) - 1
  const mark = map.marks[cell] ?? 0
  return [
    first === last ? `cluster ${grouped(first)}` : `clusters ${grouped(first)} to ${grouped(last)}`,
    kindTitles[kindAt(kind)],
    `refcount ${first === last ? '' : 'at most '}${map.refcounts[cell] ?? 0}`,
    ...markNames.flatMap(([bit, name]) => ((mark & bit) === 0 ? [] : [name]))
  ].join(', ')
}

const present = (map: HostMap) => kinds.filter((_, i) => map.kinds.includes(i))

export const HostView = ({ summary }: { readonly summary: Summary }) => {
  const { state, send, go } = useExplorer()
  const clusters = summary.clusterSize === 0 ? 0 : Math.ceil(summary.fileLength / summary.clusterSize)
  const zoom = useZoom(clusters, 1)
  useEffect(() => {
    send({ _tag: 'HostMap', of: 'view', range: { from: zoom.from, to: zoom.to, cells: mostCells } })
  }, [zoom.from, zoom.to, state.generation])
  const map = state.hostMap
  if (map === undefined) return <p class="hint">No map: the header names no cluster size.</p>
  const current = Math.floor((state.place.at / map.clusterSize - map.from) / map.perCell)
  const place = (cell: number): number =>
    Math.min(summary.fileLength - 1, (map.from + cell * map.perCell) * map.clusterSize)
  return (
    <div class="map-view">
      <MapTools
        zoom={zoom}
        grid={map}
        current={current}
        cellText={`${map.perCell === 1 ? 'a cluster' : `${grouped(map.perCell)} clusters`} (${sizeText(map.perCell * map.clusterSize)}) each`}
      />
      <MapCanvas
        label="Map of host clusters"
        grid={map}
        current={current}
        status={statusOf(map, current)}
        paint={paintCell(map, state.verdict !== undefined)}
        from={map}
        onPick={(cell) => go(place(cell), { move: true })}
        onZoom={(cell, by) => zoom.by(map, cell, by)}
        onOpen={() => go(state.place.at, { view: 'bytes' })}
      />
      <ul class="legend">
        {present(map).map((kind) => (
          <li key={kind}>
            <i class={`square k-${kind}`} aria-hidden="true" /> {kindTitles[kind]}
          </li>
        ))}
        {state.verdict !== undefined && (
          <>
            <li>
              <i class="square shade" aria-hidden="true" /> stronger: higher refcount
            </li>
            {map.marks.some((m) => (m & marks.leak) !== 0) && (
              <li>
                <i class="square marked-leak" aria-hidden="true" /> leaked
              </li>
            )}
            {map.marks.some((m) => (m & ~marks.leak) !== 0) && (
              <li>
                <i class="square marked-bad" aria-hidden="true" /> refcount too low, or two owners
              </li>
            )}
          </>
        )}
      </ul>
    </div>
  )
}
