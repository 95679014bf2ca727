/** Dragging by touch: rows follow the finger. */
import { useRef } from 'preact/hooks'

export interface Drag {
  readonly handlers: {
    readonly onPointerDown: (event: PointerEvent) => void
    readonly onPointerMove: (event: PointerEvent) => void
  }
  /** Whether the press that ends now has moved rows. */
  readonly wasDragged: () => boolean
}

/** `onRows` gets by how many rows of this height the finger has moved. */
export const useDrag = (rowHeight: number, onRows: (by: number) => void): Drag => {
  const drag = useRef({ y: 0, moved: false })
  return {
    handlers: {
      onPointerDown: (event) => {
        drag.current = { y: event.clientY, moved: false }
      },
      onPointerMove: (event) => {
        if (event.pointerType !== 'touch' || event.buttons === 0) return
        const by = Math.trunc((drag.current.y - event.clientY) / rowHeight)
        if (by === 0) return
        drag.current = { y: drag.current.y - by * rowHeight, moved: true }
        onRows(by)
      }
    },
    wasDragged: () => drag.current.moved
  }
}
