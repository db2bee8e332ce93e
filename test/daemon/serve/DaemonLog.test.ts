/** What a daemon logs, and how it stands in the file. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Layer, Logger } from "effect"
import { mkdirSync, readFileSync, rmSync, rmdirSync } from "node:fs"
import * as Redaction from "../../../src/internal/Redaction.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as DaemonLog from "../../../src/daemon/serve/DaemonLog.js"
import { Secrets } from "../../../src/daemon/home/Secrets.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const secret = 'pass/"word\\123'

const secrets = Layer.succeed(Secrets, Redaction.growing([secret]))

/** Runs it in a home, and gives the lines of the log, with what people were shown. */
const logged = (use: (file: string) => Effect.Effect<unknown, never, Secrets>) =>
  Effect.gen(function* () {
    const home = yield* TemporaryDirectory.make
    const shown: Array<string> = []
    const file = `${home}/logs/daemon.log`
    yield* use(file).pipe(
      DaemonLog.to({ show: (line) => shown.push(line) }),
      Effect.provide(Layer.merge(secrets, Layer.provide(Home.layerAt(home), NodeContext.layer)))
    )
    const text = readFileSync(file, "utf8")
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line))
    return { lines, shown, text }
  })

describe("the log of a daemon", () => {
  it.scoped("holds a JSON object per line: time, level, message and fields", () =>
    Effect.gen(function* () {
      const { lines, shown } = yield* logged(() =>
        Effect.gen(function* () {
          yield* Effect.annotateLogs(Effect.logInfo("job.started"), { jobId: "01J", at: "never" })
          yield* Effect.logWarning("two\nlines", { of: 2n })
          yield* Effect.logError("it failed", Cause.fail(new Error("because")))
        })
      )
      expect(lines).toEqual([
        { at: "1970-01-01T00:00:00.000Z", level: "INFO", message: "job.started", jobId: "01J" },
        { at: "1970-01-01T00:00:00.000Z", level: "WARN", message: 'two\nlines {"of":"2"}' },
        {
          at: "1970-01-01T00:00:00.000Z",
          level: "ERROR",
          message: "it failed",
          cause: expect.stringContaining("Error: because")
        }
      ])
      expect(shown[1]).toBe('1970-01-01T00:00:00.000Z WARN  two\nlines {"of":"2"}')
      expect(shown[2]).toMatch(/^1970-01-01T00:00:00\.000Z ERROR it failed\nError: because\n {4}at /)
    })
  )

  it.scoped("receives everything that is logged, and is the only logger", () =>
    Effect.gen(function* () {
      const elsewhere: Array<unknown> = []
      const other = Logger.make(({ message }) => void elsewhere.push(message))
      const resists = {
        toJSON: () => {
          throw new Error("no")
        }
      }
      const circle: { self?: unknown } = {}
      circle.self = circle
      const { lines } = yield* logged(() => Effect.logInfo("odd", resists, circle, undefined, Symbol("s"))).pipe(
        Effect.provide(Logger.add(other))
      )
      expect(lines).toMatchObject([{ message: 'odd "[object Object]" {"self":"[circular]"} null "Symbol(s)"' }])
      expect(elsewhere).toEqual([])
    })
  )

  it.scoped(
    "holds no secret, in whatever part of a line it is, also one that was learned after the log was begun",
    () =>
      Effect.gen(function* () {
        const later = "learned-afterwards"
        const { shown, text } = yield* logged(() =>
          Effect.gen(function* () {
            const { learn } = yield* Secrets
            yield* Effect.logInfo(`before ${secret}`, { nested: [secret] })
            learn(later)
            yield* Effect.logError(later, Cause.die(new Error(secret))).pipe(Effect.annotateLogs({ [later]: secret }))
          })
        )
        for (const told of [text, shown.join("\n")]) {
          expect(told).toContain("[redacted]")
          for (const hidden of [secret, JSON.stringify(secret).slice(1, -1), later]) expect(told).not.toContain(hidden)
        }
      })
  )

  it.scoped("loses lines while it cannot be written, and reports how many", () =>
    Effect.gen(function* () {
      const { lines, shown } = yield* logged((file) =>
        Effect.gen(function* () {
          yield* Effect.logInfo("first")
          rmSync(file)
          mkdirSync(file)
          yield* Effect.logInfo("second")
          yield* Effect.logInfo("third")
          rmdirSync(file)
          yield* Effect.logInfo("fourth")
          yield* Effect.logInfo("fifth")
        })
      )
      expect(lines).toMatchObject([
        { level: "WARN", message: expect.stringMatching(/^2 lines could not be written here: EISDIR/) },
        { message: "fourth" },
        { message: "fifth" }
      ])
      expect(shown).toHaveLength(5)
    })
  )
})
