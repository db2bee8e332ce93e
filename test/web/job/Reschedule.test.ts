/** A waiting job that is rescheduled on the page. */
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

const config = { repoPath: "/home/ada/greeter", tasksDir: "tasks", targetBranch: "main" }

layer(browser, { excludeTestServices: true })("a waiting job", (it) => {
  it.scoped("gets another priority and start, and begins when its start is cleared", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* world.client.start(config, { delay: "2 days" })
      const { page, problems } = yield* world.open(`/jobs/${id}`)
      const open = act(() => page.getByRole("button", { name: "Reschedule …" }).click())
      const submit = act(() => page.getByRole("button", { name: "Reschedule", exact: true }).click())
      yield* open
      yield* act(() => page.getByLabel("Priority").fill("7"))
      yield* act(() => page.getByLabel("Start no earlier than").fill("2100-01-01T08:00"))
      yield* submit
      yield* act(() => page.getByText("Rescheduled.").waitFor())
      const run = yield* world.client.get(id)
      expect([run.priority, run.startAt?.epochMillis]).toEqual([7, new Date("2100-01-01T08:00").getTime()])
      yield* act(() => page.getByText(/rescheduled by page: priority 7, begins /).waitFor())
      yield* open
      yield* act(() => page.getByLabel("Start no earlier than").fill(""))
      yield* submit
      yield* world.script.began(id)
      yield* act(() => page.getByRole("button", { name: "Reschedule …" }).waitFor({ state: "detached" }))
      expect(problems).toEqual([])
    })
  )
})
