import { expect, layer } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { Effect, Schedule } from "effect"
import { act, layer as browser } from "./support/Browser.js"
import * as recorder from "./support/recorder.js"
import * as World from "./support/World.js"

const config = (tasksDir: string) => ({ repoPath: "/repository", tasksDir, targetBranch: "main" })

/** Returns when the server has so many event streams open. */
const untilStreams = (world: World.World, count: number) =>
  Effect.repeat(world.streams, { until: (open) => open === count, schedule: Schedule.spaced("50 millis") })

layer(browser, { excludeTestServices: true })("two tabs of one browser", (it) => {
  it.scoped("share one connection, and the second has it when the first is closed, without missing an event", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { context, page: first, problems } = yield* world.open()
      yield* act(() => first.getByText("No jobs yet").waitFor())
      const second = yield* act(() => context.newPage())
      // The session is that of the browser: no code is needed.
      yield* act(() => second.goto(new URL("/jobs", first.url()).href))
      yield* act(() => second.getByText("No jobs yet").waitFor())
      yield* untilStreams(world, 1)

      const id = yield* world.client.start(config("shared"))
      yield* act(() => first.getByText("shared").waitFor())
      yield* act(() => second.getByText("shared").waitFor())
      expect(yield* world.streams).toBe(1)

      // Events while the first tab goes: those that it did not pass on are read again by the second.
      yield* recorder.start(second)
      const emit = (from: number, to: number) =>
        Effect.forEach(
          Array.from({ length: to - from }, (_, at) => from + at),
          (n) => world.script.send(id, Step.emit({ type: "counted", payload: n }))
        )
      yield* emit(0, 200)
      yield* act(() => first.close())
      yield* emit(200, 400)
      yield* untilStreams(world, 1)
      yield* world.script.send(id, Step.succeed("counted"))
      yield* act(() => second.locator("tr[data-job]").getByText("completed").waitFor())

      const cursors = (yield* act(() => recorder.read(second))).map(({ cursor }) => cursor)
      const last = cursors.at(-1) ?? 0
      expect(cursors.length).toBeGreaterThan(200)
      expect(cursors).toEqual(Array.from({ length: cursors.length }, (_, at) => last - cursors.length + 1 + at))
      expect(yield* world.streams).toBe(1)
      expect(problems).toEqual([])
    })
  )

  it.scoped("end their session together", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { context, page: first } = yield* world.open()
      yield* act(() => first.getByText("No jobs yet").waitFor())
      const second = yield* act(() => context.newPage())
      yield* act(() => second.goto(new URL("/jobs", first.url()).href))
      yield* act(() => second.getByText("No jobs yet").waitFor())
      yield* act(() => second.evaluate(() => localStorage.removeItem("charlotte.session")))
      yield* act(() => first.getByText("Open the page from a terminal").waitFor())
    })
  )
})
