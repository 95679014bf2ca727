/** The map of a guest disk, and where it differs from another disk of the image. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { DiskChoice, GuestMap } from '../guest-map.js'
import { guestKinds, guestTitles } from '../kinds.js'
import { offsetText, sizeText } from '../numbers.js'
import type { Selection } from '../selection.js'
import type { Summary } from '../summary.js'
import { useExplorer } from './context.js'
import { MapCanvas, type Paint } from './map-canvas.js'
import { MapTools } from './map-tools.js'
import { mostCells, useZoom } from './zoom.js'

const paintCell =
  (map: GuestMap): Paint =>
  (context, palette, cell, x, y, side) => {
    context.fillStyle = palette.of(`g-${guestKinds[map.kinds[cell] ?? 0] ?? 'absent'}`)
    context.fillRect(x, y, side, side)
    if (map.differs[cell] !== 1) return
    context.strokeStyle = palette.of('warn')
    context.lineWidth = 2
    context.strokeRect(x, y, side, side)
  }

const numberOf = (choice: DiskChoice): string => (choice === 'active' ? 'active' : String(choice))
const choiceOf = (text: string): DiskChoice => (text === 'active' ? 'active' : Number(text))

interface ChoiceProps {
  readonly label: string
  readonly value: string
  readonly snapshots: readonly string[]
  readonly none?: string
  readonly onChoose: (value: string) => void
}

const Choice = ({ label, value, snapshots, none, onChoose }: ChoiceProps) => (
  <label class="choice">
    {label}
    <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
      {none !== undefined && <option value="none">{none}</option>}
      <option value="active">active disk</option>
      {snapshots.map((name, i) => (
        <option key={i} value={String(i)}>
          {name}
        </option>
      ))}
    </select>
  </label>
)

/** The guest byte of a disk that the selected host byte holds. */
const guestOf = (selection: Selection | undefined, disk: DiskChoice): number | undefined => {
  const of = disk === 'active' ? 'active' : `snapshot ${disk}`
  const parts = selection?.parts.filter(({ guest }) => guest !== undefined) ?? []
  return (parts.find((part) => part.of === of) ?? parts[0])?.guest
}

export const GuestView = ({ summary }: { readonly summary: Summary }) => {
  const { state, send, go } = useExplorer()
  const [disk, setDisk] = useState<DiskChoice>('active')
  const [other, setOther] = useState<DiskChoice | undefined>(undefined)
  const [chosen, choose] = useState<number | undefined>(undefined)
  const map = state.guestMap
  const total = map?.diskSize ?? summary.diskSize
  const zoom = useZoom(total, summary.clusterSize)
  useEffect(() => {
    const range = { from: zoom.from, to: zoom.to, cells: mostCells }
    send({ _tag: 'GuestMap', range, disk, ...(other === undefined ? {} : { other }) })
  }, [zoom.from, zoom.to, disk, other, state.isIndexed, summary])
  const place = state.guestPlace
  const followed = useRef(place)
  useEffect(() => {
    if (place === followed.current) return
    followed.current = place
    if (place?.at !== undefined && place.at < summary.fileLength) go(place.at, { move: true })
  }, [place])
  const selected = guestOf(state.selection, disk)
  useEffect(() => {
    if (selected !== undefined) choose(selected)
  }, [selected])
  if (map === undefined) return <p class="hint">No map of the guest disk: its tables cannot be read.</p>
  const current = chosen === undefined ? -1 : Math.floor((chosen - map.from) / map.perCell)
  const guest = map.from + current * map.perCell
  const pick = (cell: number): void => {
    choose(map.from + cell * map.perCell)
    send({ _tag: 'GuestPlace', disk, guest: map.from + cell * map.perCell })
  }
  const stored =
    place?.guest !== guest ? '' : place.at === undefined ? `, ${place.how}` : `, at host ${offsetText(place.at)}`
  const kind = guestKinds[map.kinds[current] ?? 0] ?? 'absent'
  const status = current < 0 ? '' : `guest ${offsetText(guest)}, ${guestTitles[kind]}${stored}`
  return (
    <div class="map-view">
      <MapTools zoom={zoom} grid={map} current={current} cellText={`${sizeText(map.perCell)} each`}>
        {summary.snapshots.length > 0 && (
          <>
            <Choice
              label="Disk"
              value={numberOf(disk)}
              snapshots={summary.snapshots}
              onChoose={(value) => setDisk(choiceOf(value))}
            />
            <Choice
              label="compared with"
              value={other === undefined ? 'none' : numberOf(other)}
              snapshots={summary.snapshots}
              none="nothing"
              onChoose={(value) => setOther(value === 'none' ? undefined : choiceOf(value))}
            />
          </>
        )}
      </MapTools>
      {state.stopped !== undefined && <p class="here">{state.stopped}</p>}
      <MapCanvas
        label="Map of the guest disk"
        grid={map}
        current={current}
        status={status}
        paint={paintCell(map)}
        from={map}
        onPick={pick}
        onZoom={(cell, by) => zoom.by(map, cell, by)}
        onOpen={() => go(state.place.at, { view: 'bytes' })}
      />
      <ul class="legend">
        {guestKinds
          .filter((_, i) => map.kinds.includes(i))
          .map((k) => (
            <li key={k}>
              <i class={`square g-${k}`} aria-hidden="true" /> {guestTitles[k]}
            </li>
          ))}
        {other !== undefined && (
          <li>
            <i class="square marked-leak" aria-hidden="true" /> differs
          </li>
        )}
      </ul>
    </div>
  )
}
