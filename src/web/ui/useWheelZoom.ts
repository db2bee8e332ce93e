/**
 * Zooms by the wheel with Ctrl or Command, or by a pinch on a touchpad, instead of the browser's own zoom.
 */
import type { RefObject } from "preact"
import { useLayoutEffect, useRef } from "preact/hooks"

/** A `factor` above 1 zooms in. */
export const useWheelZoom = (
  box: RefObject<HTMLElement | null>,
  onZoom: (factor: number, event: WheelEvent) => void
): void => {
  const latest = useRef(onZoom)
  latest.current = onZoom
  // A wheel listener of Preact is passive in some browsers, which could not prevent the page's own zoom.
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return
      event.preventDefault()
      latest.current(Math.exp(-event.deltaY / 300), event)
    }
    element.addEventListener("wheel", onWheel, { passive: false })
    return () => element.removeEventListener("wheel", onWheel)
  }, [])
}
