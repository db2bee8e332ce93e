/** Jobs of an application's own kinds on the page. */
import { expect, layer } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { JobsApi } from "charlotte/http"
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import * as Server from "../../../src/tasks/http/Server.js"
import { send } from "../../http/requests.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String }),
  success: Schema.Struct({ messageId: Schema.String })
}) {}

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({ title: Schema.String }) }) {}

class Go extends Context.Tag("test/Go")<Go, Deferred.Deferred<void>>() {}

/** Emails wait until the test lets them go, or fail at `fail`; reports wait for ever. */
const kinds = Layer.mergeAll(
  Email.layer({
    run: ({ config: { to }, emit }) =>
      Effect.gen(function* () {
        yield* emit({ type: "email.queued", payload: { to } })
        if (to.endsWith("@fail")) return yield* Effect.fail("no such host")
        yield* Effect.flatMap(Go, Deferred.await)
        return { messageId: `m-${to}` }
      })
  }),
  Report.layer({ run: () => Effect.never })
).pipe(Layer.provideMerge(RunStore.layerMemory), Layer.provideMerge(Layer.effect(Go, Deferred.make<void>())))

const serve = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const socket = `${directory}/socket`
  const page = World.pageIn(directory)
  const served = Server.listen({ listen: { socket }, drain: 200, api: JobsApi.make([Email, Report]), page })
  const services = yield* Layer.build(Layer.provideMerge(served, kinds))
  const start = (kind: string, config: unknown) =>
    send(
      { socketPath: socket },
      {
        method: "POST",
        path: `/api/v1/kinds/${kind}/jobs`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ config })
      }
    )
  return { go: Deferred.succeed(Context.get(services, Go), undefined), socket, start }
})

layer(browser, { excludeTestServices: true })("jobs of several kinds", (it) => {
  it.scoped("are in one list, are filtered by kind, and have a view each with what their kind has", () =>
    Effect.gen(function* () {
      const { go, socket, start } = yield* serve
      const { page, problems } = yield* World.visit(World.openingOf(socket))
      yield* act(() => page.getByText("No jobs yet").waitFor())
      expect((yield* start("email", { to: "ada@example.com" })).status).toBe(201)
      expect((yield* start("report", { title: "May" })).status).toBe(201)
      const row = (text: string) => page.locator("tr[data-job]").filter({ hasText: text })
      yield* act(() => row("email").getByText("running").waitFor())
      yield* act(() => row("May").getByText("report").waitFor())
      yield* act(() => row("email").getByText("email.queued").waitFor())

      yield* act(() => page.getByLabel("Kind").fill("report"))
      yield* act(() => row("email").waitFor({ state: "detached" }))
      yield* act(() => row("May").waitFor())
      yield* act(() => page.getByLabel("Kind").fill("email"))
      yield* act(() => row("May").waitFor({ state: "detached" }))

      yield* act(() => row("email").getByRole("link").click())
      yield* act(() => page.getByRole("heading", { name: "email" }).waitFor())
      yield* act(() => page.getByRole("listbox", { name: "Events" }).getByText("email.queued").waitFor())
      yield* go
      yield* act(() => page.locator(".job-title").getByText("completed").waitFor())
      yield* act(() => page.getByRole("tab", { name: "Details" }).click())
      yield* act(() => page.getByRole("region", { name: "Details" }).getByText("m-ada@example.com").waitFor())
      // Those are of jobs of tasks.
      for (const name of ["Diff", "Retry"])
        expect(yield* act(() => page.locator(".actions").getByText(name).count())).toBe(0)
      expect(problems).toEqual([])
    })
  )

  it.scoped("are retried one by one, and all that a filter selects, and name the jobs that they retry", () =>
    Effect.gen(function* () {
      const { socket, start } = yield* serve
      for (const n of [1, 2, 3]) yield* start("email", { to: `${n}@fail` })
      const { page, problems } = yield* World.visit(World.openingOf(socket, "/jobs?status=failed"))
      const rows = page.locator("tr[data-job]")
      yield* act(() => rows.nth(2).waitFor())
      yield* act(() => rows.first().getByRole("link").click())
      yield* act(() => page.getByRole("button", { name: "Retry" }).click())
      const former = page.locator(".job-facts").getByText("retries").getByRole("link")
      yield* act(() => former.click())
      yield* act(() => page.locator(".job-facts").getByText("retried by").waitFor())
      yield* act(() => page.getByRole("button", { name: "Retry" }).waitFor({ state: "detached" }))

      yield* act(() => page.goto(new URL("/jobs?status=failed&retried=false", page.url()).href))
      yield* act(() => page.getByRole("link", { name: "not retried" }).waitFor())
      yield* act(() => rows.nth(2).waitFor())
      expect(yield* act(() => rows.count())).toBe(3)
      yield* act(() => page.getByRole("button", { name: "Retry all that match …" }).click())
      yield* act(() => page.getByRole("dialog").getByRole("button", { name: "Retry" }).click())
      yield* act(() => page.getByText("3 jobs retried").waitFor())
      expect(problems).toEqual([])
    })
  )
})
