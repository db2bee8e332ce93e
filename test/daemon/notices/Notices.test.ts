/** Notices about jobs are sent at least once and in order, whatever becomes of their command, and no job waits for them. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Clock, DateTime, Duration, Effect, Layer, Logger, LogLevel, Option, TestClock } from "effect"
import { writeFileSync } from "node:fs"
import * as Configuration from "../../../src/daemon/config/Configuration.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as Secrets from "../../../src/daemon/home/Secrets.js"
import type { Notice } from "../../../src/daemon/notices/Notice.js"
import { NoticeCommands, NoticeFailed } from "../../../src/daemon/notices/NoticeCommand.js"
import * as Notices from "../../../src/daemon/notices/Notices.js"
import { removeFormer } from "../../../src/daemon/notices/noticeSubscribers.js"
import { Question } from "../../../src/domain/Question.js"
import { TaskRecord, UnitRecord, Work } from "../../../src/domain/Work.js"
import { poll } from "../../../src/internal/RealClock.js"
import { ParentEnvironment } from "../../../src/process/ChildEnvironment.js"
import { whileTimePasses } from "../../manager/timePassing.js"
import { config } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const Script = ScriptedOrchestrator.ScriptedOrchestrator

const phone = "notify: { phone: { run: [never-run], env: [PHONE], reason: true } }\n"

/** A home with that configuration, and a manager. */
const layerWith = (text: string) =>
  JobManager.layer({ maxJobs: 200 }).pipe(
    Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer())),
    Layer.provideMerge(Secrets.layer),
    Layer.provideMerge(Configuration.layer),
    Layer.provideMerge(
      Layer.unwrapScoped(
        Effect.map(TemporaryDirectory.make, (home) => {
          writeFileSync(`${home}/config.yaml`, text)
          return Home.layerAt(home)
        })
      )
    ),
    Layer.provideMerge(NodeContext.layer),
    Layer.provide(Layer.succeed(ParentEnvironment, { PHONE: "a-secret-of-mine" }))
  )

const quiet = Logger.withMinimumLogLevel(LogLevel.None)

const started = Effect.flatMap(JobManager.JobManager, ({ start }) => start(config))

const ends = (id: JobId.JobId, ...steps: ReadonlyArray<Step.Step>) =>
  Effect.gen(function* () {
    const script = yield* Script
    const manager = yield* JobManager.JobManager
    yield* script.send(id, ...steps)
    return yield* manager.await(id)
  })

/** Sends notices during an effect, by a command that may fail. */
const during = <A, E, R>(use: Effect.Effect<A, E, R>, send: (notice: Notice) => Effect.Effect<void, NoticeFailed>) =>
  Effect.scoped(
    Effect.flatMap(Notices.make, (settled) => Effect.zipLeft(use, settled)).pipe(
      Effect.provideService(NoticeCommands, () => Effect.succeed({ send }))
    )
  )

const phoneRecord = Effect.flatMap(RunStore.RunStore, ({ subscribers }) =>
  Effect.map(subscribers.list, (all) => Option.fromNullable(all.find(({ name }) => name === "notify.phone")))
)

const until = (isSo: () => boolean) =>
  poll(Effect.sync(isSo), { until: (so) => so, pause: 5, atMost: "2 minutes" }).pipe(
    Effect.tap((so) => expect(so).toBe(true))
  )

/** Running units of one task each. */
const workOf = (units: ReadonlyArray<string>) =>
  new Work({
    units: units.map((unit, position) => new UnitRecord({ unit, position, dependsOn: [], state: "running" })),
    tasks: units.map(
      (unit) =>
        new TaskRecord({ unit, task: 1, position: 0, title: unit, state: "running", failures: 0, calls: 0, notes: [] })
    )
  })

const broken = new NoticeFailed({ message: "no such host" })

const here = Effect.provide(layerWith(phone))

describe("notices", () => {
  it.scoped(
    "of 100 jobs arrive in order though the command fails for a minute and its process ends, and no job waits",
    () =>
      Effect.gen(function* () {
        const begun = yield* Clock.currentTimeMillis
        const [sent, tried]: [Array<string>, Array<string>] = [[], []]
        const ended: Array<string> = []
        const send = ({ id, job }: Notice) =>
          Effect.gen(function* () {
            tried.push(id)
            if ((yield* Clock.currentTimeMillis) - begun < 60_000) return yield* broken
            sent.push(job)
          })
        // Its clock does not advance, so that the first notice is never tried again.
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* Effect.asVoid(Notices.make)
            for (let n = 0; n < 50; n++) {
              const id = yield* started
              expect((yield* ends(id, Step.succeed(n))).status).toBe("completed")
              ended.push(id)
            }
            yield* until(() => tried.length === 1)
          }).pipe(Effect.provideService(NoticeCommands, () => Effect.succeed({ send })))
        )
        expect(sent).toEqual([])
        const more = Effect.gen(function* () {
          for (let n = 50; n < 100; n++) {
            const id = yield* started
            expect((yield* ends(id, Step.fail("no"))).status).toBe("failed")
            ended.push(id)
          }
          yield* whileTimePasses(until(() => sent.length >= 100))
        })
        yield* during(more, send)
        expect(sent).toEqual(ended)
        expect(new Set(tried).size).toBe(100)
      }).pipe(here, quiet)
  )

  it.scoped("that fail ten times are skipped, and after a day of failures the name is switched off and forgotten", () =>
    Effect.gen(function* () {
      let tries = 0
      const send = () =>
        Effect.zipRight(
          Effect.sync(() => void tries++),
          broken
        )
      const skipped = (count: number) =>
        poll(phoneRecord, {
          until: (record) => Option.exists(record, ({ failing, skipped }) => skipped === count && failing === 0),
          pause: 5,
          atMost: "2 minutes"
        })
      yield* during(
        Effect.gen(function* () {
          yield* ends(yield* started, Step.succeed(1))
          expect(yield* whileTimePasses(skipped(1))).toMatchObject({ value: { failing: 0, aside: 0 } })
          expect(tries).toBe(10)
          yield* TestClock.adjust("25 hours")
          yield* ends(yield* started, Step.succeed(2))
          yield* whileTimePasses(poll(phoneRecord, { until: Option.isNone, pause: 5, atMost: "2 minutes" }))
          expect(tries).toBe(20)
        }),
        send
      )
      expect(yield* phoneRecord).toEqual(Option.none())
    }).pipe(here, quiet)
  )

  it.scoped("are not sent of what is no longer true, nor of what is older than a day", () =>
    Effect.gen(function* () {
      const sent: Array<Notice> = []
      const send = (notice: Notice) => Effect.sync(() => void sent.push(notice))
      const manager = yield* JobManager.JobManager
      const script = yield* Script
      const store = yield* RunStore.RunStore
      const park = (options: Parameters<typeof Step.park>[0]) =>
        Effect.gen(function* () {
          const id = yield* started
          yield* script.send(id, Step.park(options))
          yield* poll(Effect.flatten(store.get(id)), {
            until: ({ status }) => status === "parked",
            pause: 5,
            atMost: "2 minutes"
          })
          return id
        })
      const until = DateTime.add(yield* DateTime.now, { days: 9 })
      yield* during(Effect.void, send)
      const old = yield* ends(yield* started, Step.fail("long ago"))
      yield* TestClock.adjust("25 hours")
      const failed = yield* ends(yield* started, Step.fail("no such branch"))
      const retry = yield* manager.retry(failed.id)
      const resumed = yield* park({ reason: "not logged in", signal: "charlotte.resume" })
      yield* manager.resume(resumed)
      yield* park({ reason: "its usage limit", until })
      const needy = yield* park({ reason: "its key a-secret-of-mine is refused", signal: "charlotte.resume" })
      const approved = yield* park({ reason: "it is done", signal: "charlotte.approval" })
      yield* during(Effect.void, send)
      expect(old.status).toBe("failed")
      expect(sent.map(({ command, job, reason, status }) => ({ command, job, reason, status }))).toEqual([
        {
          job: needy,
          status: "parked",
          reason: "its key [redacted] is refused",
          command: `charlotte resume ${needy}`
        },
        { job: approved, status: "needs-approval", reason: "it is done", command: `charlotte approve ${approved}` }
      ])
      for (const id of [resumed, retry]) yield* ends(id, Step.succeed(1))
    }).pipe(here)
  )
})

describe("notices", () => {
  it.scoped("have a reason of at most 500 characters, and only if it is asked for", () =>
    Effect.gen(function* () {
      const told = (text: string) =>
        Effect.gen(function* () {
          const sent: Array<Notice> = []
          yield* during(
            Effect.flatMap(started, (id) => ends(id, Step.fail("x".repeat(900)))),
            (notice) => Effect.sync(() => void sent.push(notice))
          )
          return sent
        }).pipe(Effect.provide(layerWith(text)))
      const [notice] = yield* told(phone)
      expect(notice).toMatchObject({ kind: "tasks", status: "failed", reason: `${"x".repeat(499)}…` })
      const [silent] = yield* told("notify: { phone: { run: [never-run], on: [failed] } }\n")
      expect(silent).not.toHaveProperty("reason")
      expect(yield* told("notify: { phone: { run: [never-run], on: [completed, needs-answer] } }\n")).toEqual([])
    })
  )

  it.scoped("are about each open question of a job, and about a park only if it has another reason as well", () =>
    Effect.gen(function* () {
      const sent: Array<Notice> = []
      const store = yield* RunStore.RunStore
      const script = yield* Script
      const asked = (questions: ReadonlyArray<readonly [unit: string, question: string]>, reason: string) =>
        Effect.gen(function* () {
          const id = yield* started
          const askedAt = yield* DateTime.now
          yield* script.began(id, 1)
          yield* store.work.plan({ jobId: id, attempt: 1, work: workOf(questions.map(([unit]) => unit)) })
          yield* store.questions.record({
            jobId: id,
            attempt: 1,
            questions: questions.map(
              ([unit, question]) => new Question({ unit, task: 1, seq: 1, agent: "claude", question, askedAt })
            )
          })
          for (const [unit, question] of questions)
            yield* script.send(id, Step.emit({ type: "unit.asked", unit, payload: { task: 1, question } }))
          yield* script.send(id, Step.park({ reason, signal: "charlotte.resume", questions: questions.length }))
          yield* poll(Effect.flatten(store.get(id)), {
            until: ({ status }) => status === "parked",
            pause: 5,
            atMost: "2 minutes"
          })
          return id
        })
      yield* during(Effect.void, () => Effect.void)
      const questions = [
        ["api", "Which port?"],
        ["web", "Which colour?"]
      ] as const
      const both = yield* asked(questions, "api asks: Which port?; web asks: Which colour?")
      const mixed = yield* asked([["api", "Why?"]], "api asks: Why?; claude is not logged in")
      const jobId = yield* asked([["api", "Where?"]], "api asks: Where?")
      yield* store.questions.answer({ jobId, text: "here", at: yield* DateTime.now })
      yield* during(Effect.void, (notice) => Effect.sync(() => void sent.push(notice)))
      expect(sent.map(({ command, reason, status }) => [status, reason, command])).toEqual([
        ["needs-answer", "api asks: Which port?", `charlotte answer ${both} api "…"`],
        ["needs-answer", "web asks: Which colour?", `charlotte answer ${both} web "…"`],
        ["needs-answer", "api asks: Why?", `charlotte answer ${mixed} "…"`],
        ["parked", "api asks: Why?; claude is not logged in", `charlotte resume ${mixed}`]
      ])
      expect(new Set(sent.map(({ id }) => id)).size).toBe(4)
    }).pipe(Effect.provide(layerWith(phone)))
  )

  it.scoped(
    "are about a job that tries again by itself only once for each reason, unless a person has resumed it",
    () =>
      Effect.gen(function* () {
        const sent: Array<Notice> = []
        const store = yield* RunStore.RunStore
        const manager = yield* JobManager.JobManager
        const script = yield* Script
        const park = (attempt: number, reason: string) =>
          Effect.gen(function* () {
            yield* script.began(id, attempt)
            const until = DateTime.add(yield* DateTime.now, { hours: 1 })
            yield* script.send(id, Step.park({ reason, until, tentative: true, signal: "charlotte.resume" }))
            const isParked = Effect.map(Effect.flatten(store.get(id)), (run) => run.status === "parked")
            yield* poll(isParked, { until: (so) => so, pause: 5, atMost: "2 minutes" })
          })
        const id = yield* started
        const first = "claude has nothing left to spend"
        const notices = during(Effect.void, (notice) => Effect.sync(() => void sent.push(notice)))
        yield* during(Effect.void, () => Effect.void)
        yield* park(1, first)
        yield* notices
        yield* store.wake(id, "time")
        yield* park(2, first)
        yield* notices
        expect(sent.map(({ reason }) => reason)).toEqual([first])
        yield* store.wake(id, "time")
        yield* park(3, "claude is not logged in")
        yield* notices
        yield* manager.resume(id)
        yield* park(4, "claude is not logged in")
        yield* notices
        expect(sent.map(({ reason }) => reason)).toEqual([first, "claude is not logged in", "claude is not logged in"])
      }).pipe(Effect.provide(layerWith(phone)))
  )

  it.scoped("of a name that was removed from the configuration pin nothing any more", () =>
    Effect.gen(function* () {
      const { subscribers } = yield* RunStore.RunStore
      const at = yield* DateTime.now
      for (const name of ["notify.old", "notify.phone", "invoices"])
        yield* subscribers.register({ name, from: "now", hold: Duration.days(1), at })
      yield* removeFormer
      expect((yield* subscribers.list).map(({ name }) => name)).toEqual(["invoices", "notify.phone"])
    }).pipe(Effect.provide(layerWith(phone)))
  )
})
