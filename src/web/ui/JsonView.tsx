/**
 * JSON as collapsible text.
 */
import { useSignal } from "@preact/signals"
import { isRecord } from "../api/decode.js"
import { visible } from "./visible.js"

/** Further items are shown on request. */
const most = 100

const longest = 10_000

const Primitive = ({ value }: { readonly value: unknown }) => {
  if (typeof value !== "string") return <span class="json-literal">{JSON.stringify(value) ?? "undefined"}</span>
  const text = visible(value)
  return (
    <span class="json-string">
      "{text.length > longest ? `${text.slice(0, longest)}… (${text.length - longest} more characters)` : text}"
    </span>
  )
}

const Items = ({
  depth,
  entries,
  isList
}: {
  readonly entries: ReadonlyArray<readonly [string, unknown]>
  readonly isList: boolean
  readonly depth: number
}) => {
  const shown = useSignal(most)
  return (
    <ul>
      {entries.slice(0, shown.value).map(([name, item]) => (
        <li key={name}>
          {!isList && <span class="json-name">{visible(name)}: </span>}
          <JsonView value={item} depth={depth + 1} />
        </li>
      ))}
      {entries.length > shown.value && (
        <li>
          <button type="button" class="quiet" onClick={() => (shown.value += most)}>
            {entries.length - shown.value} more
          </button>
        </li>
      )}
    </ul>
  )
}

/** The outer levels are open. */
export const JsonView = ({ depth = 0, value }: { readonly value: unknown; readonly depth?: number }) => {
  const isOpen = useSignal(depth < 2)
  const isList = Array.isArray(value)
  if (!isList && !isRecord(value)) return <Primitive value={value} />
  const entries = Object.entries(value)
  const [open, close] = isList ? ["[", "]"] : ["{", "}"]
  if (entries.length === 0) return <span class="json-literal">{open + close}</span>
  return (
    <details class="json" open={isOpen.value} onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}>
      <summary>
        {open}
        {!isOpen.value && ` … ${entries.length} … ${close}`}
      </summary>
      {isOpen.value && <Items entries={entries} isList={isList} depth={depth} />}
      {isOpen.value && close}
    </details>
  )
}
