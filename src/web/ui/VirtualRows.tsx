/**
 * A list of rows of the same height, of which only the visible and the active rows are in the document: a log may have a million.
 */
import { type Signal, useSignal } from "@preact/signals"
import type { ComponentChildren, RefObject } from "preact"
import { useEffect, useLayoutEffect, useRef } from "preact/hooks"

export interface Handle {
  /** Scrolls just far enough to make the row visible. */
  readonly reveal: (row: number) => void
  readonly toEnd: () => void
}

export interface Props {
  readonly role?: "listbox" | "tree"
  readonly onKeyDown?: (event: KeyboardEvent) => void
  readonly label: string
  readonly class: string
  readonly count: number
  readonly render: (row: number) => ComponentChildren
  /** The focused row, and its id for assistive technology. */
  readonly active?: { readonly row: number; readonly id: string } | undefined
  readonly handle?: RefObject<Handle | null>
  /** Whether it stays scrolled to the end as rows are added. */
  readonly follows?: boolean
  /** Called when the user has scrolled to the end, or away from it. */
  readonly onEnd?: (isAtEnd: boolean) => void
  readonly onResize?: (width: number) => void
  /** Changes when the content of the rows does, even if their number stays the same. */
  readonly version?: number
}

/** How many rows are rendered beyond each edge. */
const margin = 8

/** Browsers do not scroll further than this. */
const highest = 15_000_000

interface Sight {
  readonly top: number
  readonly height: number
  readonly row: number
}

const measure = (box: HTMLElement): Sight => ({
  top: box.scrollTop,
  height: box.clientHeight,
  row: Number.parseFloat(getComputedStyle(box).lineHeight) || 20
})

export const VirtualRows = ({
  active,
  class: className,
  count,
  follows = false,
  handle,
  label,
  onEnd,
  onKeyDown,
  onResize,
  render,
  role
}: Props) => {
  const box = useRef<HTMLDivElement>(null)
  const sight: Signal<Sight> = useSignal({ top: 0, height: 0, row: 20 })
  /** The position to which this component has scrolled by itself. */
  const own = useRef(-1)
  const latest = useRef({ onEnd, onResize })
  latest.current = { onEnd, onResize }

  const scrollTo = (element: HTMLElement, top: number): void => {
    element.scrollTop = top
    own.current = element.scrollTop
    sight.value = measure(element)
  }

  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const observer = new ResizeObserver(() => {
      sight.value = measure(element)
      latest.current.onResize?.(element.clientWidth)
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const { height, row, top } = sight.value
  const total = Math.min(count * row, highest)

  useLayoutEffect(() => {
    if (follows && box.current !== null) scrollTo(box.current, box.current.scrollHeight)
  }, [follows, count, height])

  if (handle !== undefined) {
    handle.current = {
      reveal: (at) => {
        if (box.current === null) return
        const now = measure(box.current)
        const start = at * now.row
        if (start < now.top) scrollTo(box.current, start)
        else if (start + 2 * now.row > now.top + now.height) scrollTo(box.current, start + 2 * now.row - now.height)
      },
      toEnd: () => {
        if (box.current !== null) scrollTo(box.current, box.current.scrollHeight)
      }
    }
  }

  const onScroll = (): void => {
    const element = box.current
    if (element === null) return
    sight.value = measure(element)
    if (element.scrollTop === own.current) return
    own.current = -1
    latest.current.onEnd?.(element.scrollTop + element.clientHeight >= element.scrollHeight - 2)
  }

  const first = Math.max(0, Math.floor(top / row) - margin)
  const last = Math.min(count, Math.ceil((top + height) / row) + margin)
  // `aria-activedescendant` has to name an element in the document.
  const isActiveBeyond = active !== undefined && (active.row < first || active.row >= last)
  return (
    <div
      ref={box}
      class={`rows ${className}`}
      tabIndex={0}
      aria-label={label}
      {...(role === undefined ? { role: "region" as const } : { role })}
      {...(active === undefined ? {} : { "aria-activedescendant": active.id })}
      onScroll={onScroll}
      {...(onKeyDown === undefined ? {} : { onKeyDown })}
    >
      <div class="rows-all" role="presentation" style={{ height: `${total}px` }}>
        <div class="rows-seen" role="presentation" style={{ transform: `translateY(${first * row}px)` }}>
          {Array.from({ length: Math.max(0, last - first) }, (_, at) => render(first + at))}
        </div>
        {isActiveBeyond && (
          <div class="row-beyond" role="presentation" style={{ top: `${active.row * row}px` }}>
            {render(active.row)}
          </div>
        )}
      </div>
    </div>
  )
}
