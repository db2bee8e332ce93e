/** `charlotte schedules`, and what `charlotte doctor` says of them. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { DateTime, Effect, Layer, Schema } from "effect"
import { applicationHome } from "./applicationHome.js"

class Email extends JobKind.Tag<Email>()("email", { config: Schema.Struct({ to: Schema.String }) }) {}

/** The application: it has registered its schedule, and is not running any more. */
const registered = (name: string, config = { to: "ada" }) =>
  Email.schedule(name, { cron: "0 2 29 2 *", timeZone: "Europe/Berlin", config }).pipe(
    Layer.provide(Email.layer({ run: () => Effect.void }))
  )

describe("charlotte schedules", () => {
  it.scopedLive("lists, pauses, unpauses and removes a schedule in the database, and names it to doctor", () =>
    Effect.gen(function* () {
      const { run, store } = yield* applicationHome
      expect((yield* run("schedules", "list")).out).toContain("no schedules")
      yield* Effect.void.pipe(Effect.provide(Layer.provideMerge(registered("leap"), store)))

      const listed = yield* run("schedules", "list")
      expect(listed.out).toMatch(/email +leap +0 2 29 2 \* Europe\/Berlin +\d{4}-02-29 02:00, no process +- +0/)
      expect(JSON.parse((yield* run("schedules", "list", "--json")).out)).toMatchObject([
        { kind: "email", name: "leap", isLive: false, overlap: "skip" }
      ])

      expect((yield* run("schedules", "pause", "leap")).out).toContain("the schedule leap is paused")
      expect((yield* run("schedules", "list")).out).toContain("paused")
      expect((yield* run("doctor")).out).toContain("the schedule email/leap is paused")
      yield* run("schedules", "unpause", "email/leap")
      yield* Effect.flatMap(RunStore.RunStore, ({ schedules }) =>
        Effect.flatMap(schedules.list, ([leap]) =>
          schedules.tick({
            kind: "email",
            name: "leap",
            definition: JSON.stringify({
              cron: "0 2 29 2 *",
              timeZone: "Europe/Berlin",
              missed: "once",
              overlap: "skip",
              config: { to: "ada" }
            }),
            tick: DateTime.add(leap?.since ?? DateTime.unsafeMake(0), { seconds: 1 }),
            run: "it is a test",
            skipsOverlap: true
          })
        )
      ).pipe(Effect.provide(store))
      expect((yield* run("schedules", "list")).out).toMatch(/skipped leap at .* UTC: it is a test/)
      expect((yield* run("doctor")).out).toContain("has started no job: it is a test")

      const refused = yield* run("schedules", "run", "leap")
      expect(refused.err).toContain("charlotte daemon start")
      expect((yield* run("schedules", "pause", "lap")).err).toContain('no schedule "lap"; there are email/leap')
      expect((yield* run("schedules", "remove", "leap")).out).toContain("the schedule leap is removed")
      expect((yield* run("schedules", "remove", "leap")).err).toContain('no schedule "leap"')
    })
  )
})
