/** `charlotte subscribers`, and what `charlotte doctor` says of them. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore, Subscriber } from "charlotte"
import { Effect, Layer, Logger, LogLevel, Schema } from "effect"
import { poll } from "../../../src/internal/RealClock.js"
import { applicationHome } from "./applicationHome.js"

class Email extends JobKind.Tag<Email>()("email", { config: Schema.Struct({ to: Schema.String }) }) {}

/** The application: its subscriber `mails` fails on the start of a job for as long as that is so, and puts it aside at once. */
const application = (store: Layer.Layer<RunStore.RunStore, unknown>, isBroken: boolean) => {
  const mails = Subscriber.layer("mails", { kinds: [Email], from: "start", giveUp: 0 }, (received) =>
    isBroken && received._tag === "Event" && received.event.type === "job.started" ? Effect.fail("no") : Effect.void
  )
  const layer = Layer.merge(mails, Email.layer({ run: () => Effect.void, onEnd: () => Effect.void }))
  return Layer.provideMerge(layer, store)
}

const settled = (name: string, undelivered: number) =>
  Effect.flatMap(RunStore.RunStore, ({ subscribers }) =>
    poll(subscribers.list, {
      until: (all) =>
        all.every(({ behind }) => behind === 0) &&
        all.some((one) => one.name === name && one.undelivered.length === undelivered),
      pause: 5,
      atMost: "60 seconds"
    })
  )

describe("charlotte subscribers", () => {
  it.scopedLive("shows what was put aside, has it handled again, and removes a subscriber that no process runs", () =>
    Effect.gen(function* () {
      const { run, store } = yield* applicationHome
      // The application logs what it puts aside.
      yield* Effect.gen(function* () {
        const emails = yield* Email
        yield* emails.await(yield* emails.start({ to: "ada" }))
        yield* settled("mails", 1)
      }).pipe(Effect.provide(application(store, true)), Logger.withMinimumLogLevel(LogLevel.None))

      const listed = yield* run("subscribers", "list")
      expect(listed).toMatchObject({ code: 0, err: "" })
      expect(listed.out).toMatch(/^email\.on-end +email: job\.completed, job\.failed, job\.cancelled +0 +0 +0 +0 /m)
      expect(listed.out).toMatch(/^mails +email: all types +0 +0 +1 +0 /m)
      expect(listed.out).toMatch(/^put aside mails: job\.started of \w{26} \(event 1\): .*no/m)
      expect(listed.out).toContain("charlotte subscribers retry mails")
      const json = JSON.parse((yield* run("subscribers", "list", "--json")).out)
      expect(json).toMatchObject([{ name: "email.on-end" }, { name: "mails", aside: 1, undelivered: [{ cursor: 1 }] }])
      expect((yield* run("doctor")).out).toMatch(/mails has put 1 event aside/)

      expect((yield* run("subscribers", "retry", "mails")).out).toContain("1 event of mails is handled again")
      expect((yield* run("doctor")).out).toMatch(/the handler of mails fails on 1 event/)
      yield* Effect.provide(settled("mails", 0), application(store, false))
      expect((yield* run("doctor")).out).not.toContain("mails")
      expect((yield* run("subscribers", "retry", "mails")).out).toContain("no event of mails was put aside")

      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Layer.build(application(store, false))
          const { subscribers } = yield* Effect.provide(RunStore.RunStore, store)
          yield* poll(Effect.scoped(subscribers.tryLock("mails")), {
            until: ({ _tag }) => _tag === "None",
            pause: 5,
            atMost: "60 seconds"
          })
          const refused = yield* run("subscribers", "remove", "mails")
          expect(refused.code).toBe(75)
          expect(refused.err).toContain('a process runs the subscriber "mails"')
        })
      )
      expect((yield* run("subscribers", "remove", "mails", "--json")).out).toContain('"removed":true')
      const unknown = yield* run("subscribers", "remove", "mails")
      expect(unknown).toMatchObject({ code: 2 })
      expect(unknown.err).toContain('no subscriber "mails"; list them with: charlotte subscribers list')
    })
  )

  it.scopedLive("says that there is none", () =>
    Effect.gen(function* () {
      const { run } = yield* applicationHome
      expect(yield* run("subscribers", "list")).toMatchObject({ code: 0, out: "no subscribers\n" })
      expect((yield* run("subscribers", "list", "--json")).out).toBe("[]\n")
    })
  )
})
