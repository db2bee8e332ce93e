/** What a server logs about requests that change something which no event records. */
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Context, DateTime, Duration, Effect, HashMap, Logger, Option } from "effect"
import { config } from "../../support/jobs.js"
import * as World from "../world.js"

/** A server, and the lines that it logs about acts, each with its door. */
const world = Effect.gen(function* () {
  const lines: Array<string> = []
  const logger = Logger.make(({ annotations, message }) => {
    const door = HashMap.get(annotations, "door")
    if (Option.isSome(door)) lines.push(`${String(door.value)}: ${String(message)}`)
  })
  const made = yield* Effect.provide(World.make(), Logger.replace(Logger.defaultLogger, logger))
  return { ...made, lines }
})

describe("a server logs who has asked, and by which door,", () => {
  it.scopedLive("for a pin and its end", () =>
    Effect.gen(function* () {
      const { byPort, bySocket, lines } = yield* world
      const id = yield* bySocket.start(config)
      yield* bySocket.pin(id, { by: "ada" })
      yield* byPort.unpin(id, { by: "bea" })
      expect(lines).toEqual([`socket: job ${id} is pinned, by ada`, `port: job ${id} is no longer pinned, by bea`])
    })
  )

  it.scopedLive("for a pause, its end and a limit", () =>
    Effect.gen(function* () {
      const { bySocket, lines, send } = yield* world
      yield* bySocket.pause("tasks", { by: "ada" })
      yield* send({
        method: "DELETE",
        path: "/api/v1/kinds/tasks/pause?by=page",
        headers: { "sec-fetch-site": "same-origin" }
      })
      yield* bySocket.limit("tasks", 2)
      expect(lines).toEqual([
        'socket: jobs of kind "tasks" are paused, by ada',
        'page: jobs of kind "tasks" are no longer paused, by page',
        'socket: at most 2 jobs of kind "tasks" run at once'
      ])
    })
  )

  it.scopedLive("for a pruning, and for a subscriber that is removed", () =>
    Effect.gen(function* () {
      const { byPort, bySocket, lines, services } = yield* world
      const { subscribers } = Context.get(services, RunStore.RunStore)
      yield* subscribers.register({ name: "mail", from: "now", hold: Duration.zero, at: yield* DateTime.now })
      yield* bySocket.prune({ by: "ada", dryRun: true })
      yield* bySocket.prune({ by: "ada" })
      yield* byPort.removeSubscriber("mail", { by: "bea" })
      expect(lines).toEqual([
        'socket: finished jobs of kind "tasks" are pruned: 0, by ada',
        'port: subscriber "mail" is removed, by bea'
      ])
    })
  )
})
