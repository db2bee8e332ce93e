/** `charlotte pause` and `charlotte unpause`. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind } from "charlotte"
import { JobsApi, Server } from "charlotte/http"
import { TestManager } from "charlotte/testing"
import { Context, Effect, Layer, Schema } from "effect"
import * as Charlotte from "../process/Charlotte.js"
import * as Application from "./Application.js"
import * as CommandLine from "./CommandLine.js"

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({ title: Schema.String }) }) {}

describe("charlotte pause", () => {
  it.scopedLive("keeps jobs of an application's kind from beginning until charlotte unpause", () =>
    Effect.gen(function* () {
      const api = JobsApi.make([Report])
      const { run, services } = yield* Application.serve((socket) =>
        Layer.provideMerge(Server.layer({ listen: { socket }, drain: 200, api }), TestManager.layerOf(Report))
      )
      const { start } = Context.get(services, Report)
      expect(yield* run("pause", "report")).toEqual({
        code: 0,
        out: "✓ jobs of kind report are paused; let them begin again with: charlotte unpause report\n",
        err: ""
      })
      const id = yield* start({ title: "May" }, { whenFull: "queue" })
      expect((yield* run("show", id)).out).toContain("\n  waits    until its kind is unpaused\n")
      expect((yield* run("jobs", "--status", "pending", "--kind", "report")).out).toContain("paused")
      expect(yield* run("unpause", "report", "--json")).toEqual({
        code: 0,
        out: '{"kind":"report","paused":false}\n',
        err: ""
      })
      expect(yield* run("limit", "report", "3")).toEqual({
        code: 0,
        out: "✓ at most 3 jobs of kind report run at once\n",
        err: ""
      })
      expect((yield* run("limit", "report", "1")).out).toBe("✓ at most 1 job of kind report runs at once\n")
      expect((yield* run("limit", "report", "default", "--json")).out).toBe('{"kind":"report","limit":10}\n')
      expect(yield* run("limit", "report", "0")).toMatchObject({ code: 2 })
      expect(yield* run("pause", "invoice")).toMatchObject({
        code: 2,
        err: expect.stringContaining('this server has no jobs of kind "invoice"; it has report')
      })
    })
  )

  it.scopedLive("and charlotte reschedule act on jobs that wait", () =>
    Effect.gen(function* () {
      const api = JobsApi.make([Report])
      const { run, services } = yield* Application.serve((socket) =>
        Layer.provideMerge(Server.layer({ listen: { socket }, drain: 200, api }), TestManager.layerOf(Report))
      )
      const id = yield* Context.get(services, Report).start({ title: "May" }, { delay: "1 hour" })
      expect(yield* run("reschedule", id, "--priority", "5", "--at", "2100-01-01T08:00:00Z")).toEqual({
        code: 0,
        out: `✓ job ${id} is rescheduled; see what it waits for with: charlotte show ${id}\n`,
        err: ""
      })
      expect((yield* run("jobs", "--status", "pending", "--kind", "report", "--json")).out).toContain(
        '"startAt":"2100-01-01T08:00:00.000Z"'
      )
      expect(yield* run("reschedule", id)).toMatchObject({ code: 2, err: expect.stringContaining("nothing to change") })
      expect(yield* run("reschedule", id, "--now", "--at", "22:00")).toMatchObject({ code: 2 })
      expect(yield* run("reschedule", id, "--now")).toMatchObject({ code: 0 })
    })
  )

  it.scopedLive("works without a daemon, and a job is then refused, with the way out", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => ({}))
      const command = CommandLine.make({ ...world, variables: { CHARLOTTE_HOME: world.home } })
      const run = (...argv: ReadonlyArray<string>) => command(argv).answer
      expect(yield* run("pause", "tasks")).toMatchObject({ code: 0, err: "" })
      expect(yield* run("limit", "tasks", "3")).toMatchObject({ code: 69 })
      expect(yield* run("pause", "report")).toMatchObject({ code: 2, err: expect.stringContaining("it has tasks") })
      expect(yield* run("unpause", "tasks")).toEqual({ code: 0, out: "✓ jobs of kind tasks begin again\n", err: "" })
    })
  )
})
