/**
 * What the jobs of the child do. Their labels say it: those are kept with a job, and so hold for every attempt.
 */
import { type JobConfig, type JobId, type Orchestrator } from "charlotte"
import { Effect, Random } from "effect"
import type { Report } from "./Report.js"

export type Tell = (report: Report) => Effect.Effect<void>

const ends = ["complete", "complete", "fail", "die", "endless", "silent"]

/** A job of some sort. */
export const config = Effect.gen(function* () {
  const key = yield* Random.nextIntBetween(0, 12)
  const labels = {
    end: ends[yield* Random.nextIntBetween(0, ends.length)] ?? "endless",
    events: String(yield* Random.nextIntBetween(0, 40)),
    pause: String(yield* Random.nextIntBetween(0, 4)),
    cleanUp: String(yield* Random.nextIntBetween(0, 15)),
    ...(key < 4 ? { key: `key ${key}` } : {})
  }
  return { repoPath: "/nowhere", tasksDir: "tasks", targetBranch: "main", labels }
})

/** Emits events that it numbers, and then ends, or runs on until it is stopped. */
export const orchestrator = (tell: Tell, maxJobs: number): Orchestrator.Service<JobConfig.JobConfig> => {
  const running = new Set<JobId.JobId>()

  const enter = (id: JobId.JobId) =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        const wrong = running.has(id) ? `${id} runs twice` : running.size >= maxJobs ? "too many run" : undefined
        running.add(id)
        return wrong === undefined ? Effect.void : tell({ _tag: "Violation", message: wrong })
      }),
      () => Effect.sync(() => running.delete(id))
    )

  return {
    check: ({ labels: { key } = {} }) => Effect.succeed(key === undefined ? {} : { key }),
    run: ({ attempt, config: { labels = {} }, emit, flush, id }) =>
      Effect.gen(function* () {
        yield* enter(id)
        if (labels["end"] === "silent") return yield* Effect.never

        let n = 0
        const next = Effect.suspend(() => emit({ type: "work.step", payload: { attempt, n: ++n } }))
        const flushed = Effect.suspend(() => Effect.zipRight(flush, tell({ _tag: "Flushed", id, attempt, n })))
        yield* Effect.addFinalizer(() => Effect.zipRight(Effect.sleep(Number(labels["cleanUp"])), next))

        for (let step = 0; step < Number(labels["events"]); step++) {
          yield* next
          if (step % 7 === 3) yield* flushed
          if (step % 3 === 0) yield* Effect.sleep(Number(labels["pause"]))
        }
        switch (labels["end"]) {
          case "complete":
            return n
          case "fail":
            return yield* Effect.fail("it was to fail")
          case "die":
            return yield* Effect.die(new Error("it was to die"))
          default:
            return yield* Effect.forever(Effect.zipRight(next, Effect.sleep(5)))
        }
      })
  }
}
