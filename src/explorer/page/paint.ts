/** Painting maps: squares in the colours of the page. */

/** The colours of a map, as the style sheet has them now. */
export interface Palette {
  readonly of: (name: string) => string
}

/** The colours that an element has. */
export const paletteOf = (element: Element): Palette => {
  const style = getComputedStyle(element)
  const known = new Map<string, string>()
  return {
    of: (name) => {
      const found = known.get(name) ?? style.getPropertyValue(`--${name}`).trim()
      known.set(name, found)
      return found
    }
  }
}

/** A canvas of so many pixels of the page, sharp on any screen, and cleared. */
export const prepare = (
  canvas: HTMLCanvasElement,
  width: number,
  height: number
): CanvasRenderingContext2D | undefined => {
  const scale = devicePixelRatio
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  canvas.style.height = `${height}px`
  const context = canvas.getContext('2d') ?? undefined
  context?.scale(scale, scale)
  return context
}
