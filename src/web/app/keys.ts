/**
 * Keyboard control. A view registers its bindings while it is shown; the `?` overlay lists what is registered.
 */
import { signal } from "@preact/signals"
import { useLayoutEffect, useRef } from "preact/hooks"

export interface Binding {
  /** A key named as in `KeyboardEvent.key`, or two in a row: `g j`. */
  readonly keys: string
  readonly label: string
  readonly run: () => void
}

export interface Group {
  readonly title: string
  readonly bindings: ReadonlyArray<Binding>
}

/** In order of registration; the last group wins. */
export const groups = signal<ReadonlyArray<Group>>([])

/** Text fields handle letters themselves. */
const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !["checkbox", "button", "radio"].includes(target.type)))

/** How long to wait for the second key of a sequence. */
const sequenceMillis = 1_000

let first = ""
let firstAt = 0

const find = (keys: string): Binding | undefined => {
  for (const group of [...groups.value].reverse()) {
    const found = group.bindings.find((binding) => binding.keys === keys)
    if (found !== undefined) return found
  }
  return undefined
}

const onKey = (event: KeyboardEvent): void => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
  const isInDialog = document.querySelector("dialog[open]") !== null
  if (isInDialog || (isTyping(event.target) && event.key !== "Escape")) return
  // A focused button or link handles Enter and Space itself.
  const isPressed = event.target instanceof Element && event.target.closest("button, a, summary") !== null
  if (isPressed && (event.key === "Enter" || event.key === " ")) return
  const pair = event.timeStamp - firstAt < sequenceMillis ? find(`${first} ${event.key}`) : undefined
  const binding = pair ?? find(event.key)
  first = pair === undefined ? event.key : ""
  firstAt = event.timeStamp
  if (binding === undefined) return
  event.preventDefault()
  binding.run()
}

export const start = (): void => addEventListener("keydown", onKey)

/** Registers bindings for as long as the component is shown. Their functions may change, the keys may not. */
export const useKeys = (title: string, bindings: ReadonlyArray<Binding>): void => {
  const latest = useRef(bindings)
  latest.current = bindings
  // What is shown listens: no key is lost between the two.
  useLayoutEffect(() => {
    const group: Group = {
      title,
      bindings: latest.current.map(({ keys, label }, at) => ({
        keys,
        label,
        run: () => latest.current[at]?.run()
      }))
    }
    groups.value = [...groups.peek(), group]
    return () => {
      groups.value = groups.peek().filter((other) => other !== group)
    }
  }, [title])
}
