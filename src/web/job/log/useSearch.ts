/**
 * Searches a log in batches, so that a long log does not freeze the page, and continues as it grows.
 */
import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import type { LogText } from "./LogText.js"
import { matches } from "./search.js"

export interface Search {
  readonly words: ReadonlySignal<string>
  readonly type: (words: string) => void
  /** The lines that match. */
  readonly found: ReadonlySignal<ReadonlyArray<number>>
  /** The line of the shown match. */
  readonly current: ReadonlySignal<number | undefined>
  /** Moves to the next match, or back. */
  readonly next: (step: 1 | -1) => void
}

/** Lines searched per batch, which takes a few milliseconds. */
const piece = 4_000

export const useSearch = (log: LogText, version: number, reveal: (line: number) => void): Search => {
  const words = useSignal("")
  const found: Signal<ReadonlyArray<number>> = useSignal([])
  const current = useSignal<number | undefined>(undefined)
  const latest = useRef(reveal)
  latest.current = reveal
  /** The searched log and text, and the line reached so far. */
  const done = useRef({ log, words: "", line: 0, dropped: 0 })

  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)

  const advance = (): void => {
    clearTimeout(timer.current)
    const wanted = words.value
    const dropped = log.dropped()
    if (done.current.log !== log || done.current.words !== wanted || done.current.dropped !== dropped) {
      done.current = { log, words: wanted, line: 0, dropped }
      found.value = []
      current.value = undefined
    }
    if (wanted === "") return
    const from = done.current.line
    const to = Math.min(log.length(), from + piece)
    const more = matches(log, wanted, from, to)
    // The last line may be incomplete.
    done.current.line = Math.max(from, Math.min(to, log.length() - 1))
    const known = found.value.filter((line) => line < from)
    if (more.length > 0 || known.length !== found.value.length) found.value = [...known, ...more]
    if (current.value === undefined && more[0] !== undefined) {
      current.value = more[0]
      latest.current(more[0])
    }
    if (to < log.length()) timer.current = setTimeout(advance)
  }

  useEffect(() => {
    advance()
    return () => clearTimeout(timer.current)
  }, [log, version])

  return {
    words,
    // The first batch is searched at once, so that Enter right after the last letter moves among its matches.
    type: (text) => {
      words.value = text
      advance()
    },
    found,
    current,
    next: (step) => {
      const lines = found.value
      if (lines.length === 0) return
      const at = current.value === undefined ? -1 : lines.indexOf(current.value)
      const line = lines[(at + step + lines.length) % lines.length]
      if (line === undefined) return
      current.value = line
      latest.current(line)
    }
  }
}
