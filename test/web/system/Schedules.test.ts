/** The schedules on the page: when each is next, its last job, what it has skipped; run now, and pause. */
import { expect, layer } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { JobsApi } from "charlotte/http"
import { Context, DateTime, Effect, Layer, Schema } from "effect"
import * as Server from "../../../src/tasks/http/Server.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({ title: Schema.String }) }) {}

const nightly = {
  cron: "0 2 29 2 *",
  timeZone: "America/Argentina/Buenos_Aires",
  missed: "once",
  overlap: "skip",
  config: { title: "all" }
} as const

/** Runs one schedule; another process has run the other one. */
const reports = Layer.mergeAll(
  Report.schedule("nightly", nightly),
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { schedules } = yield* RunStore.RunStore
      const definition = JSON.stringify(nightly)
      const since = DateTime.unsafeMake("2026-01-31T08:00:00Z")
      yield* schedules.register({ kind: "report", name: "elsewhere", definition, at: since })
      yield* schedules.tick({
        kind: "report",
        name: "elsewhere",
        definition,
        tick: DateTime.add(since, { minutes: 1 }),
        run: "the last job is not over",
        skipsOverlap: true
      })
    })
  )
).pipe(Layer.provideMerge(Report.layer({ run: () => Effect.never })), Layer.provideMerge(RunStore.layerMemory))

const serve = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const socket = `${directory}/socket`
  const page = World.pageIn(directory)
  const served = Server.listen({ listen: { socket }, drain: 200, api: JobsApi.make([Report]), page })
  const services = yield* Layer.build(Layer.provideMerge(served, reports))
  return { socket, store: Context.get(services, RunStore.RunStore) }
})

layer(browser, { excludeTestServices: true })("schedules", (it) => {
  it.scoped(
    "show their next tick and what they have skipped, start a job now, and are paused, at 375 pixels, too",
    () =>
      Effect.gen(function* () {
        const { socket, store } = yield* serve
        const { page, problems } = yield* World.visit(World.openingOf(socket, "/system"), {
          viewport: { width: 375, height: 800 }
        })
        const table = page.getByRole("region", { name: "Schedules" })
        const row = (name: string) => table.getByRole("row").filter({ hasText: name })
        yield* act(() =>
          row("nightly")
            .getByText(/^\d{4}-02-29 \d\d:\d\d$/)
            .waitFor()
        )
        yield* act(() => row("nightly").getByText("0 2 29 2 * ").waitFor())
        yield* act(() => row("nightly").getByText("none yet").waitFor())
        yield* act(() => row("elsewhere").getByText("no process runs it").waitFor())
        yield* act(() =>
          row("elsewhere")
            .getByText(/1 skipped, the last at .*: the last job is not over$/)
            .waitFor()
        )
        expect(yield* act(() => page.getByRole("button", { name: "Run now: elsewhere" }).isDisabled())).toBe(true)

        yield* act(() => page.getByRole("button", { name: "Run now: nightly" }).click())
        yield* act(() => page.getByText(/^Job \w{6} of schedule nightly is queued$/).waitFor())
        expect((yield* store.list({ kind: "report" })).map(({ labels }) => labels)).toEqual([{ schedule: "nightly" }])

        yield* act(() => page.getByRole("button", { name: "Pause nightly", exact: true }).click())
        yield* act(() =>
          row("nightly")
            .getByText(/^ ?since \d\d:\d\d by page$/)
            .waitFor()
        )
        expect(yield* violations(page)).toEqual([])
        const overflow = yield* act(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
        expect(overflow).toBeLessThanOrEqual(0)
        yield* act(() => page.emulateMedia({ colorScheme: "dark" }))
        yield* act(() => page.setViewportSize({ width: 1440, height: 900 }))

        yield* act(() => page.getByRole("button", { name: "Unpause nightly" }).click())
        yield* act(() => page.getByRole("button", { name: "Pause nightly", exact: true }).waitFor())
        expect((yield* store.schedules.list).map(({ pausedAt }) => pausedAt)).toEqual([undefined, undefined])
        expect(problems).toEqual([])
      })
  )
})
