/** Open streams of the page of an application, whose visitors may lose what they had when they opened them. */
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Scope, Stream, TestClock } from "effect"
import { Agent, type IncomingMessage, request } from "node:http"
import * as eventSource from "../../eventSource.js"
import { make, People } from "../../mounted.js"
import * as requests from "../../requests.js"

const ada = { by: "ada", can: "act", tenant: "acme" } as const

describe("an open stream of events", () => {
  const changes: ReadonlyArray<readonly [string, (people: Context.Tag.Service<People>) => unknown]> = [
    ["the session has ended", (people) => people.delete("ada")],
    ["its visitor has other rights", (people) => people.set("ada", { ...ada, can: "read" })],
    ["its visitor sees other jobs", (people) => people.set("ada", { ...ada, tenant: "bolt" })],
    ["the browser belongs to another person", (people) => people.set("ada", { ...ada, by: "eve" })]
  ]
  for (const [title, change] of changes) {
    it.scoped(`ends within a minute after ${title}`, () =>
      Effect.gen(function* () {
        const { services, where } = yield* make({ isScoped: true, heartbeat: "10 seconds" })
        const people = Context.get(services, People)
        const headers = { cookie: "session=ada" }
        const response = yield* requests.open(where, { path: "/jobs/api/v1/events?after=0", headers })
        const reading = yield* Effect.fork(Stream.runDrain(eventSource.frames(response)))
        const minutes = (n: number) =>
          Effect.repeatN(
            Effect.zipRight(
              TestClock.adjust("1 minute"),
              Effect.promise(() => new Promise(setImmediate))
            ),
            n
          )
        yield* minutes(20)
        expect(yield* Fiber.poll(reading)).toMatchObject({ _tag: "None" })
        change(people)
        yield* Effect.repeat(minutes(1), {
          until: () => Effect.map(Fiber.poll(reading), ({ _tag }) => _tag === "Some")
        })
        expect(response.complete).toBe(true)
      })
    )
  }

  it.scopedLive("ends when the application closes, and does not keep it from closing", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { where } = yield* Scope.extend(make(), scope)
      const agent = new Agent({ keepAlive: true })
      yield* Effect.addFinalizer(() => Effect.sync(() => agent.destroy()))
      const get = Effect.async<IncomingMessage, Error>((resume) => {
        const headers = { cookie: "session=ada" }
        request({ host: "127.0.0.1", ...where, agent, path: "/jobs/api/v1/events?after=0", headers })
          .once("response", (response) => resume(Effect.succeed(response)))
          .once("error", (error) => resume(Effect.fail(error)))
          .end()
      })
      const response = yield* get
      // As a page does, it asks again at once, on the same connection.
      const again = yield* Effect.fork(Effect.exit(Effect.zipRight(Stream.runDrain(eventSource.frames(response)), get)))
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(again)
      expect(response.complete).toBe(true)
    })
  )
})
