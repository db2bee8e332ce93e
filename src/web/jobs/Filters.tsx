/**
 * The filters of the list of jobs. Every choice is in the address.
 */
import { type Signal, useSignal } from "@preact/signals"
import { useEffect, useLayoutEffect, useRef } from "preact/hooks"
import { changeQuery, toJobs } from "../router.js"
import { type Count, type Counts, type Shown, statuses } from "./filter.js"
import { suggestions } from "./known.js"
import { SavedFilters } from "./SavedFilters.js"

/** How long after the last keystroke a search starts. */
const restMillis = 250

interface FieldProps {
  readonly name: "kind" | "label" | "q"
  readonly label: string
  readonly hint: string
  readonly value: string
  /** What is suggested. */
  readonly known?: Signal<ReadonlySet<string>>
}

/** Puts typed text into the address after a short delay. */
const Field = ({ hint, known, label, name, value }: FieldProps) => {
  const typed = useSignal(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const sent = useRef(value)
  useLayoutEffect(() => {
    // Something else, such as going back, has changed the address.
    if (value !== sent.current) {
      clearTimeout(timer.current)
      typed.value = value
    }
    sent.current = value
  }, [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const send = (): void => {
    clearTimeout(timer.current)
    if (typed.value === sent.current) return
    sent.current = typed.value
    changeQuery({ [name]: typed.value, before: undefined }, { replace: true })
  }
  const onInput = (text: string): void => {
    typed.value = text
    clearTimeout(timer.current)
    timer.current = setTimeout(send, restMillis)
  }
  const list = `suggestions-${name}`
  return (
    <>
      <input
        type={name === "q" ? "search" : "text"}
        id={`filter-${name}`}
        class={`filter-${name}`}
        aria-label={label}
        placeholder={hint}
        value={typed.value}
        maxLength={200}
        autocomplete="off"
        spellcheck={false}
        {...(known === undefined ? {} : { list })}
        onInput={(event) => onInput(event.currentTarget.value)}
        // What follows, such as the button that acts on all that match, concerns what was typed.
        onBlur={send}
        onKeyDown={(event) => {
          if (event.key === "Enter") send()
          if (event.key === "Escape") event.currentTarget.blur()
        }}
      />
      {known !== undefined && (
        <datalist id={list}>
          {suggestions(typed.value, known.value).map((text) => (
            <option key={text} value={text} />
          ))}
        </datalist>
      )}
    </>
  )
}

const tabs = [undefined, ...statuses]

const Jobs = ({ count: { isMore, jobs } }: { readonly count: Count }) =>
  jobs === 0 ? null : (
    <span class="tab-count number">
      {" "}
      {jobs.toLocaleString("en")}
      {isMore && "+"}
    </span>
  )

export interface Props {
  readonly shown: Shown
  readonly kinds: Signal<ReadonlySet<string>>
  readonly labels: Signal<ReadonlySet<string>>
  readonly counts: Counts | undefined
}

export const Filters = ({ counts, kinds, labels, shown }: Props) => {
  const query = {
    kind: shown.kind || undefined,
    label: shown.label || undefined,
    q: shown.text || undefined
  }
  return (
    <div class="filters" role="search">
      <nav class="status-tabs" aria-label="Status">
        {tabs.map((status) => (
          <a
            key={status ?? "all"}
            href={toJobs({ status, ...query })}
            {...(status === shown.status ? { "aria-current": "true" as const } : {})}
          >
            {status ?? "all"}
            {status !== undefined && counts !== undefined && <Jobs count={counts[status]} />}
          </a>
        ))}
      </nav>
      {(shown.status === "failed" || shown.status === "cancelled") && (
        <nav class="status-tabs" aria-label="Retries">
          <a
            href={toJobs({ status: shown.status, ...query, retried: shown.retried === false ? undefined : "false" })}
            {...(shown.retried === false ? { "aria-current": "true" as const } : {})}
          >
            not retried
          </a>
        </nav>
      )}
      <div class="fields">
        <Field name="kind" label="Kind" hint="Kind" value={shown.kind} known={kinds} />
        <Field name="label" label="Labels, as in team=web" hint="label=value" value={shown.label} known={labels} />
        <Field name="q" label="Search" hint="Search  /" value={shown.text} />
      </div>
      <SavedFilters shown={shown} />
    </div>
  )
}
