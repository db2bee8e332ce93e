import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Deferred, Effect, Fiber, Layer, Schema, Stream, TestClock } from "effect"
import { writeFileSync } from "node:fs"
import * as Follow from "../../../src/cli/run/Follow.js"
import { OutputClosed } from "../../../src/cli/terminal/Output.js"
import { toJson } from "../../../src/internal/Json.js"
import { JobEvent } from "../../../src/domain/JobEvent.js"
import type { RunStatus } from "../../../src/domain/RunStatus.js"
import { TasksFailed } from "../../../src/tasks/run/errors.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Capture from "../Capture.js"
import * as Emulator from "./Emulator.js"
import { allDone, branch, diff, run, someFailed } from "./ended.js"
import { events, jobId, noon, type Step, steps } from "./scenario.js"

const failed = {
  run: run("failed", { error: toJson(new TasksFailed({ branch, diff, failures: [], blocked: ["barn"] })) }),
  work: someFailed
}

const services = (capture: Capture.Capture) =>
  Layer.mergeAll(
    capture.layer,
    NodeFileSystem.layer,
    Layer.succeed(DateTime.CurrentTimeZone, DateTime.zoneUnsafeMakeNamed("UTC"))
  )

/** Follows the scenario to its end. */
const follow = (
  options: Parameters<typeof Capture.make>[0] & { readonly json?: boolean },
  log = "/nowhere",
  { of = steps(log), resumed }: { readonly of?: ReadonlyArray<Step>; readonly resumed?: number | undefined } = {}
) => {
  const capture = Capture.make(options)
  return Follow.follow({
    events: Stream.fromIterable(events(of)),
    end: Effect.succeed(failed),
    resumed,
    json: options.json ?? false
  }).pipe(
    Effect.map((code) => ({ code, out: capture.out(), err: capture.err() })),
    Effect.provide(services(capture))
  )
}

describe("following a job", () => {
  it.effect("in a pipe prints lines and the summary, without escape sequences", () =>
    Effect.map(follow({}), ({ code, err, out }) => {
      expect(code).toBe(1)
      expect(err).toBe("")
      expect(out).toMatch(/^12:00:00 job 01A.* started\n(12:00:\d\d .*\n){37}\n✗ failed after 1 min 15 s /)
      expect(out).not.toContain("\x1b")
    })
  )

  it.effect("that a person has resumed prints what comes from the next attempt on, and no history", () =>
    Effect.gen(function* () {
      const all = steps("/nowhere")
      const resumed = (at: number, attempt: number) => ({ at, type: "job.resumed", payload: { attempt } })
      const news = [resumed(20, 3), ...all.slice(20)]
      const history = [...all.slice(0, 10), resumed(10, 2), ...all.slice(10, 20)]
      const print = (of: typeof all, options: Parameters<typeof follow>[0], resumed?: number) =>
        Effect.map(follow(options, "/nowhere", { of, resumed }), ({ out }) => out)
      expect(yield* print([...history, ...news], {}, 2)).toBe(yield* print(news, {}))
      const lines = (yield* print([...history, ...news], { json: true }, 2)).trim().split("\n")
      expect(lines).toHaveLength(news.length + 1)
      expect(JSON.parse(lines[0] ?? "")).toMatchObject({ type: "job.resumed", payload: { attempt: 3 } })
      const onScreen = yield* print([...history, ...news], { isTerminal: true, columns: 60 }, 2)
      expect(onScreen).not.toContain(" started\n")
    })
  )

  it.effect("with --json prints each event and the summary as lines of JSON", () =>
    Effect.map(follow({ json: true, isTerminal: true, colours: true }), ({ code, err, out }) => {
      const lines = out.split("\n")
      expect(code).toBe(1)
      expect(err).toBe("")
      expect(lines.pop()).toBe("")
      expect(JSON.parse(lines.pop() ?? "")).toMatchObject({ summary: { jobId, status: "failed", branch } })
      const decode = Schema.decodeSync(Schema.parseJson(JobEvent))
      expect(lines.map((line) => decode(line))).toEqual(events(steps("/nowhere")))
    })
  )

  it.scoped("on a terminal leaves ended units, output of failures, and the summary", () =>
    Effect.gen(function* () {
      const log = yield* TemporaryDirectory.file("gate.log")
      writeFileSync(log, "not ok \x1b[31m1\x1b[0m\n\x1b]0;title\x07not ok 2\n")
      const { code, out } = yield* follow({ isTerminal: true, columns: 60 }, log)
      const terminal = Emulator.make(60, 24)
      terminal.write(out)
      expect(code).toBe(1)
      expect(terminal.text()).toMatch(
        /^job 01ARZ3NDEKTSV4RRFFQ69G5FAV started\n3 units, 5 tasks for main, agent claude\n! words 2 /
      )
      expect(terminal.text()).toContain("\n│ not ok 1\n│ not ok 2\n✓ words  merged, commit 1a2b3c4d  0:20\n")
      expect(terminal.text()).toMatch(/\n\n✗ failed after 1 min 15 s {2}job\n {2}01A/)
    })
  )

  it.scoped("on a terminal shows live progress", () =>
    Effect.gen(function* () {
      const capture = Capture.make({ isTerminal: true, columns: 60 })
      const until = events(steps("/nowhere").filter(({ at }) => at <= 5))
      yield* TestClock.setTime(noon + 5_000)
      const fiber = yield* Follow.follow({
        events: Stream.concat(Stream.fromIterable(until), Stream.never),
        end: Effect.succeed(failed),
        json: false
      }).pipe(Effect.provide(services(capture)), Effect.fork)
      yield* TestClock.adjust("100 millis")
      const terminal = Emulator.make(60, 24)
      terminal.write(capture.out())
      expect(terminal.text()).toMatch(/\n {2}silk {3}1 Spin the spokes +gate {2}0:03\n/)
      yield* Fiber.interrupt(fiber)
      const after = Emulator.make(60, 24)
      after.write(capture.out())
      expect(after.text()).toBe(`job ${jobId} started\n3 units, 5 tasks for main, agent claude`)
    })
  )

  it.scoped("on a terminal shows the end of what a failed check has printed, as soon as it has failed", () =>
    Effect.gen(function* () {
      const log = yield* TemporaryDirectory.file("gate.log")
      writeFileSync(log, "not ok 1\nnot ok 2\n")
      const all = steps(log)
      const failure = all.findIndex(({ type }) => type === "task.gate.failed")
      const screenAfter = (count: number) =>
        Effect.gen(function* () {
          const capture = Capture.make({ isTerminal: true, columns: 60 })
          const isRead = yield* Deferred.make<void>()
          const rest = Stream.drain(Stream.fromEffect(Deferred.succeed(isRead, undefined)))
          yield* TestClock.setTime(noon + 12_000)
          const fiber = yield* Follow.follow({
            events: Stream.fromIterable(events(all.slice(0, count))).pipe(
              Stream.concat(rest),
              Stream.concat(Stream.never)
            ),
            end: Effect.succeed(failed),
            json: false
          }).pipe(Effect.provide(services(capture)), Effect.fork)
          yield* Deferred.await(isRead)
          yield* TestClock.adjust("100 millis")
          const terminal = Emulator.make(60, 24)
          terminal.write(capture.out())
          yield* Fiber.interrupt(fiber)
          return terminal.text()
        })
      expect(yield* screenAfter(failure)).not.toContain("not ok")
      expect(yield* screenAfter(failure + 1)).toContain("gate failed: ended with exit code 1\n│ not ok 1\n│ not ok 2\n")
    })
  )

  it.scoped("on a terminal shows as a bar what a job without tasks has reported last", () =>
    Effect.gen(function* () {
      const capture = Capture.make({ isTerminal: true, columns: 60 })
      yield* TestClock.setTime(noon + 5_000)
      let done = 0
      const fiber = yield* Follow.follow({
        events: Stream.concat(Stream.fromIterable(events([{ at: 0, type: "job.started" }])), Stream.never),
        end: Effect.succeed(failed),
        progress: Effect.suspend(() => {
          done += 1
          return done === 2 ? Effect.fail("the connection is lost") : Effect.succeed({ done, total: 4 })
        }),
        json: false
      }).pipe(Effect.provide(services(capture)), Effect.fork)
      const shown = (seconds: number) =>
        Effect.map(TestClock.adjust(`${seconds} seconds`), () => {
          const terminal = Emulator.make(60, 24)
          terminal.write(capture.out())
          return terminal.text()
        })
      expect(yield* shown(1.5)).toMatch(/─ {2}1\/4 {2}0:0\d$/)
      // A failed read leaves the bar as it is.
      expect(yield* shown(1)).toMatch(/─ {2}1\/4 {2}0:0\d$/)
      expect(yield* shown(1)).toMatch(/─ {2}3\/4 {2}0:0\d$/)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("exits with the code of the job", () =>
    Effect.gen(function* () {
      const codeOf = (status: RunStatus) => {
        const capture = Capture.make()
        const end = Effect.succeed({ run: run(status), work: allDone })
        return Follow.follow({ events: Stream.empty, end, json: true }).pipe(Effect.provide(services(capture)))
      }
      const statuses = ["completed", "failed", "cancelled", "interrupted"] as const
      expect(yield* Effect.forEach(statuses, codeOf)).toEqual([0, 1, 130, 130])
    })
  )

  it.effect("measures an interrupted job until its last event, however much later it is followed", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(noon + 3_600_000)
      const capture = Capture.make()
      yield* Follow.follow({
        events: Stream.fromIterable(
          events([
            { at: 0, type: "job.started" },
            { at: 21, type: "job.interrupted" }
          ])
        ),
        end: Effect.succeed({ run: run("interrupted"), work: allDone }),
        json: false
      }).pipe(Effect.provide(services(capture)))
      expect(capture.out()).toContain("\n! interrupted after 21 s  job ")
    })
  )

  it.effect("announces the stop on standard error", () =>
    Effect.gen(function* () {
      const leaving = yield* Deferred.make<void>()
      const capture = Capture.make()
      const last = yield* Deferred.make<void>()
      const fiber = yield* Follow.follow({
        events: Stream.concat(
          Stream.fromIterable(events([{ at: 0, type: "job.started" }])),
          Stream.fromEffect(Deferred.await(last)).pipe(Stream.drain)
        ),
        end: Effect.succeed({ run: run("interrupted"), work: allDone }),
        leaving: Deferred.await(leaving),
        json: false
      }).pipe(Effect.provide(services(capture)), Effect.fork)
      yield* Deferred.succeed(leaving, void 0)
      yield* Effect.yieldNow({ priority: 1 }).pipe(Effect.repeat({ until: () => capture.err() !== "" }))
      yield* Deferred.succeed(last, void 0)
      expect(yield* Fiber.join(fiber)).toBe(130)
      expect(capture.err()).toBe("stopping; press Ctrl-C again to kill what is still running\n")
      expect(capture.out()).toMatch(/continue with {2}charlotte resume 01A/)
    })
  )

  it.effect("ends when the reader closes the pipe", () =>
    Effect.gen(function* () {
      for (const options of [{}, { json: true }, { isTerminal: true }]) {
        const error = yield* Effect.flip(follow({ ...options, isClosed: true }))
        expect(error).toEqual(new OutputClosed())
      }
    })
  )
})
