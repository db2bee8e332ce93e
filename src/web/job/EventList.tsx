/**
 * All events of a job, one per line, and the payload of the selected event as JSON.
 */
import { useSignal } from "@preact/signals"
import { useMemo, useRef } from "preact/hooks"
import type { JobEvent } from "../api/models.js"
import * as format from "../../progress/format.js"
import { JsonView } from "../ui/JsonView.js"
import { visible } from "../ui/visible.js"
import { type Handle, VirtualRows } from "../ui/VirtualRows.js"
import { eventText, placeOf } from "../../progress/eventText.js"

const has = (event: JobEvent, words: string): boolean =>
  `${event.type} ${placeOf(event)} ${eventText(event).text}`.toLowerCase().includes(words)

const Line = ({
  at,
  event,
  id,
  isActive,
  of,
  onClick
}: {
  readonly event: JobEvent
  readonly id: string
  /** Its position in the list, from 1, and the number of events. */
  readonly at: number
  readonly of: number
  readonly isActive: boolean
  readonly onClick: () => void
}) => {
  const { text, tone } = eventText(event)
  return (
    <div
      id={id}
      class={`event${isActive ? " active" : ""}`}
      role="option"
      aria-selected={isActive}
      aria-posinset={at}
      aria-setsize={of}
      onClick={onClick}
    >
      <span class="faint number">{format.timeOfDay(event.at)}</span>
      <span class="event-type faint">{visible(event.type)}</span>
      <span class="event-place">{visible(placeOf(event))}</span>
      <span class={`event-text ${tone}`}>{visible(text)}</span>
    </div>
  )
}

export interface Props {
  readonly events: ReadonlyArray<JobEvent>
  /** Whether none has arrived yet. */
  readonly isReading: boolean
}

export const EventList = ({ events, isReading }: Props) => {
  const words = useSignal("")
  const chosen = useSignal<number | undefined>(undefined)
  const follows = useSignal(true)
  const handle = useRef<Handle>(null)
  const wanted = words.value.trim().toLowerCase()
  const found = useMemo(() => (wanted === "" ? events : events.filter((event) => has(event, wanted))), [events, wanted])
  const at = found.findIndex(({ seq }) => seq === chosen.value)
  const event = found[at]

  const choose = (index: number): void => {
    const next = Math.min(found.length - 1, Math.max(0, index))
    chosen.value = found[next]?.seq
    follows.value = false
    handle.current?.reveal(next)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const start = at === -1 ? found.length : at
    const run: { readonly [key: string]: () => void } = {
      ArrowDown: () => choose(start + 1),
      ArrowUp: () => choose(start - 1),
      PageDown: () => choose(start + 20),
      PageUp: () => choose(start - 20),
      Home: () => choose(0),
      End: () => choose(found.length - 1),
      Escape: () => (chosen.value = undefined)
    }
    if (!Object.hasOwn(run, event.key)) return
    event.preventDefault()
    run[event.key]?.()
  }

  return (
    <div class="events">
      <div class="graph-tools">
        <input
          type="search"
          aria-label="Search the events"
          placeholder="Search ( / )"
          value={words.value}
          onInput={({ currentTarget }) => (words.value = currentTarget.value)}
          onKeyDown={({ currentTarget, key }) => {
            if (key === "Escape") currentTarget.blur()
            if (key === "Enter") choose(0)
          }}
        />
        <span class="faint number" role="status">
          {isReading
            ? "Reading the events."
            : wanted === ""
              ? format.count(events.length, "event")
              : `${found.length} of ${format.count(events.length, "event")}`}
        </span>
      </div>
      <VirtualRows
        class="event-rows"
        role="listbox"
        label="Events"
        count={found.length}
        handle={handle}
        active={event === undefined ? undefined : { row: at, id: `event-${event.seq}` }}
        follows={follows.value}
        onEnd={(isAtEnd) => (follows.value = isAtEnd)}
        onKeyDown={onKeyDown}
        render={(index) => {
          const event = found[index]
          if (event === undefined) return null
          return (
            <Line
              key={event.seq}
              id={`event-${event.seq}`}
              event={event}
              at={index + 1}
              of={found.length}
              isActive={index === at}
              onClick={() => (chosen.value = chosen.value === event.seq ? undefined : event.seq)}
            />
          )
        }}
      />
      {event !== undefined && (
        <section class="event-details" aria-label={`Event ${event.seq}`} tabIndex={0}>
          <p>
            <strong>{visible(event.type)}</strong>{" "}
            <span class="faint number">
              #{event.seq} · {format.dateTime(event.at)}
            </span>
          </p>
          <JsonView value={event.payload ?? null} />
        </section>
      )}
    </div>
  )
}
