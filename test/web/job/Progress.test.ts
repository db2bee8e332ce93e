/** The progress that a job of an application's own kind reports, in the list and on its page. */
import { expect, layer } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { JobsApi } from "charlotte/http"
import { Context, Effect, Layer, Mailbox, Schema } from "effect"
import type { ReportedProgress } from "../../../src/manager/Orchestrator.js"
import * as Server from "../../../src/tasks/http/Server.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

class Import extends JobKind.Tag<Import>()("import", { config: Schema.Struct({}) }) {}

class Reports extends Context.Tag("test/Reports")<Reports, Mailbox.Mailbox<ReportedProgress>>() {}

/** Reports what the test says, until that ends. */
const imports = Import.layer({
  run: ({ progress }) =>
    Effect.flatMap(Reports, (reports) =>
      Effect.catchAll(Effect.forever(Effect.flatMap(reports.take, progress)), () => Effect.void)
    )
}).pipe(
  Layer.provideMerge(RunStore.layerMemory),
  Layer.provideMerge(Layer.effect(Reports, Mailbox.make<ReportedProgress>()))
)

const serve = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const socket = `${directory}/socket`
  const page = World.pageIn(directory)
  const served = Server.listen({ listen: { socket }, drain: 200, api: JobsApi.make([Import]), page })
  const services = yield* Layer.build(Layer.provideMerge(served, imports))
  return { socket, manager: Context.get(services, Import), reports: Context.get(services, Reports) }
})

const narrow = { viewport: { width: 375, height: 800 } }

layer(browser, { excludeTestServices: true })("the progress of a job", (it) => {
  it.scoped("is a bar in the list and on its page, which changes while the job reports it without events", () =>
    Effect.gen(function* () {
      const { manager, reports, socket } = yield* serve
      const id = yield* manager.start({})
      const list = yield* World.visit(World.openingOf(socket, "/jobs"), narrow)
      const job = yield* World.visit(World.openingOf(socket, `/jobs/${id}`), narrow)
      const bars = [list, job].map(({ page }) => page.getByRole("progressbar", { name: "Progress" }))
      const showBoth = (valueText: string) =>
        Effect.forEach(bars, (bar) =>
          act(() => bar.and(bar.page().locator(`[aria-valuetext="${valueText}"]`)).waitFor({ state: "attached" }))
        )

      yield* act(() => job.page.getByRole("heading", { name: "import" }).waitFor())
      yield* reports.offer({ done: 1, total: 4, text: `resizing ${"a-long-name-".repeat(15)}` })
      yield* showBoth(`1 of 4 (25 %), resizing ${"a-long-name-".repeat(15)}`)
      for (const { page } of [list, job]) {
        expect(yield* violations(page)).toEqual([])
        const room = () => page.evaluate(() => document.documentElement.scrollWidth)
        expect(yield* act(room)).toBeLessThanOrEqual(375)
      }
      yield* reports.offer({ done: 3, total: 4, text: "<b>done</b> soon" })
      yield* showBoth("3 of 4 (75 %), <b>done</b> soon")
      yield* act(() => job.page.getByText("3 of 4", { exact: true }).waitFor())
      yield* act(() => job.page.getByText("· <b>done</b> soon").waitFor())
      yield* act(() => list.page.getByText("3/4", { exact: true }).waitFor())
      yield* act(() => list.page.getByRole("cell").getByText("<b>done</b> soon", { exact: true }).waitFor())

      // The last report is shown with the end, which is an event.
      yield* reports.offer({ done: 4, total: 4 })
      yield* reports.end
      yield* showBoth("4 of 4 (100 %)")
      expect([...list.problems, ...job.problems]).toEqual([])
    })
  )
})
