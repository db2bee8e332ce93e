/** Commands that change records in a home whose daemon has been stopped. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { hostname, userInfo } from "node:os"
import * as CommandLine from "../commands/CommandLine.js"
import { tasks } from "../commands/Here.js"
import * as Charlotte from "../process/Charlotte.js"
import * as Daemon from "../process/Daemon.js"
import * as Tasks from "../process/Tasks.js"

describe("without a daemon", () => {
  it.scopedLive("stop and signal change one job, and begin none of those that wait", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(tasks)
      const command = CommandLine.make(world)
      const run = (...words: ReadonlyArray<string>) => command(words).answer
      const start = (branch: string, ...more: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          yield* world.git(world.repository, "branch", branch)
          const words = ["tasks/waiting", "--repo", world.repository, "--target", branch]
          return (yield* run("start", ...words, ...more)).out.trim()
        })
      yield* Daemon.up(world, { variables: { CHARLOTTE_MAX_JOBS: "1" } })
      const first = yield* start("one")
      yield* Tasks.reached(world)
      const second = yield* start("two", "--queue")
      const third = yield* start("three", "--queue")
      yield* Daemon.down(world)

      expect((yield* run("stop", second)).out).toMatch(new RegExp(`^✓ job ${second} cancelled after `))
      expect(yield* run("signal", third, "approve")).toEqual({
        code: 0,
        out: `· job ${third} keeps approve until it asks for it\n`,
        err: ""
      })
      const document = JSON.parse((yield* run("export", third)).out)
      const by = `${userInfo().username}@${hostname()}`
      expect(document.events).toContainEqual(
        expect.objectContaining({ type: "job.signalled", payload: { name: "approve", by, via: "library" } })
      )
      expect((yield* run("signal", second, "approve")).err).toContain(`job ${second} has ended: it is cancelled`)
      const statuses = Object.fromEntries(
        (yield* run("jobs")).out.split("\n").flatMap((line) => {
          const [id = "", status = ""] = line.split(/ +/)
          return id.length === 26 ? [[id, status]] : []
        })
      )
      expect(statuses).toEqual({ [first]: "interrupted", [second]: "cancelled", [third]: "pending" })

      const stopped = yield* run("stop", "--all")
      expect([stopped.code, stopped.err]).toEqual([0, ""])
      expect(stopped.out.split("\n").sort()).toEqual([
        "",
        expect.stringMatching(new RegExp(`^✓ job ${first} cancelled after `)),
        expect.stringMatching(new RegExp(`^✓ job ${third} cancelled after `))
      ])
      for (const id of [first, third]) expect((yield* run("show", id)).out).toMatch(/^! cancelled /)
      expect(yield* run("stop", "--all")).toEqual({ code: 0, out: "no jobs are running\n", err: "" })

      expect((yield* run("remove", first, "--yes")).out).toBe(`✓ job ${first} is removed\n`)
      expect((yield* run("remove", "--status", "cancelled", "--yes")).out).toBe("✓ 2 jobs removed\n")
      for (const id of [first, second, third]) expect((yield* run("show", id)).code).toBe(2)
      expect((yield* run("remove", "--kind", "email", "--status", "failed", "--yes")).err).toContain(
        'no jobs of kind "email"'
      )
    })
  )
})
