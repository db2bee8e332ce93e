/** Floods of submissions to a daemon, and whether it answers others meanwhile. */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Schedule } from "effect"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { Worker } from "node:worker_threads"
import * as requests from "../../http/requests.js"
import { figures } from "../../support/figures.js"
import { isLong } from "../../support/long.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"
import * as Tasks from "./Tasks.js"

interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  /** From the first request of all to the end of this response, in milliseconds. */
  readonly at: number
}

/** Sends all requests at once, from a thread of its own, so that the measurements here do not wait for it. */
const flooder = `
  const { Agent, request } = require("node:http")
  const { parentPort, workerData: { body, count, socketPath } } = require("node:worker_threads")
  // More connections at once than the kernel queues for the daemon would fail.
  const agent = new Agent({ maxSockets: 400 })
  const start = performance.now()
  const post = () => new Promise((resolve, reject) => {
    const headers = { host: "localhost", "content-type": "application/json", "content-length": body.length }
    const sent = request({ socketPath, agent, method: "POST", path: "/api/v1/jobs", headers })
    sent.on("error", reject)
    sent.on("response", (response) => response.resume().on("end", () => resolve({
      status: response.statusCode, retryAfter: response.headers["retry-after"], at: performance.now() - start
    })))
    sent.end(body)
  })
  Promise.all(Array.from({ length: count }, post)).then((answers) => parentPort.postMessage(answers))
`

const flood = ({ home, repository }: Charlotte.World, count: number) => {
  const submission = { repoPath: repository, tasksDir: "tasks", targetBranch: "main", dryRun: true }
  const workerData = { body: JSON.stringify(submission), count, socketPath: `${home}/socket` }
  return Effect.acquireUseRelease(
    Effect.sync(() => new Worker(flooder, { eval: true, workerData })),
    (worker) =>
      Effect.async<ReadonlyArray<Answer>>((resume) => {
        worker.once("error", (error) => resume(Effect.die(error)))
        worker.once("message", (answers: ReadonlyArray<Answer>) => resume(Effect.succeed(answers)))
      }),
    (worker) => Effect.promise(async () => worker.terminate())
  )
}

/** How long a process had to wait for a processor so far, in milliseconds. */
const waited = (pid: number | "self") => Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6

/**
 * How long /healthz takes, in milliseconds, again and again until the flood is over; without the time in which the daemon or this process
 * waited for a processor, since other tests run at the same time.
 */
const probe = ({ home }: Charlotte.World, pid: number, isOver: () => boolean) =>
  Effect.gen(function* () {
    const before = waited(pid) + waited("self")
    const [duration, { status }] = yield* Effect.timed(
      requests.send({ socketPath: `${home}/socket` }, { path: "/healthz" })
    )
    expect(status).toBe(200)
    return Math.max(0, Duration.toMillis(duration) - (waited(pid) + waited("self") - before))
  }).pipe(
    Effect.repeat(
      Schedule.collectAllInputs<number>().pipe(
        Schedule.zipLeft(Schedule.spaced("10 millis")),
        Schedule.untilInput(isOver)
      )
    )
  )

const quantile = (values: ReadonlyArray<number>, part: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN

/** Floods the daemon one time after another while /healthz is probed. */
const measure = (
  world: Charlotte.World,
  pid: number,
  flooding: { readonly what: string; readonly count: number; readonly times: number }
) =>
  Effect.gen(function* () {
    const { count, times, what } = flooding
    let isOver = false
    const probing = yield* Effect.fork(probe(world, pid, () => isOver))
    const floods = yield* Effect.replicateEffect(flood(world, count), times)
    isOver = true
    // One is on its way even where the whole flood was answered before the first one.
    const taken = Array.from(yield* Fiber.join(probing))
    const firsts = floods.map((answers) => Math.min(...answers.map(({ at }) => at)))
    const lasts = floods.map((answers) => Math.max(...answers.map(({ at }) => at)))
    const p99 = quantile(taken, 0.99)
    figures(
      `${times} × ${count} ${what}: the first answer after ${median(firsts)} ms, the last after ${median(lasts)} ms ` +
        `(medians); ${taken.length} × /healthz meanwhile: p50 ${median(taken)} ms, p99 ${p99.toFixed(1)} ms`
    )
    return { answers: floods.flat(), p99, slowest: Math.max(...lasts) }
  })

const median = (values: ReadonlyArray<number>): string => quantile(values, 0.5).toFixed(1)

/** A git that records what it is started with, a line each. */
const recordedGit = ({ root, variables }: Charlotte.World) => {
  const [bin, calls] = [`${root}/recorded`, `${root}/git-calls`]
  mkdirSync(bin)
  const script = `#!/bin/sh\necho "$*" >> '${calls}'\nPATH='${variables["PATH"]}' exec git "$@"\n`
  writeFileSync(`${bin}/git`, script, { mode: 0o755 })
  return {
    variables: { PATH: `${bin}:${variables["PATH"]}` },
    calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").trimEnd().split("\n") : [])
  }
}

describe("flood of submissions", () => {
  it.scopedLive(
    "at capacity starts no process, is refused whole, and leaves the daemon responsive",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(Tasks.waiting())
        const git = recordedGit(world)
        const { pid } = yield* Daemon.up(world, { variables: { ...git.variables, CHARLOTTE_MAX_JOBS: "1" } })
        yield* Daemon.submit(world)
        yield* Tasks.reached(world)
        // A job reads the file of its task beside the agent.
        yield* Effect.repeat(Effect.sleep("20 millis"), {
          until: () => git.calls().filter((call) => call.startsWith("cat-file")).length === 2
        })
        const before = git.calls()
        const what = "submissions at capacity"
        const flooded = Effect.gen(function* () {
          const floods = isLong
            ? [
                yield* measure(world, pid, { what, count: 120, times: 50 }),
                yield* measure(world, pid, { what, count: 1_000, times: 5 })
              ]
            : [yield* measure(world, pid, { what, count: 120, times: 1 })]
          return { floods, after: git.calls() }
        })
        const end = Effect.zipRight(Tasks.release(world), Daemon.down(world))
        const { after, floods } = yield* Effect.ensuring(flooded, end)

        expect(after).toEqual(before)
        for (const { answers } of floods) {
          expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([429]))
          expect(answers.filter(({ retryAfter }) => retryAfter === undefined)).toEqual([])
        }
        if (isLong) {
          const [many, most] = floods
          expect(many?.p99).toBeLessThan(200)
          expect(most?.slowest).toBeLessThan(5_000)
        }
      }),
    300_000
  )

  it.scopedLive(
    "with free permits is accepted whole, and leaves the daemon responsive",
    () =>
      Effect.gen(function* () {
        const count = isLong ? 400 : 20
        const world = yield* Charlotte.world(() => Tasks.simple)
        const { pid } = yield* Daemon.up(world, { variables: { CHARLOTTE_MAX_JOBS: String(count) } })
        const what = "submissions with free permits"
        const { answers, p99 } = yield* measure(world, pid, { what, count, times: 1 })
        yield* Daemon.down(world)
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
        if (isLong) expect(p99).toBeLessThan(200)
      }),
    isLong ? 600_000 : 300_000
  )
})
