/** What the page's layout is now: widths, and dark or light. */
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useState } from 'preact/hooks'

/** The width of an element in pixels. */
export const useWidth = (element: RefObject<Element | null>): number => {
  const [width, setWidth] = useState(600)
  useLayoutEffect(() => {
    const own = element.current
    if (own === null) return
    const observer = new ResizeObserver(() => setWidth(Math.max(1, own.clientWidth)))
    observer.observe(own)
    return () => {
      observer.disconnect()
    }
  }, [])
  return width
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
