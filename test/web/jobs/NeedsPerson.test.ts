import { expect, layer } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { JobsApi } from "charlotte/http"
import { Array, Context, Effect, Layer, Schema } from "effect"
import * as Server from "../../../src/tasks/http/Server.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

class Part extends JobKind.Tag<Part>()("part", { config: Schema.Struct({ n: Schema.Number }) }) {}

class Whole extends JobKind.Tag<Whole>()("whole", { config: Schema.Struct({}) }) {}

const kinds = Layer.merge(
  Part.layer({ maxJobs: 20, run: ({ config: { n } }) => Effect.fail(`part ${n} is broken`) }),
  Whole.layer({ run: ({ child }) => child(Part, { n: 0 }).pipe(Effect.ignore, Effect.as("managed without it")) })
).pipe(Layer.provideMerge(RunStore.layerMemory))

layer(browser, { excludeTestServices: true })("the jobs that need a person", (it) => {
  it.scoped("are all shown on demand, without a failed child that its parent has handled", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const socket = `${directory}/socket`
      const api = JobsApi.make([Whole, Part])
      const served = Server.listen({ listen: { socket }, drain: 200, api, page: World.pageIn(directory) })
      const services = yield* Layer.build(Layer.provideMerge(served, kinds))
      const part = Context.get(services, Part)
      yield* Effect.flatMap(Context.get(services, Whole).start({}), Context.get(services, Whole).await)
      const broken = yield* Effect.forEach(Array.range(1, 14), (n) => part.start({ n }))
      yield* Effect.forEach(broken, part.await)

      const { page, problems } = yield* World.visit(World.openingOf(socket))
      const listed = act(() =>
        page
          .getByRole("table", { name: "Needs a person" })
          .locator("tr[data-job]")
          .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-job")))
      )
      const newest = broken.toReversed()
      yield* act(() => page.getByRole("heading", { name: /^Needs a person 14/ }).waitFor())
      expect(yield* listed).toEqual(newest.slice(0, 12))
      yield* act(() => page.getByRole("button", { name: "2 more" }).click())
      yield* act(() => page.getByRole("button", { name: "Fewer" }).waitFor())
      expect(yield* listed).toEqual(newest)
      expect(yield* violations(page)).toEqual([])
      yield* act(() => page.getByRole("button", { name: "Fewer" }).click())
      yield* act(() => page.getByRole("button", { name: "2 more" }).waitFor())
      expect(yield* listed).toEqual(newest.slice(0, 12))
      expect(problems).toEqual([])
    })
  )
})
