/** Commands in a home that an application holds, with kinds of jobs of its own. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { JobsApi, Server } from "charlotte/http"
import { Step, TestManager } from "charlotte/testing"
import { Context, Effect, Layer, Schema } from "effect"
import * as Application from "./Application.js"

class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String }),
  success: Schema.Struct({ messageId: Schema.String })
}) {}

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({ title: Schema.String }) }) {}

const kinds = Layer.merge(
  TestManager.layerOf(Email, { script: () => [Step.emit({ type: "email.sent" }), Step.succeed({ messageId: "m1" })] }),
  TestManager.layerOf(Report)
)

const make = Effect.gen(function* () {
  const api = JobsApi.make([Email, Report])
  const { run, services } = yield* Application.serve((socket) =>
    Layer.provideMerge(Server.layer({ listen: { socket }, drain: 200, api }), kinds)
  )
  const email = yield* Context.get(services, Email).start({ to: "ada@example.com" })
  yield* Context.get(services, Email).await(email)
  const report = yield* Context.get(services, Report).start({ title: "May" })
  return { run, services, email, report }
})

const ids = (out: string) => [...out.matchAll(/^(\w{26})/gm)].map(([, id]) => id)

describe("commands on jobs of several kinds", () => {
  it.scopedLive("jobs lists all of them with their kinds, and those of one with --kind", () =>
    Effect.gen(function* () {
      const { email, report, run } = yield* make
      const all = yield* run("jobs", "--all")
      expect([all.code, ids(all.out).sort()]).toEqual([0, [email, report].sort()])
      expect(all.out).toMatch(/^JOB +STATUS +KIND /)
      expect(all.out).toMatch(new RegExp(`^${report} +running +report `, "m"))
      expect(ids((yield* run("jobs", "--kind", "email")).out)).toEqual([email])
      expect(yield* run("jobs", "--kind", "email", "--status", "failed")).toMatchObject({
        code: 0,
        err: "no matching jobs\n"
      })
      const unknown = yield* run("jobs", "--kind", "invoice")
      expect(unknown).toMatchObject({ code: 2, out: "" })
      expect(unknown.err).toContain('this server has no jobs of kind "invoice"; it has email, report')
    })
  )

  it.scopedLive("show says its kind, its configuration and its result", () =>
    Effect.gen(function* () {
      const { email, run } = yield* make
      const { code, out } = yield* run("show", email)
      expect(code).toBe(0)
      expect(out).toMatch(/kind +email\n/)
      expect(out).toMatch(/config +\{"to":"ada@example.com"\}\n/)
      expect(out).toMatch(/result +\{"messageId":"m1"\}\n/)
    })
  )

  it.scopedLive("watch follows one to its end, and its exit code mirrors the job", () =>
    Effect.gen(function* () {
      const { email, report, run, services } = yield* make
      expect(yield* run("watch", email)).toMatchObject({ code: 0, out: expect.stringContaining("completed in") })
      yield* Context.get(services, Report).stop(report)
      const cancelled = yield* run("watch", report)
      expect(cancelled.code).toBe(130)
      expect(cancelled.out).toContain(`continue with  charlotte retry ${report}`)
    })
  )

  it.scopedLive("retry follows the retry of one, queues those of several, and those that filters select", () =>
    Effect.gen(function* () {
      const { email, report, run, services } = yield* make
      const reports = Context.get(services, Report)
      expect(yield* run("retry", report)).toMatchObject({
        code: 2,
        err: `charlotte: job ${report} cannot be retried: it is running; watch it with: charlotte watch ${report}\n`
      })
      yield* reports.stop(report)
      const june = yield* reports.start({ title: "June" })
      yield* reports.stop(june)
      const retried = ids((yield* run("jobs", "--kind", "report", "--retried", "no")).out)
      expect(retried).toEqual([june, report])

      const several = yield* run("retry", report, june, email)
      expect(several.code).toBe(1)
      const lines = several.out.trimEnd().split("\n")
      expect(lines[0]).toMatch(new RegExp(`^✓ job ${report} is retried as \\w{26}$`))
      expect(lines[1]).toMatch(new RegExp(`^✓ job ${june} is retried as \\w{26}$`))
      expect(lines[2]).toBe(`✗ job ${email} cannot be retried: it is completed, and is done once more only with again`)
      const [retry = ""] = /\w{26}$/.exec(lines[0] ?? "") ?? []
      expect((yield* run("show", report)).out).toMatch(new RegExp(`retried +as ${retry}\n`))
      expect((yield* run("show", report)).out).not.toContain("charlotte retry")
      expect((yield* run("show", retry)).out).toMatch(new RegExp(`retry of +${report}\n`))
      expect(ids((yield* run("jobs", "--status", "cancelled", "--retried", "no", "--all")).out)).toEqual([])

      const again = yield* run("retry", email, "--again", "--json")
      expect([again.code, again.err]).toEqual([0, ""])
      expect(again.out).toContain('"job.completed"')

      yield* run("stop", "--all")
      const matching = yield* run("retry", "--kind", "report", "--status", "cancelled", "--json")
      expect([matching.code, JSON.parse(matching.out)]).toEqual([0, { retried: 2, refused: 0 }])
      expect((yield* run("retry", "--kind", "report", "--status", "cancelled")).out).toBe("· 0 jobs retried\n")
      for (const argv of [["retry"], ["retry", email, "--status", "failed"], ["retry", email, report, "--unit", "a"]])
        expect((yield* run(...argv)).code).toBe(2)
      expect((yield* run("retry", report, "--target", "main")).err).toContain("are for jobs of tasks")
      expect((yield* run("retry", "--kind", "report")).err).toContain("it is not said which jobs to retry")
    })
  )

  it.scopedLive("stop stops one, and with --all those of all kinds", () =>
    Effect.gen(function* () {
      const { report, run, services } = yield* make
      const other = yield* Context.get(services, Report).start({ title: "June" })
      expect(yield* run("stop", report)).toMatchObject({
        code: 0,
        out: expect.stringContaining(`job ${report} cancelled`)
      })
      expect(yield* run("stop", "--all")).toMatchObject({
        code: 0,
        out: expect.stringContaining(`job ${other} cancelled`)
      })
      expect(yield* Context.get(services, Report).activeCount).toBe(0)
    })
  )

  it.scopedLive("stop --all exits with 1 where a job has not ended in time, and names it", () =>
    Effect.gen(function* () {
      const mayEnd = yield* Effect.makeLatch()
      yield* Effect.addFinalizer(() => mayEnd.open)
      const run = ({ config: { title } }: { readonly config: { readonly title: string } }) =>
        title === "stubborn" ? Effect.uninterruptible(mayEnd.await) : Effect.never
      const jobs = Report.layer({ run, stopGrace: 0 }).pipe(Layer.provideMerge(RunStore.layerMemory))
      const { run: command, services } = yield* Application.serve((socket) =>
        Layer.provideMerge(Server.layer({ listen: { socket }, drain: 200, api: JobsApi.make([Report]) }), jobs)
      )
      const { activeCount, start } = Context.get(services, Report)
      for (const words of [["--all"], ["--all", "--grace", "0s"]]) {
        const stubborn = yield* start({ title: "stubborn" })
        const other = yield* start({ title: "other" })
        const { code, err, out } = yield* command("stop", ...words)
        expect([code, err]).toEqual([1, ""])
        expect(out).toMatch(new RegExp(`^✗ job ${stubborn} did not end within .* and is still stopping$`, "m"))
        expect(out).toMatch(new RegExp(`^✓ job ${other} cancelled after `, "m"))
        yield* mayEnd.open
        yield* Context.get(services, Report).await(stubborn)
        yield* mayEnd.close
        expect(yield* activeCount).toBe(0)
      }
    })
  )
})
