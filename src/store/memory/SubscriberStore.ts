/**
 * The part of the in-memory store for subscribers.
 */
import { DateTime, Effect, Option } from "effect"
import { randomUUID } from "node:crypto"
import { SubscriberInUse, SubscriberNotFound } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import { Subscriber, Undelivered } from "../../domain/Subscriber.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import type { Progress, Registration, Selection, SubscriberStore } from "../port/SubscriberStore.js"
import * as Page from "../rules/Page.js"
import { makeClaim, maxShown, maxUndelivered, shortError } from "../rules/subscribing.js"
import { wholeMillis } from "../rules/wholeMillis.js"
import type * as MemoryEventLog from "./EventLog.js"

interface Row extends Registration {
  readonly createdAt: DateTime.Utc
  cursor: number
  movedAt: DateTime.Utc
  skipped: number
  gap: { readonly from: number; readonly to: number } | undefined
  holder: string | undefined
  readonly undelivered: Map<number, Undelivered>
}

export const isSelected = (
  { kinds, types }: Selection,
  kind: string | undefined,
  { type }: Pick<JobEvent, "type">
): kind is string =>
  kind !== undefined && (kinds === undefined || kinds.includes(kind)) && (types === undefined || types.includes(type))

export interface MemorySubscriberStore extends SubscriberStore {
  /** Whether a subscriber still waits for a run that has ended, or for an earlier run of its chain. */
  readonly isHeld: (run: {
    readonly kind: string
    readonly endedAt: DateTime.Utc
    readonly last: number
    /** The run, and the earlier ones of its chain. */
    readonly chain: ReadonlyArray<JobId>
    readonly at: DateTime.Utc
  }) => boolean
  /** Records which subscribers miss the events of a run that is pruned. */
  readonly miss: (kind: string, events: ReadonlyArray<MemoryEventLog.Logged>) => void
}

export const make = ({
  kindOf,
  log,
  notifier
}: {
  readonly kindOf: (id: JobId) => string | undefined
  readonly log: ReturnType<typeof MemoryEventLog.make>
  readonly notifier: ChangeNotifier
}): MemorySubscriberStore => {
  const rows = new Map<string, Row>()

  const find = (name: string): Effect.Effect<Row, SubscriberNotFound> =>
    Effect.suspend(() => {
      const row = rows.get(name)
      return row === undefined ? new SubscriberNotFound({ subscriber: name }) : Effect.succeed(row)
    })

  const undeliveredOf = ({ undelivered }: Row) =>
    [...undelivered.values()]
      .filter(({ jobId }) => kindOf(jobId) !== undefined)
      .sort((one, other) => one.cursor - other.cursor)

  const record = (row: Row): Subscriber => {
    const undelivered = undeliveredOf(row)
    const aside = undelivered.filter(({ isAside }) => isAside).length
    return new Subscriber(
      {
        name: row.name,
        ...(row.kinds !== undefined && { kinds: row.kinds }),
        ...(row.types !== undefined && { types: row.types }),
        cursor: row.cursor,
        behind: log.latest() - row.cursor,
        hold: wholeMillis(row.hold),
        createdAt: row.createdAt,
        movedAt: row.movedAt,
        failing: undelivered.length - aside,
        aside,
        skipped: row.skipped,
        ...(row.gap !== undefined && { gap: row.gap }),
        undelivered: undelivered.slice(0, maxShown)
      },
      { disableValidation: true }
    )
  }

  const change = ({ cursor, name }: { readonly name: string; readonly cursor: number }, to: Partial<Undelivered>) => {
    const known = rows.get(name)?.undelivered.get(cursor)
    if (known !== undefined) {
      rows.get(name)?.undelivered.set(cursor, new Undelivered({ ...known, ...to }, { disableValidation: true }))
    }
  }

  return {
    claim: makeClaim(),

    register: (registration) =>
      Effect.sync(() => {
        const { at, from, name } = registration
        const known = rows.get(name)
        rows.set(name, {
          createdAt: at,
          cursor: from === "start" ? 0 : log.latest(),
          movedAt: at,
          skipped: 0,
          gap: undefined,
          holder: undefined,
          undelivered: new Map(),
          ...known,
          ...registration,
          kinds: registration.kinds,
          types: registration.types
        })
      }),

    tryLock: (name) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const row = rows.get(name)
          if (row === undefined || row.holder !== undefined) return Option.none()
          row.holder = randomUUID()
          return Option.some({ holder: row.holder, lost: Effect.never })
        }),
        Option.match({
          onNone: () => Effect.void,
          onSome: ({ holder }) =>
            Effect.sync(() => {
              const row = rows.get(name)
              if (row?.holder === holder) row.holder = undefined
            })
        })
      ),

    deliveries: ({ after, limit, ...selection }) =>
      Effect.map(Page.limit("read events", { after, limit }), (limit) => {
        const { events, ...page } = log.page((event) => isSelected(selection, kindOf(event.jobId), event), after, limit)
        const deliveries = events.flatMap((event) => {
          const kind = kindOf(event.jobId)
          return kind === undefined ? [] : [{ kind, event }]
        })
        return { ...page, deliveries }
      }),

    progress: ({ after, name }) =>
      Effect.sync(() =>
        Option.map(Option.fromNullable(rows.get(name)), (row): Progress => ({
          cursor: row.cursor,
          gap: Option.fromNullable(row.gap),
          undelivered: undeliveredOf(row)
            .filter(({ cursor, isAside }) => !isAside || cursor > after)
            .slice(0, maxUndelivered)
        }))
      ),

    move: ({ at, cursor, holder, name }) =>
      Effect.sync(() => {
        const row = rows.get(name)
        if (row?.holder !== holder) return false
        row.cursor = cursor
        row.movedAt = at
        return true
      }),

    failed: ({ at, cursor, error, jobId, name }) =>
      Effect.sync(() => {
        const { undelivered } = rows.get(name) ?? { undelivered: new Map<number, Undelivered>() }
        const known = undelivered.get(cursor)
        const type = log.at(cursor)?.type ?? ""
        const failedAt = known?.failedAt ?? at
        undelivered.set(
          cursor,
          new Undelivered(
            { jobId, cursor, type, failedAt, isAside: known?.isAside ?? false, error: shortError(error) },
            { disableValidation: true }
          )
        )
        return failedAt
      }),

    putAside: (event) => Effect.sync(() => change(event, { isAside: true })),
    settle: ({ cursor, name }) => Effect.sync(() => void rows.get(name)?.undelivered.delete(cursor)),

    skipped: (name) =>
      Effect.sync(() => {
        const row = rows.get(name)
        if (row !== undefined) row.skipped += 1
      }),

    closeGap: ({ name, to }) =>
      Effect.sync(() => {
        const row = rows.get(name)
        if (row?.gap?.to === to) row.gap = undefined
      }),

    list: Effect.sync(() => [...rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(record)),

    retry: ({ at, name }) =>
      Effect.flatMap(find(name), (row) => {
        const aside = undeliveredOf(row).filter(({ isAside }) => isAside)
        for (const { cursor } of aside) change({ name, cursor }, { isAside: false, failedAt: at })
        return Effect.as(notifier.wake([]), aside.length)
      }),

    remove: (name) =>
      Effect.flatMap(find(name), ({ holder }) =>
        holder === undefined ? Effect.sync(() => void rows.delete(name)) : new SubscriberInUse({ subscriber: name })
      ),

    isHeld: ({ at, chain, endedAt, kind, last }) =>
      [...rows.values()].some(
        ({ cursor, hold, kinds, undelivered }) =>
          (kinds === undefined || kinds.includes(kind)) &&
          DateTime.distance(endedAt, at) < wholeMillis(hold) &&
          (cursor < last || [...undelivered.values()].some(({ jobId }) => chain.includes(jobId)))
      ),

    miss: (kind, events) => {
      for (const row of rows.values()) {
        const cursors = events.flatMap(({ event }) =>
          isSelected(row, kind, event) &&
          (event.cursor > row.cursor || row.undelivered.get(event.cursor)?.isAside === false)
            ? [event.cursor]
            : []
        )
        for (const { event } of events) row.undelivered.delete(event.cursor)
        const [first] = cursors
        const last = cursors.at(-1)
        if (first === undefined || last === undefined) continue
        row.gap = { from: Math.min(row.gap?.from ?? first, first), to: Math.max(row.gap?.to ?? last, last) }
      }
    }
  }
}
