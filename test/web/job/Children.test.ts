/** The children of a job on its page, and the job on theirs. */
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

const count = 102

const kinds = Layer.merge(
  Part.layer({ run: () => Effect.void }),
  Whole.layer({
    run: ({ child }) =>
      Effect.forEach(Array.range(1, count), (n) => child(Part, { n }, { name: `part <b>${n}</b>`, wait: false }))
  })
).pipe(Layer.provideMerge(RunStore.layerMemory))

const serve = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const socket = `${directory}/socket`
  const page = World.pageIn(directory)
  const served = Server.listen({ listen: { socket }, drain: 200, api: JobsApi.make([Whole, Part]), page })
  const services = yield* Layer.build(Layer.provideMerge(served, kinds))
  return { socket, manager: Context.get(services, Whole) }
})

layer(browser, { excludeTestServices: true })("the children of a job", (it) => {
  it.scoped("are listed on its page, the older ones on demand, and link back", () =>
    Effect.gen(function* () {
      const { manager, socket } = yield* serve
      const id = yield* manager.start({})
      yield* manager.await(id)
      const { page, problems } = yield* World.visit(World.openingOf(socket, `/jobs/${id}?view=details`), {
        viewport: { width: 375, height: 800 }
      })
      const child = (n: number) => page.getByRole("link", { name: `part <b>${n}</b>`, exact: true })
      yield* act(() => child(3).waitFor())
      expect(yield* act(() => child(2).count())).toBe(0)
      expect(yield* violations(page)).toEqual([])
      const older = page.getByRole("button", { name: "Older children" })
      yield* act(() => older.click())
      yield* act(() => child(1).waitFor())
      yield* act(() => older.waitFor({ state: "detached" }))
      expect(yield* act(() => page.getByRole("link", { name: /^part / }).count())).toBe(count)
      yield* act(() => child(2).click())
      yield* act(() => page.getByRole("tab", { name: "Details" }).click())
      yield* act(() => page.getByRole("link", { name: id, exact: true }).click())
      yield* act(() => page.waitForURL(new RegExp(`/jobs/${id}`)))
      expect(problems).toEqual([])
    })
  )
})
