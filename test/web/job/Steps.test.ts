/** The steps of a job of an application's own kind on its page. */
import { expect, layer } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { JobsApi } from "charlotte/http"
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import * as Server from "../../../src/tasks/http/Server.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

class Order extends JobKind.Tag<Order>()("order", { config: Schema.Struct({}) }) {}

class Go extends Context.Tag("test/Go")<Go, Deferred.Deferred<void>>() {}

/** Does some steps, one more once the test says so, and fails. */
const orders = Order.layer({
  run: ({ step }) =>
    Effect.gen(function* () {
      for (let n = 1; n <= 30; n++) yield* step(`mail-${n}`, Effect.succeed(n))
      yield* step("charge <b>card</b>", Effect.succeed({ receipt: "r-17" }))
      yield* Effect.flatMap(Go, Deferred.await)
      yield* step("..", Effect.void)
      return yield* step("ship", Effect.fail({ code: 3 }))
    })
}).pipe(Layer.provideMerge(RunStore.layerMemory), Layer.provideMerge(Layer.effect(Go, Deferred.make<void>())))

const serve = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const socket = `${directory}/socket`
  const page = World.pageIn(directory)
  const served = Server.listen({ listen: { socket }, drain: 200, api: JobsApi.make([Order]), page })
  const services = yield* Layer.build(Layer.provideMerge(served, orders))
  return { socket, manager: Context.get(services, Order), go: Deferred.succeed(Context.get(services, Go), undefined) }
})

layer(browser, { excludeTestServices: true })("the steps of a job", (it) => {
  it.scoped(
    "are listed live with their attempt and duration, show their value on demand, and are found again by a retry",
    () =>
      Effect.gen(function* () {
        const { go, manager, socket } = yield* serve
        const id = yield* manager.start({})
        const { context, page, problems } = yield* World.visit(World.openingOf(socket, `/jobs/${id}`), {
          viewport: { width: 375, height: 800 }
        })
        const asked: Array<string> = []
        context.on("request", (request) => {
          if (request.url().includes("/steps/")) asked.push(new URL(request.url()).search)
        })
        const steps = page.getByRole("region", { name: "Steps", exact: true })
        const value = page.getByRole("region", { name: /^Step / })
        yield* act(() => page.getByText("31 steps").waitFor())
        // The newest is last, and in sight.
        yield* act(() => steps.getByRole("button").last().getByText("charge <b>card</b>").waitFor())
        yield* act(() => steps.getByRole("button", { name: "charge <b>card</b>" }).click({ trial: true }))
        expect(asked).toEqual([])
        yield* act(() => steps.getByRole("button", { name: "charge <b>card</b>" }).press("Enter"))
        yield* act(() => value.getByText('"r-17"').waitFor())

        yield* go
        yield* act(() => page.getByText("33 steps").waitFor())
        yield* act(() => steps.getByRole("button", { name: "ship failed" }).click())
        yield* act(() => value.getByText("Failure").waitFor())
        yield* act(() => value.getByText("3", { exact: true }).waitFor())
        expect(new URL(page.url()).searchParams.get("step")).toBe("ship")
        expect(yield* violations(page)).toEqual([])
        yield* act(() => steps.getByRole("button", { name: ".." }).click())
        yield* act(() => value.getByText("none").waitFor())
        expect(asked).toHaveLength(3)

        // What succeeded belongs to the retry, too; it forgets the failure, and fails again.
        yield* manager.await(id)
        const again = yield* manager.retry(id)
        yield* manager.await(again)
        yield* act(() => page.setViewportSize({ width: 1440, height: 900 }))
        yield* act(() => page.emulateMedia({ colorScheme: "dark" }))
        yield* act(() => page.goto(new URL(`/jobs/${again}?step=mail-30`, page.url()).href))
        yield* act(() => page.getByText("33 steps").waitFor())
        yield* act(() => value.getByRole("link", { name: id.slice(-6) }).waitFor())
        yield* act(() => value.getByText("30", { exact: true }).waitFor())
        expect(yield* act(() => steps.getByRole("button").last().innerText())).toContain("ship failed")
        expect(yield* violations(page)).toEqual([])
        expect(problems).toEqual([])
      })
  )
})
