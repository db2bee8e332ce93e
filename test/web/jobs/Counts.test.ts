import { expect, layer } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { Effect } from "effect"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

layer(browser, { excludeTestServices: true })("the filters of the list", (it) => {
  it.scoped("have counts beside the statuses, and are saved in the browser", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const start = (tasksDir: string) =>
        world.client.start({ repoPath: "/home/ada/greeter", tasksDir, targetBranch: "main" })
      const first = yield* start("one")
      yield* start("two")
      const { page, problems } = yield* world.open()
      const tab = (name: RegExp) => page.getByRole("navigation", { name: "Status" }).getByRole("link", { name })
      yield* act(() => tab(/^running 2$/).waitFor())
      yield* world.script.send(first, Step.fail({ message: "no" }))
      yield* act(() => tab(/^failed 1$/).waitFor())
      yield* act(() => tab(/^running 1$/).waitFor())

      yield* act(() => tab(/^failed/).click())
      yield* act(() => page.getByRole("link", { name: "not retried" }).click())
      yield* act(() => page.getByRole("button", { name: "Save this filter" }).click())
      yield* act(() => page.getByRole("link", { name: "all", exact: true }).click())
      yield* act(() => page.reload())
      const saved = page.getByRole("navigation", { name: "Saved filters" })
      yield* act(() => saved.getByRole("link", { name: "failed, not retried" }).click())
      yield* act(() => page.waitForURL(/\?status=failed&retried=false$/))
      yield* act(() => saved.getByRole("button", { name: "remove the filter failed, not retried" }).click())
      yield* act(() => saved.getByRole("link").waitFor({ state: "detached" }))

      // Of what a text or a label selects, no index knows the number.
      yield* act(() => page.getByLabel("Search").fill("one"))
      yield* act(() => tab(/^failed$/).waitFor())
      expect(problems).toEqual([])
    })
  )
})
