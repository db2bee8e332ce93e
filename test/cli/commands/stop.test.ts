import { expect, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { StopReport } from "charlotte"
import { unknownId } from "../../support/jobs.js"
import * as Charlotte from "../process/Charlotte.js"
import { Here, layer as daemon, tasks } from "./Here.js"

const Report = Schema.parseJson(StopReport.StopReport)

/** Those of the agents that are at work. */
const agents = (world: Charlotte.World) => Charlotte.processes(world).filter((line) => !line.includes("daemon start"))

layer(daemon(tasks), { excludeTestServices: true, timeout: "5 minutes" })("charlotte stop", (it) => {
  it.scoped("returns when the job has ended and prints how", () =>
    Effect.gen(function* () {
      const here = yield* Here
      const { reached, run, submit } = here
      const id = yield* submit("waiting")
      yield* reached
      expect(agents(here)).not.toEqual([])
      expect(yield* run("stop", id)).toEqual({
        code: 0,
        out: expect.stringMatching(new RegExp(`^✓ job ${id} cancelled after [\\d.]+ m?s\\n$`)),
        err: ""
      })
      expect(agents(here)).toEqual([])
      expect((yield* run("stop", id)).out).toBe(`· job ${id} had already ended: cancelled\n`)
      const json = yield* run("stop", "latest", "--json")
      expect(Schema.decodeSync(Report)(json.out)).toMatchObject({
        jobId: id,
        mode: "alreadyEnded",
        status: "cancelled"
      })
      expect((yield* run("show", id)).out).toMatch(/^! cancelled after /)
    })
  )

  it.scoped("waits for the grace period and then kills remaining processes", () =>
    Effect.gen(function* () {
      const here = yield* Here
      const { fresh, reached, run, submit } = here
      yield* fresh
      const id = yield* submit("stubborn")
      yield* reached
      const { code, err, out } = yield* run("stop", id, "--grace", "100ms")
      expect([code, err]).toEqual([0, ""])
      expect(out).toMatch(
        new RegExp(
          `^! job ${id} cancelled after [\\d.]+ m?s; killed at the end of the grace period: .*(sh|sleep) \\(pid \\d+\\)\\n$`
        )
      )
      expect(agents(here)).toEqual([])
    })
  )

  it.scoped("--all stops running jobs concurrently, one line each, and leaves the others", () =>
    Effect.gen(function* () {
      const here = yield* Here
      const { complete, fresh, reached, run, submit } = here
      expect(yield* run("stop", "--all")).toEqual({ code: 0, out: "no jobs are running\n", err: "" })
      expect(yield* run("stop", "--all", "--json")).toEqual({ code: 0, out: "[]\n", err: "" })
      const good = yield* complete("good")
      yield* fresh
      const first = yield* submit("stubborn")
      yield* reached
      const second = yield* submit("waiting")
      const { code, err, out } = yield* run("stop", "--all", "--grace", "1s")
      expect([code, err]).toEqual([0, ""])
      const lines = out.trimEnd().split("\n").sort()
      expect(lines).toEqual([
        expect.stringMatching(
          new RegExp(
            `^! job ${first} cancelled after .*; killed at the end of the grace period: .*(sh|sleep) \\(pid \\d+\\)$`
          )
        ),
        expect.stringMatching(new RegExp(`^✓ job ${second} cancelled after `))
      ])
      expect(agents(here)).toEqual([])
      expect((yield* run("show", good)).out).toMatch(/^✓ completed in /)

      yield* fresh
      const third = yield* submit("waiting")
      yield* reached
      const all = yield* run("stop", "--all", "--json")
      expect(Schema.decodeSync(Schema.parseJson(Schema.Array(StopReport.StopReport)))(all.out)).toMatchObject([
        { jobId: third, mode: "graceful", status: "cancelled" }
      ])
    })
  )

  it.scoped("takes a grace period in words, as configuration files do", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      for (const text of ["5s", "500 ms", "1 second", "2 minutes", "24 hours"])
        expect(yield* run("stop", unknownId, "--grace", text)).toMatchObject({
          err: `charlotte: job ${unknownId} not found; list jobs with: charlotte jobs\n`
        })
    })
  )

  it.scoped("explains usage errors", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const help = "see: charlotte stop --help\n"
      const grace = (text: string) =>
        `charlotte: invalid value "${text}" for --grace: expected a duration of at most a day, such as 500ms, 5s or 2min; ${help}`
      const table: ReadonlyArray<readonly [words: ReadonlyArray<string>, err: string]> = [
        [[], `charlotte: missing argument <job>, or --all; ${help}`],
        [["latest", "--all"], `charlotte: give either a job or --all, not both; ${help}`],
        [["latest", "--grace", "-1"], grace("-1")],
        [["latest", "--grace", "5"], grace("5")],
        [["latest", "--grace", "25h"], grace("25h")],
        [["latest", "--grace", "1 day"], grace("1 day")],
        [["latest", "--grace", "soon\x1b[2J"], grace("soon")],
        [["latest", "--grace", ""], `charlotte: --grace needs a value: --grace TIME; ${help}`],
        [[unknownId], `charlotte: job ${unknownId} not found; list jobs with: charlotte jobs\n`]
      ]
      for (const [words, err] of table) expect(yield* run("stop", ...words)).toEqual({ code: 2, out: "", err })
    })
  )
})
