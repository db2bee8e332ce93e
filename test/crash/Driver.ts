/**
 * Whoever uses the daemon: starts and stops jobs at random, and watches all that happens, over every crash.
 */
import { RunStatus } from "charlotte"
import { Effect, Random, Schedule, Stream } from "effect"
import type { ListedJob } from "../../src/http/contract/Job.js"
import * as JobClient from "../../src/http/client/JobClient.js"
import type { Ledger } from "./Ledger.js"
import * as Processes from "./Processes.js"
import { maxJobs, type Sort, type World } from "./World.js"

/** What is done more often than the rest. */
export type Wish = "merging" | "failing" | "linked" | "stop" | undefined

export interface Driver {
  /** Starts and stops jobs, for ever. */
  readonly use: (wish: Wish) => Effect.Effect<never>
  /** Shows each event once, in order, as long as a daemon comes back. */
  readonly watch: Effect.Effect<void>
  /** Returns when no job is left to be done. */
  readonly wait: Effect.Effect<void>
  readonly shutdown: Effect.Effect<void>
}

interface Failure {
  readonly _tag: string
  readonly message: string
  readonly reason?: string
}

/** To whoever asks too much of it, or too quickly for a busy machine; or of one that ends, or is dead. */
const answers = [
  "MaxJobsReached",
  "JobConflict",
  "StopTimedOut",
  "ShuttingDown",
  "DaemonNotRunning",
  "ConnectionFailed"
]

/** What a daemon may say. */
const isAnswer = ({ _tag, reason }: Failure) => answers.includes(_tag) || (_tag === "StoreError" && reason === "closed")

const often: ReadonlyArray<Sort> = ["merging", "brief", "failing", "merging", "brief"]
const staying: ReadonlyArray<Sort> = ["endless", "stubborn", "endless"]

export const make = (world: World, ledger: Ledger) =>
  Effect.gen(function* () {
    const client = yield* JobClient.make({ socket: `${world.home}/socket` })
    let targets = 0

    const heard = <A>(asked: Effect.Effect<A, Failure>): Effect.Effect<A | undefined> =>
      Effect.catchAll(asked, (failure) =>
        Effect.sync(() => {
          if (!isAnswer(failure)) ledger.violation(`it answered ${failure._tag}: ${failure.message}`)
          return undefined
        })
      )

    const pick = <A>(from: ReadonlyArray<A>) =>
      Effect.map(Random.nextIntBetween(0, Math.max(1, from.length)), (i) => from[i])

    const start = (sort: Sort, targetBranch: string) =>
      Effect.gen(function* () {
        const config = { repoPath: world.top, tasksDir: sort, targetBranch, labels: { sort } }
        const id = yield* heard(client.start(config))
        if (id !== undefined) ledger.started(id)
      })

    const startAnew = (sort: Sort) =>
      Effect.gen(function* () {
        const target = `target/${++targets}`
        yield* world.git(world.top, "branch", target, world.base)
        yield* start(sort, target)
      })

    /** On the branch of the user's other checkout; once a job has landed there, on the next one. */
    const startLinked = Effect.gen(function* () {
      const target = (yield* world.git(world.linked, "symbolic-ref", "--short", "HEAD")).trim()
      const last = (yield* heard(client.list({ limit: 100 })))?.jobs.filter((job) => targetOf(job) === target)
      if (last === undefined || last.some(({ status }) => !RunStatus.isTerminal(status))) return
      if (last.length > 0) {
        const next = `target/linked-${++targets}`
        yield* world.git(world.linked, "switch", "--quiet", "-c", next, world.base)
        return yield* start("merging", next)
      }
      yield* start("merging", target)
    })

    const stop = ({ id }: ListedJob) =>
      Effect.gen(function* () {
        const report = yield* heard(client.stop(id))
        if (report === undefined) return
        if (!RunStatus.isTerminal(report.status)) return ledger.violation(`${id} was stopped, and is ${report.status}`)
        ledger.ended(id, report.status)
        const left = Processes.all(world).filter(({ cwd, what }) => what !== "git" && cwd.includes(`/${id}/`))
        for (const { pid, what } of left) ledger.violation(`${id} was stopped, and ${what} ${pid} is left`)
      })

    /** One that would end by itself, mostly: agents that stay are to be at work at the next kill. */
    const stopSome = (running: ReadonlyArray<ListedJob>) =>
      Effect.gen(function* () {
        const brief = running.filter((job) => !stays(job))
        const isAny = (yield* Random.nextIntBetween(0, 8)) === 0
        const job = yield* pick(isAny ? running : brief)
        if (job !== undefined) yield* Effect.fork(stop(job))
      })

    const step = (wish: Wish) =>
      Effect.gen(function* () {
        const page = yield* heard(client.list({ status: "running" }))
        const running = page?.jobs ?? []
        if (page !== undefined && !running.some(stays)) yield* startAnew((yield* pick(staying)) ?? "endless")
        const chance = yield* Random.nextIntBetween(0, 20)
        const isWished = wish !== undefined && chance % 2 === 0
        if (isWished ? wish === "stop" : chance < 3) yield* stopSome(running)
        else if (running.length >= maxJobs) yield* Effect.void
        else if (isWished ? wish === "linked" : chance < 6) yield* startLinked
        else if (isWished && (wish === "failing" || wish === "merging")) yield* startAnew(wish)
        else yield* startAnew((yield* pick(often)) ?? "brief")
        yield* Effect.sleep(yield* Random.nextIntBetween(50, 200))
      })

    let shown = 0
    const watch = Stream.runForEach(
      Stream.suspend(() => client.allEvents({ after: shown, patience: "1 hour" })),
      (event) =>
        Effect.sync(() => {
          shown = event.cursor
          ledger.shown(event)
        })
    ).pipe(
      // It is not waited for a daemon that was never there.
      Effect.retry({ while: isAnswer, schedule: Schedule.spaced("20 millis") }),
      Effect.catchAll((failure) => Effect.sync(() => ledger.violation(`the events ended: ${failure.message}`)))
    )

    const isIdle = Effect.gen(function* () {
      const pages = yield* Effect.forEach(["running", "interrupted"] as const, (status) => client.list({ status }))
      return pages.every(({ jobs }) => jobs.length === 0)
    }).pipe(Effect.orElseSucceed(() => false))

    const driver: Driver = {
      use: (wish) => Effect.forever(step(wish)),
      watch,
      wait: Effect.repeat(Effect.zipRight(Effect.sleep(50), isIdle), { until: (idle) => idle }).pipe(Effect.asVoid),
      shutdown: Effect.ignore(client.shutdown)
    }
    return driver
  })

/** Its agent does not end by itself. */
const stays = ({ labels }: ListedJob): boolean => labels["sort"] === "endless" || labels["sort"] === "stubborn"

const targetOf = ({ config }: ListedJob): unknown =>
  typeof config === "object" && config !== null && "targetBranch" in config ? config.targetBranch : undefined
