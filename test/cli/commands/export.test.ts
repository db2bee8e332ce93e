import { describe, expect, it, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Export } from "../../../src/http/contract/Export.js"
import { unknownId } from "../../support/jobs.js"
import * as Charlotte from "../process/Charlotte.js"
import * as Daemon from "../process/Daemon.js"
import * as CommandLine from "./CommandLine.js"
import { Here, layer as daemon, tasks } from "./Here.js"

const decode = Schema.decode(Schema.parseJson(Export))

layer(daemon(tasks), { excludeTestServices: true, timeout: "5 minutes" })("charlotte export", (it) => {
  it.scoped("prints all that is recorded of a job but its logs", () =>
    Effect.gen(function* () {
      const here = yield* Here
      const id = yield* here.complete("good", "--label", "team=web")
      const online = yield* here.run("export", id)
      expect([online.code, online.err]).toEqual([0, ""])
      const document = yield* decode(online.out)
      expect(document).toMatchObject({
        charlotte: 1,
        run: { id, status: "completed", labels: { team: "web" } },
        units: [{ unit: "a", state: "merged" }],
        tasks: [{ unit: "a", task: 1, state: "completed" }],
        signals: []
      })
      expect(document).not.toHaveProperty("complete")
      expect(document.events.map(({ seq }) => seq)).toEqual(document.events.map((_, i) => i + 1))
      expect(document.events.at(-1)?.type).toBe("job.completed")
      expect(yield* here.run("export", "latest", "--json")).toEqual(online)
    })
  )

  it.scoped("prints a job that is not over as it stands", () =>
    Effect.gen(function* () {
      const { reached, release, run, submit } = yield* Here
      const id = yield* submit("waiting")
      yield* reached
      const { code, out } = yield* run("export", id)
      expect(code).toBe(0)
      const document = yield* decode(out)
      expect(document).toMatchObject({ complete: false, run: { id, status: "running" } })
      expect(document.tasks.map(({ state }) => state)).toEqual(["completed", "running", "pending"])
      yield* release
      expect((yield* run("watch", id)).code).toBe(0)
      expect((yield* run("export", id)).out).not.toContain('"complete":')
    })
  )

  it.scoped("explains what it cannot export", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const failing = (err: string) => ({ code: 2, out: "", err: `charlotte: ${err}\n` })
      expect(yield* run("export", unknownId)).toEqual(
        failing(`job ${unknownId} not found; list jobs with: charlotte jobs`)
      )
      expect(yield* run("export", "!")).toEqual(
        failing('no job matches "!"; use a job id, a unique prefix or suffix of it (4+ characters), or "latest"')
      )
      expect(yield* run("export")).toEqual(failing("missing argument <job>; see: charlotte export --help"))
    })
  )

  it.scoped("ends without a word where its reader is gone", () =>
    Effect.gen(function* () {
      const here = yield* Here
      expect(yield* CommandLine.make(here)(["export", "latest"], { isClosed: true }).answer).toEqual({
        code: 141,
        out: "",
        err: ""
      })
    })
  )
})

describe("charlotte export without a daemon", () => {
  it.scopedLive(
    "prints what a daemon did, and jobs are searched there, too",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(tasks)
        const run = (...argv: ReadonlyArray<string>) => CommandLine.make(world)(argv).answer
        yield* Daemon.up(world)
        const where = ["--repo", world.repository, "--target", "main"]
        const id = (yield* run("start", "tasks/good", ...where)).out.trim()
        yield* run("watch", id)
        const online = yield* run("export", id)
        yield* Daemon.down(world)
        expect(yield* run("export", id)).toEqual(online)
        expect(yield* decode(online.out)).toMatchObject({ run: { id, status: "completed" } })
        for (const text of ["good wor", "TASKS/GOOD"]) {
          expect((yield* run("jobs", "--all", "--search", text)).out).toContain(id)
        }
        expect((yield* run("export", unknownId)).code).toBe(2)
      }),
    300_000
  )
})
