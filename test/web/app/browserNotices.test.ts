import { expect, layer } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { Effect } from "effect"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

/** Replaces the notices of the browser, which nobody sees in a test, and pretends that nobody looks at the page. */
const stub = () => {
  const shown: Array<string> = []
  let permission = "default"
  class Stub {
    static get permission() {
      return permission
    }
    static async requestPermission() {
      permission = "granted"
      return permission
    }
    constructor(title: string, { body }: { readonly body: string }) {
      shown.push(`${title}: ${body}`)
    }
  }
  Object.assign(window, { Notification: Stub, shown })
  document.hasFocus = () => false
}

layer(browser, { excludeTestServices: true })("notices of the browser", (it) => {
  it.scoped("are not shown while any tab is looked at", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { context, page, problems } = yield* world.open()
      // Its session would be lost, if it were loaded again before it has one.
      yield* act(() => page.getByText("live", { exact: true }).waitFor())
      yield* act(() => context.addInitScript(stub))
      yield* act(() => page.reload())
      yield* act(() => page.getByText("live", { exact: true }).waitFor())
      yield* act(() => page.getByRole("button", { name: "Notify me" }).click())
      const other = yield* act(() => context.newPage())
      const setFocus = (isFocused: boolean) =>
        act(() =>
          other.evaluate((isFocused) => {
            document.hasFocus = () => isFocused
            dispatchEvent(new Event(isFocused ? "focus" : "blur"))
          }, isFocused)
        )
      yield* act(() => other.goto(page.url()))
      yield* act(() => other.getByText("live").waitFor())
      yield* setFocus(true)

      const fail = (tasksDir: string) =>
        Effect.flatMap(world.client.start({ repoPath: "/home/ada/greeter", tasksDir, targetBranch: "main" }), (id) =>
          world.script.send(id, Step.fail({ message: "no" }))
        )
      yield* fail("one")
      for (const tab of [page, other]) yield* act(() => tab.getByText("charlotte retry").waitFor())
      yield* setFocus(false)
      yield* fail("two")
      yield* act(() => page.waitForFunction(() => Reflect.get(window, "shown").length > 0))
      const shown: unknown = yield* act(() => page.evaluate(() => Reflect.get(window, "shown")))
      expect(shown).toEqual([expect.stringMatching(/^greeter: two failed: /)])
      expect(problems).toEqual([])
    })
  )

  it.scoped("are asked for once, by a button, and say which jobs need a person, have failed or are done", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { context, page, problems } = yield* world.open()
      // Its session would be lost, if it were loaded again before it has one.
      yield* act(() => page.getByText("live", { exact: true }).waitFor())
      yield* act(() => context.addInitScript(stub))
      yield* act(() => page.reload())
      const ask = page.getByRole("button", { name: "Notify me" })
      yield* act(() => ask.click())
      yield* act(() => ask.waitFor({ state: "detached" }))
      yield* act(() => page.getByText("From now on, this browser notifies you").waitFor())
      yield* act(() => page.getByText("live", { exact: true }).waitFor())

      const start = (tasksDir: string, ...steps: ReadonlyArray<Step.Step>) =>
        Effect.flatMap(world.client.start({ repoPath: "/home/ada/greeter", tasksDir, targetBranch: "main" }), (id) =>
          world.script.send(id, ...steps)
        )
      yield* start("one", Step.park({ reason: "deploy <b>now</b>?", signal: "go" }))
      yield* start("two", Step.fail({ message: "the gate failed" }))
      yield* start("three", Step.succeed("done"))
      yield* act(() => page.waitForFunction(() => Reflect.get(window, "shown").length === 3))
      const shown: unknown = yield* act(() => page.evaluate(() => Reflect.get(window, "shown")))
      expect(shown).toEqual(
        expect.arrayContaining([
          "greeter: one waits for you: parked for the signal go: deploy <b>now</b>?",
          expect.stringMatching(/^greeter: two failed: /),
          expect.stringMatching(/^greeter: three is done: /)
        ])
      )
      expect(problems).toEqual([])
    })
  )
})
