/**
 * Scrolls the content of a box by dragging it with the pointer.
 */
import type { RefObject } from "preact"
import { useRef } from "preact/hooks"

interface Start {
  readonly x: number
  readonly y: number
  readonly left: number
  readonly top: number
}

export const useDrag = (box: RefObject<HTMLDivElement | null>) => {
  const start = useRef<Start | undefined>(undefined)
  return {
    onPointerDown: (event: PointerEvent): void => {
      const element = box.current
      // Touch scrolls natively.
      if (element === null || event.button !== 0 || event.pointerType === "touch") return
      if (event.target instanceof Element && event.target.closest("button") !== null) return
      start.current = { x: event.clientX, y: event.clientY, left: element.scrollLeft, top: element.scrollTop }
      element.setPointerCapture(event.pointerId)
    },
    onPointerMove: (event: PointerEvent): void => {
      if (start.current === undefined || box.current === null) return
      box.current.scrollLeft = start.current.left + start.current.x - event.clientX
      box.current.scrollTop = start.current.top + start.current.y - event.clientY
    },
    onPointerUp: (): void => {
      start.current = undefined
    },
    onPointerCancel: (): void => {
      start.current = undefined
    }
  }
}
