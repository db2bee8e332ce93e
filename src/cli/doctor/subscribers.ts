/**
 * Finds the subscribers that have put events aside, fail on events, have missed some, or do not move; and notices that the nodes of a
 * cluster define in different ways.
 */
import { Array, DateTime, Duration, Effect } from "effect"
import type { Subscriber } from "../../domain/Subscriber.js"
import * as plainText from "../../internal/plainText.js"
import { JobManager } from "../../manager/JobManager.js"
import type { Node } from "../../store/port/RunStoreService.js"
import * as RunStore from "../../store/RunStore.js"
import * as format from "../terminal/format.js"
import * as Finding from "./Finding.js"

/** A subscriber that is behind and has not moved its cursor for this long has no live instance, or a handler that does not end. */
const stuckAfter = Duration.hours(1)

export const check = Effect.gen(function* () {
  const { cluster, subscribers } = yield* RunStore.RunStore
  const now = yield* DateTime.now
  const found = (yield* subscribers.list).flatMap((subscriber) => findings(subscriber, now))
  return [...found, ...differing(yield* cluster.nodes(JobManager.kind))]
})

const warning = (message: string, remedy: string) =>
  Finding.warning("subscribers", plainText.line(message), plainText.line(remedy))

/** Any of the nodes may send the notices of a name, as it defines them. */
const differing = (nodes: ReadonlyArray<Node>): ReadonlyArray<Finding.Finding> => {
  const defined = nodes.flatMap(({ address, definitions = {}, isAlive }) =>
    isAlive ? Object.entries(definitions).map(([name, hash]) => ({ name, hash, address })) : []
  )
  return Object.entries(Array.groupBy(defined, ({ name }) => name)).flatMap(([name, all]) => {
    const groups = Object.values(Array.groupBy(all, ({ hash }) => hash))
    if (groups.length === 1) return []
    const shown = groups.map((group) => group.map(({ address }) => address).join(" and "))
    return [
      warning(
        `${name} is defined in ${groups.length} ways: by ${shown.join(", and by ")}`,
        "define it in the same way in the config.yaml of each, and restart their daemons"
      )
    ]
  })
}

const findings = (
  { aside, behind, failing, gap, movedAt, name, undelivered }: Subscriber,
  now: DateTime.Utc
): ReadonlyArray<Finding.Finding> => {
  const first = (isAside: boolean) => {
    const found = undelivered.find((event) => event.isAside === isAside)
    return found === undefined ? "" : `; the first: ${found.type} of ${found.jobId}`
  }
  const isStuck = behind > 0 && DateTime.lessThan(movedAt, DateTime.subtractDuration(now, stuckAfter))
  return [
    ...(aside === 0
      ? []
      : [
          warning(
            `${name} has put ${format.count(aside, "event")} aside, on which its handler has failed${first(true)}`,
            `see charlotte subscribers list; once it is fixed: charlotte subscribers retry ${name}`
          )
        ]),
    ...(failing === 0
      ? []
      : [
          warning(
            `the handler of ${name} fails on ${format.count(failing, "event")}${first(false)}`,
            "see charlotte subscribers list; it is tried again by itself"
          )
        ]),
    ...(gap === undefined
      ? []
      : [
          warning(`${name} has missed events: their jobs were pruned`, "none: its handler gets a Gap when it continues")
        ]),
    ...(isStuck && failing === 0
      ? [
          warning(
            `${name} is behind, and has not moved for an hour`,
            `start the process that runs it; if there is none any more: charlotte subscribers remove ${name}`
          )
        ]
      : [])
  ]
}
