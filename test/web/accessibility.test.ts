import { expect, layer } from "@effect/vitest"
import axe from "axe-core"
import { Step } from "charlotte/testing"
import { Effect, Exit, Scope } from "effect"
import type { BrowserContextOptions, Page } from "playwright-core"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { agentLog, busyJob, happen, makeTask, planned } from "./job/story.js"
import { act, layer as browser, profile } from "./support/Browser.js"
import { type Place, places, server } from "./support/places.js"
import * as World from "./support/World.js"

const config = (tasksDir: string, labels = {}) => ({
  repoPath: "/home/ada/greeter",
  tasksDir,
  targetBranch: "main",
  labels
})

/** What axe finds wrong, each with the elements. */
const violations = (page: Page) =>
  act(async () => {
    await page.evaluate(axe.source)
    return page.evaluate(async () => {
      const { violations } = await window.axe.run(document, { resultTypes: ["violations"] })
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)
    })
  })

declare global {
  interface Window {
    axe: typeof axe
  }
}

const themes = ["light", "dark"] as const
const widths = [1440, 375]

/** Returns once the list shows what the jobs have come to: until then, rows move. */
const settled = (page: Page) =>
  act(async () => {
    const urgent = page.getByRole("table", { name: "Needs a person" })
    for (const text of ["deploy?", "the gate failed"]) await urgent.getByText(text).waitFor()
    await page.getByText("landed").first().waitFor()
    await page.getByText("waits for a permit").first().waitFor()
  })

/** Jobs in every status, with labels and progress. */
const busyAt = Effect.fnUntraced(function* (place: Place) {
  const world = yield* place.make({ maxJobs: 5 })
  const start = (name: string, ...steps: ReadonlyArray<Step.Step>) =>
    Effect.flatMap(world.start(config(name, { team: "web" }), { whenFull: "queue" }), (id) =>
      world.script.send(id, ...steps)
    )
  yield* start("works", Step.emit({ type: "task.started", unit: "api", task: 1, payload: { title: "Parse" } }))
  yield* start("asks", Step.park({ reason: "deploy?", signal: "approve" }))
  yield* start("broken", Step.fail({ message: "the gate failed" }))
  yield* start("done", Step.succeed("landed"))
  for (const name of ["a", "b", "c", "d", "waits"]) yield* start(name)
  return world
})

layer(browser, { excludeTestServices: true })("axe finds no violation", (it) => {
  for (const colorScheme of themes) {
    for (const width of widths) {
      const options = { colorScheme, viewport: { width, height: 900 }, reducedMotion: "reduce" } as const
      for (const place of places) {
        it.scoped(`in the list of jobs ${place.name}, ${colorScheme}, ${width} pixels wide`, () =>
          Effect.gen(function* () {
            const world = yield* busyAt(place)
            const { page } = yield* world.open("/jobs", options)
            yield* settled(page)
            expect(yield* violations(page)).toEqual([])
            // With a row in focus and selected, and a bar of actions.
            yield* act(() => page.keyboard.press("j"))
            yield* act(() => page.keyboard.press("x"))
            yield* act(() => page.getByRole("toolbar").waitFor())
            expect(yield* violations(page)).toEqual([])
            yield* act(() => page.keyboard.press("?"))
            yield* act(() => page.getByRole("dialog").waitFor())
            expect(yield* violations(page)).toEqual([])
          })
        )
      }

      it.scoped(`in the system, ${colorScheme}, ${width} pixels wide`, () =>
        Effect.gen(function* () {
          const world = yield* busyAt(server)
          const { page } = yield* world.open("/system", options)
          yield* act(() => page.getByRole("button", { name: "Pause tasks" }).waitFor())
          yield* act(() => page.getByText("1 completed").waitFor())
          expect(yield* violations(page)).toEqual([])
        })
      )
    }

    it.scoped(`without a session, ${colorScheme}`, () =>
      Effect.gen(function* () {
        const world = yield* World.make()
        const address = new URL(yield* world.opening())
        const { tab } = yield* profile({ colorScheme })
        const page = yield* tab
        yield* act(() => page.goto(`${address.origin}/jobs`))
        yield* act(() => page.getByText("Open the page from a terminal").waitFor())
        expect(yield* violations(page)).toEqual([])
      })
    )

    for (const place of places) {
      it.scoped(`while the server is away ${place.name}, ${colorScheme}`, () =>
        Effect.gen(function* () {
          const server = yield* Scope.make()
          const world = yield* Scope.extend(busyAt(place), server)
          const { page } = yield* world.open("/jobs", { colorScheme })
          yield* settled(page)
          yield* Scope.close(server, Exit.void)
          yield* act(() => page.getByRole("alert").waitFor())
          expect(yield* violations(page)).toEqual([])
        })
      )
    }
  }
})

/** A world with a job in the midst of its work, and its views. */
const everyView = Effect.gen(function* () {
  const logs = yield* TemporaryDirectory.make
  const world = yield* World.make({ server: { logs } })
  const id = yield* world.client.start(config("tasks/greetings"))
  yield* happen(world.script, id, busyJob(logs))
  const views = [
    { path: "/jobs", shown: (page: Page) => page.getByText("tasks/greetings") },
    { path: `/jobs/${id}`, shown: (page: Page) => page.getByText("4 of 11 tasks") },
    { path: `/jobs/${id}?view=timeline`, shown: (page: Page) => page.getByRole("tree", { name: "Timeline" }) },
    { path: `/jobs/${id}?view=events`, shown: (page: Page) => page.getByRole("listbox", { name: "Events" }) },
    { path: `/jobs/${id}/diff`, shown: (page: Page) => page.getByRole("heading", { name: "Changes" }) },
    { path: "/system", shown: (page: Page) => page.getByRole("button", { name: "Pause tasks" }) }
  ]
  /** Once it is shown, the session has begun: who leaves a page before that needs another code. */
  const open = (options?: BrowserContextOptions) =>
    Effect.tap(world.open("/jobs", options), ({ page }) =>
      act(() => page.getByText("tasks/greetings").first().waitFor())
    )
  return { open, views }
})

layer(browser, { excludeTestServices: true })("every view", (it) => {
  it.scoped("fits from 375 pixels to 4K without a bar to scroll sideways", () =>
    Effect.gen(function* () {
      const { open, views } = yield* everyView
      const { page } = yield* open()
      for (const { path, shown } of views) {
        yield* act(() => page.goto(new URL(path, page.url()).href))
        yield* act(() => shown(page).first().waitFor())
        for (const [width, height] of [
          [375, 667],
          [768, 1024],
          [1024, 768],
          [1920, 1080],
          [3840, 2160]
        ] as const) {
          yield* act(() => page.setViewportSize({ width, height }))
          const overflow = yield* act(() =>
            page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
          )
          expect([path, width, overflow]).toEqual([path, width, 0])
        }
      }
    })
  )

  it.scoped("fits in 375 pixels with long names, and has room for the log however much an agent has said", () =>
    Effect.gen(function* () {
      const logs = yield* TemporaryDirectory.make
      const world = yield* World.make({ server: { logs } })
      const unit = "consumers-of-the-notification-service-in-the-portal-of-customers"
      const { agent, agentEnded, begin, failed, gate } = makeTask(logs)
      const reason = "one of many tests failed; ".repeat(20)
      const said = agentEnded(unit, 1, 1)
      const id = yield* world.client.start(config("tasks/greetings"))
      yield* happen(world.script, id, [
        planned([{ id: unit, tasks: ["Find all of them ".repeat(8)] }]),
        begin(unit),
        ...agent(unit, 1, 1, "Find all of them ".repeat(8), agentLog),
        { ...said, payload: { class: "success", said: "It is a long story. ".repeat(100) } },
        ...gate(unit, 1, 1, "no\n", reason),
        ...failed(unit, 1, 1, reason)
      ])
      const { page } = yield* world.open(`/jobs/${id}`, { viewport: { width: 375, height: 667 } })
      const log = page.getByRole("region", { name: /^Log: Gate of/ })
      for (const [width, height] of [
        [375, 667],
        [1440, 900]
      ] as const) {
        yield* act(() => page.setViewportSize({ width, height }))
        yield* act(() => log.waitFor())
        expect(yield* act(() => page.evaluate(() => document.documentElement.scrollWidth))).toBe(width)
        expect((yield* act(() => log.boundingBox()))?.height).toBeGreaterThan(60)
        expect(yield* violations(page)).toEqual([])
      }
    })
  )

  it.scoped("fits in 375 pixels in every state of the connection", () =>
    Effect.gen(function* () {
      const { open } = yield* everyView
      const { page } = yield* open({ viewport: { width: 375, height: 667 } })
      yield* act(() => page.goto(new URL("/system", page.url()).href))
      yield* act(() => page.getByText("live", { exact: true }).waitFor())
      for (const text of ["live", "away", "connecting", "signed out", "not connected"]) {
        const width = yield* act(() =>
          page.evaluate((text) => {
            document.querySelector(".connection .dot")?.nextSibling?.replaceWith(text)
            return document.documentElement.scrollWidth
          }, text)
        )
        expect([text, width]).toEqual([text, 375])
      }
    })
  )

  it.scoped("moves nothing for a user who prefers that", () =>
    Effect.gen(function* () {
      const { open, views } = yield* everyView
      const { page } = yield* open({ reducedMotion: "reduce" })
      for (const { path, shown } of views) {
        yield* act(() => page.goto(new URL(path, page.url()).href))
        yield* act(() => shown(page).first().waitFor())
        expect([path, yield* act(() => page.evaluate(() => document.getAnimations().length))]).toEqual([path, 0])
      }
    })
  )

  it.scoped("lists its keys by ?, and leaves them by Escape", () =>
    Effect.gen(function* () {
      const { open, views } = yield* everyView
      const { page } = yield* open()
      const overlay = page.getByRole("dialog", { name: "Keys" })
      for (const { path, shown } of views) {
        yield* act(() => page.goto(new URL(path, page.url()).href))
        yield* act(() => shown(page).first().waitFor())
        yield* act(() => page.keyboard.press("?"))
        yield* act(() => overlay.getByText("Go to the jobs").waitFor())
        yield* act(() => page.keyboard.press("Escape"))
        yield* act(() => overlay.waitFor({ state: "detached" }))
      }
    })
  )
})
