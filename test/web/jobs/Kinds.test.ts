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

/** Emails wait until the test lets them go; reports wait for ever. */
const kinds = Layer.mergeAll(
  Email.layer({
    run: ({ config: { to }, emit }) =>
      Effect.gen(function* () {
        yield* emit({ type: "email.queued", payload: { to } })
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
})
