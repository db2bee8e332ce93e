/**
 * The log of an agent or a gate as it grows, with colours and search. Only visible rows are in the document.
 */
import { useSignal } from "@preact/signals"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { useKeys } from "../../app/keys.js"
import { Spans } from "../../ui/Spans.js"
import { type Handle, VirtualRows } from "../../ui/VirtualRows.js"
import * as ansi from "./ansi.js"
import { LogTools } from "./LogTools.js"
import { openLog, type Source } from "./openLog.js"
import { mark, type Part } from "./search.js"
import { useSearch } from "./useSearch.js"
import { breaks, cut, make } from "./wrap.js"

export interface Props extends Source {
  /** Whether the log may still grow. */
  readonly isLive: boolean
  readonly title: string
}

/** How many parsed lines are kept; a long line has many rows. */
const mostKept = 400

export const LogView = ({ isLive, job, log, task, title, unit }: Props) => {
  const isRaw = useSignal(false)
  const follows = useSignal(true)
  const columns = useSignal(100)
  const handle = useRef<Handle>(null)
  const ruler = useRef<HTMLSpanElement>(null)
  const live = useRef(isLive)
  live.current = isLive

  const open = useMemo(
    () => openLog({ job, unit, task, log: { ...log } }, isRaw.value, () => live.current),
    [job, unit, task, log.file, isRaw.value]
  )
  useEffect(() => () => open.close(), [open])
  useEffect(() => {
    if (!isLive) open.settle()
  }, [open, isLive])
  const version = open.version.value
  const rows = useMemo(() => make(open.text, columns.value), [open, columns.value])
  rows.update()

  const search = useSearch(open.text, version, (line) => {
    follows.value = false
    handle.current?.reveal(rows.rowOf(line))
  })

  const kept = useRef(new Map<number, ReadonlyArray<Part>>())
  const keptFor = useRef<ReadonlyArray<unknown>>([])
  const inputs = [open, version, search.words.value]
  if (inputs.some((input, at) => input !== keptFor.current[at])) kept.current.clear()
  keptFor.current = inputs
  const partsOf = (line: number): ReadonlyArray<Part> => {
    const known = kept.current.get(line)
    if (known !== undefined) return known
    if (kept.current.size > mostKept) kept.current.clear()
    const parts = mark(open.text.parse(line), search.words.value)
    kept.current.set(line, parts)
    return parts
  }

  const onResize = (width: number): void => {
    const one = (ruler.current?.getBoundingClientRect().width ?? 80) / 10
    // Leave room for the line numbers.
    columns.value = Math.max(20, Math.floor((width - 16) / one) - 8)
  }

  const follow = (): void => {
    follows.value = true
    handle.current?.toEnd()
  }
  useKeys("Log", [
    { keys: "n", label: "Next match", run: () => search.next(1) },
    { keys: "N", label: "Previous match", run: () => search.next(-1) },
    { keys: "f", label: "Follow the end of the log", run: follow }
  ])

  const count = rows.count()
  const state = open.state.value
  const empty =
    state === "missing"
      ? "The log is no longer there: it was pruned, or its file was removed."
      : state === "away"
        ? "The log cannot be read now. Trying again."
        : state === "complete"
          ? "Nothing was printed."
          : isLive
            ? "Nothing has been printed yet."
            : "Reading the log."

  return (
    <div class="log">
      <LogTools
        search={search}
        isLive={isLive && state !== "complete"}
        follows={follows.value}
        onFollow={follow}
        isRaw={isRaw.value}
        {...(isRaw.value || open.hasRecords.value ? { onRaw: () => (isRaw.value = !isRaw.value) } : {})}
      />
      <span ref={ruler} class="log-ruler" aria-hidden="true">
        0123456789
      </span>
      {open.text.dropped() > 0 && <p class="note faint">The first {open.text.dropped()} lines are not shown.</p>}
      {count === 0 && <p class="note faint">{empty}</p>}
      <VirtualRows
        class="log-rows"
        label={title}
        count={count}
        handle={handle}
        follows={follows.value}
        onEnd={(isAtEnd) => (follows.value = isAtEnd)}
        onResize={onResize}
        render={(row) => {
          const { line, part } = rows.placeOf(row)
          const parts = partsOf(line)
          const starts = breaks(ansi.textOf(open.text.raw(line)), columns.value)
          const shown = starts.length === 1 ? parts : cut(parts, starts[part] ?? 0, starts[part + 1] ?? Infinity)
          return (
            <div key={row} class={`log-row${line === search.current.value ? " current" : ""}`}>
              <span class="log-number" aria-hidden="true">
                {part === 0 ? line + 1 + open.text.dropped() : ""}
              </span>
              <span class="log-text">
                <Spans pieces={shown} />
              </span>
            </div>
          )
        }}
      />
    </div>
  )
}
