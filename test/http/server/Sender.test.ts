/** How a request came in, in the events of jobs, and in the log where no event records the change. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Context, DateTime, Duration, Effect, HashMap, Logger, Option } from "effect"
import { config } from "../../support/jobs.js"
import * as World from "../world.js"

/** A server, and the lines that it logs about acts, each with how the request came in. */
const world = Effect.gen(function* () {
  const lines: Array<string> = []
  const logger = Logger.make(({ annotations, message }) => {
    const via = HashMap.get(annotations, "via")
    if (Option.isSome(via)) lines.push(`${String(via.value)}: ${String(message)}`)
  })
  const made = yield* Effect.provide(World.make(), Logger.replace(Logger.defaultLogger, logger))
  return { ...made, lines }
})

/** The payloads of the events of a type, in order. */
const payloadsOf = (services: Context.Context<RunStore.RunStore>, jobId: JobId.JobId, type: string) =>
  Effect.map(
    Effect.flatten(Context.get(services, RunStore.RunStore).events({ kind: "tasks", jobId, after: 0, limit: 99 })),
    ({ events }) => events.flatMap((event) => (event.type === type ? [event.payload] : []))
  )

describe("an event says who has asked, and how the request came in,", () => {
  it.scopedLive("by the socket, by a port and by the page", () =>
    Effect.gen(function* () {
      const { byPort, bySocket, send, services } = yield* World.make()
      const id = yield* bySocket.start(config)
      yield* bySocket.signal(id, "go", undefined, { by: "ada" })
      yield* byPort.signal(id, "go")
      yield* send({
        method: "POST",
        path: `/api/v1/jobs/${id}/signals/go`,
        headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
        body: '{"by":"page"}'
      })
      expect(yield* payloadsOf(services, id, "job.signalled")).toEqual([
        { name: "go", by: "ada", via: "socket" },
        { name: "go", via: "port" },
        { name: "go", by: "page", via: "page" }
      ])
      yield* bySocket.stop(id)
      expect(yield* payloadsOf(services, id, "job.stopping")).toEqual([{ via: "socket" }])
    })
  )

  it.scopedLive("of each job that a request stops, retries and reschedules", () =>
    Effect.gen(function* () {
      const { byPort, bySocket, services } = yield* World.make({ maxJobs: 1 })
      const running = yield* bySocket.start(config)
      const waiting = yield* bySocket.start(config, { whenFull: "queue" })
      yield* byPort.reschedule(waiting, { priority: 5, by: "ada" })
      expect(yield* payloadsOf(services, waiting, "job.rescheduled")).toMatchObject([{ by: "ada", via: "port" }])
      yield* byPort.stopAllBy("ada")
      expect(yield* payloadsOf(services, running, "job.stopping")).toEqual([{ by: "ada", via: "port" }])
      expect(yield* payloadsOf(services, waiting, "job.cancelled")).toEqual([{ by: "ada", via: "port" }])
      const next = yield* bySocket.retry(running, { by: "bea" })
      const queued = { retryOf: running, by: "bea", via: "socket" }
      expect(yield* payloadsOf(services, next, "job.queued")).toMatchObject([queued])
    })
  )

  it.scopedLive("and does not take a call of a job for one of the request that started the job", () =>
    Effect.gen(function* () {
      const { bySocket, services } = yield* World.make()
      const manager = Context.get(services, JobManager.JobManager)
      const { send } = Context.get(services, ScriptedOrchestrator.ScriptedOrchestrator)
      const id = yield* bySocket.start(config)
      yield* send(id, () => Effect.orDie(manager.signal(id, "go", undefined, { by: "ada" })), Step.succeed("done"))
      yield* manager.await(id)
      expect(yield* payloadsOf(services, id, "job.signalled")).toEqual([{ name: "go", by: "ada", via: "library" }])
    })
  )
})

describe("a server logs who has asked, and how the request came in,", () => {
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
