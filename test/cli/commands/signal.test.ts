import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { JobsApi, Server } from "charlotte/http"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { unknownId } from "../../support/jobs.js"
import * as Application from "./Application.js"

class Release extends JobKind.Tag<Release>()("release", {
  config: Schema.Struct({ version: Schema.String }),
  signals: { approve: Schema.Struct({ by: Schema.String }), note: Schema.Unknown }
}) {}

/** Parks for an approval, and ends with who gave it. */
const releases = Release.layer({
  run: (job) =>
    Effect.gen(function* () {
      const approval = yield* job.signal("approve")
      if (Option.isSome(approval)) return approval.value.by
      return yield* job.park({ reason: "needs an approval", signal: "approve" })
    })
}).pipe(Layer.provideMerge(RunStore.layerMemory))

const make = Effect.gen(function* () {
  const api = JobsApi.make([Release])
  const { run, services } = yield* Application.serve((socket) =>
    Layer.provideMerge(Server.layer({ listen: { socket }, drain: 200, api }), releases)
  )
  const manager = Context.get(services, Release)
  const store = Context.get(services, RunStore.RunStore)
  const id = yield* manager.start({ version: "1.0.0" })
  const parked = Effect.gen(function* () {
    const changes = yield* store.changes(id)
    for (;;) {
      const version = yield* changes.version
      if (Option.exists(yield* store.get(id), ({ status }) => status === "parked")) return
      yield* changes.changed(version)
    }
  }).pipe(Effect.scoped)
  yield* parked
  return { run, manager, id }
})

const decode = Schema.decodeUnknown(Schema.parseJson(Schema.Struct({ attempt: Schema.Int })))

const record = (run: (...argv: ReadonlyArray<string>) => Effect.Effect<{ readonly out: string }>, id: string) =>
  Effect.flatMap(run("show", id, "--json"), ({ out }) => Effect.orDie(decode(out)))

describe("charlotte signal", () => {
  it.scopedLive("wakes a job that has parked for it, with what it carries", () =>
    Effect.gen(function* () {
      const { id, manager, run } = yield* make
      expect(yield* run("signal", id, "note", '"soon"')).toEqual({
        code: 0,
        out: `· job ${id} keeps note until it asks for it\n`,
        err: ""
      })
      expect(yield* run("signal", id.slice(-6).toLowerCase(), "approve", '{"by": "Ada"}')).toEqual({
        code: 0,
        out: `✓ job ${id} is woken by approve\n`,
        err: ""
      })
      expect(yield* manager.await(id)).toMatchObject({ status: "completed", result: "Ada", attempt: 2 })
      expect(yield* run("signal", id, "approve", '{"by": "Ada"}')).toEqual({
        code: 2,
        out: "",
        err: `charlotte: job ${id} has ended: it is completed; see its result with: charlotte show ${id}\n`
      })
    })
  )

  it.scopedLive("is what show names for a parked job, which resume wakes as well", () =>
    Effect.gen(function* () {
      const { id, manager, run } = yield* make
      expect((yield* run("jobs", "--kind", "release")).out).toMatch(
        new RegExp(`^${id} {2}parked {2}release {2}signal approve `, "m")
      )
      const { out } = yield* run("show", id)
      expect(out).toMatch(/^· parked {2}job /)
      expect(out).toContain("\n  waits    for the signal approve\n  reason   needs an approval\n")
      expect(out).toMatch(
        new RegExp(
          `\n  send it with    charlotte signal ${id} approve\n  resume it with  charlotte resume ${id}\n  stop it with    charlotte stop ${id}\n$`
        )
      )
      // It parks once more, for the approval that has not come.
      const resumed = run("resume", id)
      const approved = Effect.zipRight(
        Effect.iterate(1, {
          while: (attempt) => attempt < 2,
          body: () =>
            Effect.zipRight(
              Effect.sleep("10 millis"),
              Effect.map(record(run, id), ({ attempt }) => attempt)
            )
        }),
        manager.signal(id, "approve", { by: "Ada" })
      )
      const [followed] = yield* Effect.all([resumed, approved], { concurrency: 2 })
      expect(followed.code).toBe(0)
      expect(followed.out).toMatch(
        / parked for the signal approve: needs an approval\n[^]* resumed \(attempt \d\)\n[^]*✓ completed in /
      )
      expect((yield* run("resume", id)).err).toContain("it is completed; see its result with")
    })
  )

  it.scopedLive("prints what it did as JSON with --json", () =>
    Effect.gen(function* () {
      const { id, run } = yield* make
      const { code, err, out } = yield* run("signal", "latest", "note", "--json")
      expect([code, err, JSON.parse(out)]).toEqual([0, "", { id, signal: "note", wakes: false }])
      expect(JSON.parse((yield* run("signal", "latest", "approve", '{"by":"Ada"}', "--json")).out)).toEqual({
        id,
        signal: "approve",
        wakes: true
      })
    })
  )

  it.scopedLive("explains what a job does not take, and changes nothing then", () =>
    Effect.gen(function* () {
      const { id, manager, run } = yield* make
      const table: ReadonlyArray<readonly [words: ReadonlyArray<string>, err: string]> = [
        [[], "missing argument <job>; see: charlotte signal --help"],
        [[id], "missing argument <name>; see: charlotte signal --help"],
        [[id, "approve", "yes"], `"yes" is not JSON; text needs quotes of its own: '"a text"'`],
        [[id, "approve"], 'invalid signal "approve": payload: Expected { readonly by: string }, actual undefined'],
        [[id, "approve", "{}"], 'invalid signal "approve": payload.by: is missing'],
        [[id, "reject"], 'invalid signal "reject": this kind of job takes the signals approve, note'],
        [[id, "a name"], 'invalid signal "a name": a name is 1 to 64 letters, digits, dots, hyphens and underscores'],
        [[unknownId, "approve", '{"by": "Ada"}'], `job ${unknownId} not found; list jobs with: charlotte jobs`]
      ]
      for (const [words, err] of table) {
        expect(yield* run("signal", ...words)).toEqual({ code: 2, out: "", err: `charlotte: ${err}\n` })
      }
      expect((yield* manager.stop(id)).status).toBe("cancelled")
    })
  )
})
