/**
 * The part of the in-memory store for the decisions about executions.
 */
import { DateTime, Effect } from "effect"
import { isTerminal } from "../../domain/RunStatus.js"
import type { DecisionStore, Execution } from "../port/DecisionStore.js"
import { endedName, endedValue, expiry } from "../rules/deciding.js"
import * as RunTransition from "../rules/RunTransition.js"
import type { Entry } from "./RunReads.js"

type New = Parameters<DecisionStore["decide"]>[0]

/** What is known of an execution: the decisions by their names, and who waits for its end. */
interface Known {
  readonly of: Execution
  readonly decisions: Map<string, New>
  readonly waiters: Map<string, Execution>
}

const textOf = ({ key, kind }: Execution) => JSON.stringify([kind, key])

export const make = <E extends Entry>({
  entryOf,
  wake,
  write
}: {
  readonly entryOf: (execution: Execution) => E | undefined
  readonly wake: (entry: E) => Effect.Effect<void>
  readonly write: <A>(body: () => Effect.Effect<A>) => Effect.Effect<A>
}) => {
  const all = new Map<string, Known>()

  const knownOf = (of: Execution): Known => {
    const known = all.get(textOf(of)) ?? { of, decisions: new Map(), waiters: new Map() }
    all.set(textOf(of), known)
    return known
  }

  /** Removes old decisions about executions of a kind that have no run. */
  const removeExpired = (kind: string, at: DateTime.Utc) => {
    for (const [text, { decisions, of }] of all) {
      if (of.kind !== kind || entryOf(of) !== undefined) continue
      for (const decision of decisions.values()) {
        if (DateTime.lessThan(decision.at, expiry(at))) decisions.delete(decision.name)
      }
      if (decisions.size === 0) all.delete(text)
    }
  }

  const decide = (decision: New): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      const { decisions } = knownOf({ kind: decision.kind, key: decision.key })
      if (decisions.has(decision.name)) return Effect.succeed(false)
      decisions.set(decision.name, decision)
      const entry = entryOf(decision)
      if (entry === undefined) removeExpired(decision.kind, decision.at)
      const to = entry && RunTransition.decided(entry.state)
      if (entry === undefined || to === undefined) return Effect.succeed(true)
      entry.state = to
      return Effect.as(wake(entry), true)
    })

  const store: DecisionStore = {
    decide: (decision) => write(() => decide(decision)),
    about: (execution) =>
      Effect.sync(() =>
        [...(all.get(textOf(execution))?.decisions.values() ?? [])]
          .map(({ name, value }) => ({ name, value }))
          .sort((a, b) => (a.name < b.name ? -1 : 1))
      ),
    awaitEnd: ({ key, kind, of }) =>
      write(() =>
        Effect.sync(() => {
          const entry = entryOf(of)
          if (entry === undefined || isTerminal(entry.state.status)) return false
          knownOf(of).waiters.set(textOf({ kind, key }), { kind, key })
          return true
        })
      )
  }

  const keyOf = ({ submitted }: E) => submitted.idempotency?.key

  return {
    store,
    count: (entry: E): number => {
      const key = keyOf(entry)
      return key === undefined ? 0 : (all.get(textOf({ kind: entry.submitted.kind, key }))?.decisions.size ?? 0)
    },
    forget: (entry: E): void => {
      const key = keyOf(entry)
      if (key !== undefined) all.delete(textOf({ kind: entry.submitted.kind, key }))
    },
    /** Decides about the executions that wait for the end of a run. */
    tellWaiters: (entry: E, at: DateTime.Utc): Effect.Effect<void> => {
      const key = keyOf(entry)
      if (key === undefined) return Effect.void
      const of = { kind: entry.submitted.kind, key }
      const waiters = [...(all.get(textOf(of))?.waiters.values() ?? [])]
      return Effect.forEach(waiters, (waiter) => decide({ ...waiter, name: endedName(of), value: endedValue, at }), {
        discard: true
      })
    }
  }
}
