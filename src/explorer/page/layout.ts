/** What the page's layout is now: widths, and dark or light. */
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useState } from 'preact/hooks'

/** Width and height in pixels. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** The size of an element. */
export const useSize = (element: RefObject<Element | null>): Size => {
  const [size, setSize] = useState<Size>({ width: 600, height: 400 })
  useLayoutEffect(() => {
    const own = element.current
    if (own === null) return
    const observer = new ResizeObserver(() =>
      setSize({ width: Math.max(1, own.clientWidth), height: Math.max(1, own.clientHeight) })
    )
    observer.observe(own)
    return () => {
      observer.disconnect()
    }
  }, [])
  return size
}

const dark = '(prefers-color-scheme: dark)'

/** The scheme of colours, so that what is painted follows it. */
export const useScheme = (): 'dark' | 'light' => {
  const [isDark, setDark] = useState(() => matchMedia(dark).matches)
  useEffect(() => {
    const query = matchMedia(dark)
    const follow = (): void => setDark(query.matches)
    query.addEventListener('change', follow)
    return () => {
      query.removeEventListener('change', follow)
    }
  }, [])
  return isDark ? 'dark' : 'light'
}
