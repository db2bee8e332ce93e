/** Commands in a home that an application holds, with kinds of jobs of its own. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { JobsApi, Server } from "charlotte/http"
import { Step, TestManager } from "charlotte/testing"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Confirmation } from "../../../src/cli/terminal/Confirmation.js"
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

  it.scopedLive("remove removes the jobs that it names or that filters select, and asks once", () =>
    Effect.gen(function* () {
      const { email, report, run, services } = yield* make
      const reports = Context.get(services, Report)
      const asked = yield* run("remove", email)
      expect([asked.code, asked.err]).toEqual([2, expect.stringContaining("add --yes")])
      const questions: Array<string> = []
      const refusing = Effect.provideService(Confirmation, (question) =>
        Effect.sync(() => (questions.push(question), Option.some(false)))
      )
      const refused = { code: 0, out: "nothing was removed\n", err: "" }
      expect(yield* refusing(run("remove", email))).toEqual(refused)
      expect(yield* refusing(run("remove", "--kind", "email", "--status", "completed"))).toEqual(refused)
      expect(questions).toEqual([
        `Remove job ${email}, and all that is recorded of it?`,
        "Remove 1 job of kind email, and all that is recorded of them?"
      ])
      expect((yield* run("show", email)).code).toBe(0)
      expect(yield* run("remove", report, "--yes")).toEqual({
        code: 2,
        out: "",
        err: `charlotte: job ${report} cannot be removed: it is not over; stop and remove it with: charlotte remove ${report} --stop\n`
      })
      yield* run("pin", email)
      expect((yield* run("remove", email, "--yes")).err).toContain(`charlotte remove ${email} --pinned`)
      const several = yield* run("remove", email, report, "--yes", "--stop")
      expect([several.code, several.out.split("\n")]).toEqual([
        1,
        [`✗ job ${email} cannot be removed: it is pinned`, `✓ job ${report} is removed`, ""]
      ])
      const removed = yield* run("remove", email, "--yes", "--pinned", "--json")
      expect([removed.code, JSON.parse(removed.out)]).toEqual([0, { id: email, removed: true }])
      // To remove it again changes nothing.
      expect(yield* run("remove", email, "--yes")).toMatchObject({ code: 0, out: `✓ job ${email} is removed\n` })
      expect((yield* run("show", email)).code).toBe(2)

      const ids = yield* Effect.forEach(["May", "June", "July"], (title) => reports.start({ title }))
      yield* Effect.forEach(ids, (id) => reports.stop(id))
      const filters = ["--kind", "report", "--status", "cancelled"]
      expect((yield* run("remove", ...filters, "--search", "June", "--yes")).out).toBe("✓ 1 job removed\n")
      expect((yield* run("remove", ...filters)).err).toContain("add --yes")
      expect((yield* run("remove", "--kind", "report", "--label", "team=web")).out).toBe("· 0 jobs removed\n")
      yield* run("pin", ...ids.slice(2))
      const matching = yield* run("remove", ...filters, "--yes")
      expect([matching.code, matching.out.split("\n")]).toEqual([
        1,
        ["✓ 1 job removed", `✗ 1 job refused: job ${ids[2]} cannot be removed: it is pinned`, ""]
      ])
      const pinned = yield* run("remove", ...filters, "--yes", "--pinned", "--json")
      expect([pinned.code, JSON.parse(pinned.out)]).toEqual([0, { removed: 1, refused: 0 }])
      for (const argv of [
        ["remove"],
        ["remove", email, "--status", "failed"],
        ["remove", ...filters, "--stop", "--yes"]
      ])
        expect((yield* run(...argv)).code).toBe(2)
      expect((yield* run("remove", "--kind", "report", "--yes")).err).toContain("it is not said which jobs to remove")
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
