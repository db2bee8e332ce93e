import { expect, layer } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { DateTime, Effect } from "effect"
import type { Page } from "playwright-core"
import { act, layer as browser } from "../support/Browser.js"
import { places } from "../support/places.js"
import * as World from "../support/World.js"

const config = (tasksDir: string, labels = {}) => ({
  repoPath: "/home/ada/src/greeter",
  tasksDir,
  targetBranch: "main",
  labels
})

const row = (page: Page, text: string) => page.locator("tr[data-job]").filter({ hasText: text })

/** The titles that are listed, from top to bottom. */
const titles = (page: Page) => act(() => page.locator("a[data-row]").allTextContents())

/** Returns once these jobs are listed, in this order. */
const untilTitles = (page: Page, ...names: ReadonlyArray<string>) =>
  act(() =>
    page.waitForFunction(
      (wanted) => [...document.querySelectorAll("a[data-row]")].map((link) => link.textContent).join() === wanted,
      names.map((name) => `greeter: ${name}`).join()
    )
  )

for (const place of places) {
  layer(browser, { excludeTestServices: true })(`the list of jobs ${place.name}`, (it) => {
    it.scoped("shows what happens to a job as it happens, without loading again", () =>
      Effect.gen(function* () {
        const world = yield* place.make()
        const { page, problems } = yield* world.open()
        yield* act(() => page.getByText("No jobs yet").waitFor())

        const id = yield* world.start(config("tasks/retry", { team: "web" }))
        yield* act(() => row(page, "tasks/retry").getByText("running").waitFor())
        yield* act(() => row(page, "team=web").getByText("greeter").waitFor())

        yield* world.script.send(
          id,
          Step.emit({ type: "task.started", unit: "api", task: 2, payload: { title: "Parse it" } })
        )
        yield* act(() => row(page, "tasks/retry").getByText("api 2 · Parse it").waitFor())

        yield* world.script.send(id, Step.succeed("landed"))
        yield* act(() => row(page, "tasks/retry").getByText("completed").waitFor())
        yield* act(() => row(page, "tasks/retry").getByText("landed").waitFor())
        expect(problems).toEqual([])
      })
    )

    it.scoped("filters by status, label, kind and text, in the address", () =>
      Effect.gen(function* () {
        const world = yield* place.make()
        const web = yield* world.start(config("tasks/login", { team: "web" }))
        yield* world.start(config("tasks/export", { team: "core" }))
        yield* world.script.send(web, Step.succeed("done"))
        const { page, problems } = yield* world.open()
        yield* act(() => row(page, "tasks/login").getByText("completed").waitFor())
        yield* act(() => row(page, "tasks/export").waitFor())
        const onlyLogin = act(async () => {
          await row(page, "tasks/export").waitFor({ state: "detached" })
          await row(page, "tasks/login").waitFor()
        })

        yield* act(() => page.getByRole("link", { name: "completed" }).click())
        yield* onlyLogin
        expect(page.url()).toBe(yield* world.addressOf("/jobs?status=completed"))

        yield* act(() => page.goBack())
        yield* act(() => row(page, "tasks/export").waitFor())
        yield* act(() => page.getByLabel("Labels").fill("team=web"))
        yield* onlyLogin
        expect(page.url()).toBe(yield* world.addressOf("/jobs?label=team%3Dweb"))

        yield* act(() => page.getByLabel("Labels").fill(""))
        yield* act(() => row(page, "tasks/export").waitFor())
        yield* act(() => page.keyboard.press("Escape"))
        yield* act(() => page.keyboard.press("/"))
        yield* act(() => page.keyboard.type("login"))
        yield* onlyLogin

        // The address alone shows the same.
        yield* act(() => page.reload())
        yield* onlyLogin
        yield* act(() => page.getByLabel("Kind").fill("email"))
        yield* act(() => page.getByRole("alert").getByText("email").waitFor())
        expect(problems).toEqual([])
      })
    )

    it.scoped("stops the selected jobs, from the keyboard alone", () =>
      Effect.gen(function* () {
        const world = yield* place.make()
        for (const name of ["one", "two", "three"]) yield* world.start(config(name))
        const { page, problems } = yield* world.open()
        yield* act(() => row(page, "one").waitFor())

        yield* act(async () => {
          for (const key of ["j", "x", "j", "x", "s"]) await page.keyboard.press(key)
          await page.getByRole("dialog").getByText("Stop 2 jobs?").waitFor()
          await page.keyboard.press("Tab")
          await page.keyboard.press("Enter")
          await page.getByText("2 jobs stopped").waitFor()
        })
        yield* act(() => row(page, "three").getByText("cancelled").waitFor())
        yield* act(() => row(page, "two").getByText("cancelled").waitFor())
        yield* act(() => row(page, "one").getByText("running").waitFor())
        expect(problems).toEqual([])
      })
    )

    it.scoped("resumes the selected jobs, from the keyboard alone", () =>
      Effect.gen(function* () {
        const world = yield* place.make()
        const until = DateTime.add(DateTime.unsafeNow(), { hours: 1 })
        for (const name of ["one", "two"]) {
          const id = yield* world.start(config(name))
          yield* world.script.send(id, Step.park({ reason: "waits", until }))
        }
        const { page, problems } = yield* world.open()
        yield* act(() => page.getByRole("table", { name: "Waiting" }).getByText("parked").nth(1).waitFor())
        yield* act(async () => {
          for (const key of ["j", "x", "j", "x", "r"]) await page.keyboard.press(key)
          await page.getByText("2 jobs resumed").waitFor()
        })
        for (const name of ["one", "two"]) yield* act(() => row(page, name).getByText("running").waitFor())
        expect(problems).toEqual([])
      })
    )
  })
}

layer(browser, { excludeTestServices: true })("the list of jobs", (it) => {
  it.scoped("shows first what needs a person, the most urgent at the top", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const start = (name: string, ...steps: ReadonlyArray<Step.Step>) =>
        Effect.flatMap(world.client.start(config(name)), (id) => world.script.send(id, ...steps))
      yield* start(
        "limited",
        Step.park({ reason: "claude: usage limit", until: DateTime.add(DateTime.unsafeNow(), { hours: 1 }) })
      )
      yield* start("broken", Step.fail({ message: "the gate failed" }))
      yield* start("asks", Step.park({ reason: "deploy?", signal: "approve" }))
      yield* start("busy")

      const { page, problems } = yield* world.open()
      const urgent = page.getByRole("table", { name: "Needs a person" })
      yield* act(() => page.getByRole("table", { name: "Waiting" }).getByText("limited").waitFor())
      yield* act(() => urgent.getByText("the gate failed").waitFor())
      yield* untilTitles(page, "asks", "broken", "limited", "busy")
      const commands = yield* act(() => urgent.locator(".row-command").allTextContents())
      expect(commands).toEqual([
        expect.stringMatching(/^charlotte signal \w{26} approve$/),
        expect.stringMatching(/^charlotte retry \w{26}$/)
      ])
      expect(yield* act(() => page.title())).toBe("(2) Jobs · Charlotte")

      // Seen once, a failure is history.
      yield* act(() => row(page, "broken").getByRole("link").focus())
      yield* act(() => page.keyboard.press("m"))
      yield* act(() => page.waitForFunction(() => document.title.startsWith("(1)")))
      yield* untilTitles(page, "asks", "limited", "busy", "broken")
      expect(problems).toEqual([])
    })
  )

  it.scoped("counts those that need a person as far as they are read, and says that there are more", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 30 })
      for (let n = 0; n < 30; n++) {
        yield* world.script.send(yield* world.client.start(config(`job ${n}`)), Step.fail({ message: "no" }))
      }
      const { page, problems } = yield* world.open()
      yield* act(() => page.waitForFunction(() => document.title === "(24+) Jobs · Charlotte"))
      yield* act(() => page.getByRole("button", { name: "12 more" }).waitFor())
      expect(problems).toEqual([])
    })
  )

  it.scoped("turns pages by the id of the last job, and back", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 1, script: () => [] })
      for (let n = 0; n < 120; n++) yield* world.client.start(config(`job ${n}`), { whenFull: "queue" })
      const { page, problems } = yield* world.open("/jobs?status=pending")
      yield* act(() => row(page, "job 119").waitFor())
      expect((yield* titles(page)).length).toBe(50)
      yield* act(() => page.keyboard.press("n"))
      yield* act(() => row(page, "job 69").waitFor())
      yield* act(() => page.getByRole("button", { name: "Older" }).click())
      yield* act(() => page.getByText("greeter: job 1", { exact: true }).waitFor())
      expect(yield* titles(page)).toHaveLength(19)
      yield* act(() => page.getByRole("button", { name: "Newest" }).click())
      yield* act(() => row(page, "job 119").waitFor())
      expect(problems).toEqual([])
    })
  )

  it.scoped("selects all jobs that match, listed or not, and acts on them", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 1, script: () => [] })
      for (let n = 0; n < 60; n++) yield* world.client.start(config(`job ${n}`), { whenFull: "queue" })
      const { page, problems } = yield* world.open("/jobs?status=pending")
      yield* act(() => row(page, "job 59").waitFor())
      yield* act(() => row(page, "job 59").getByRole("checkbox").click())
      yield* act(() => page.getByRole("button", { name: "Select all 59" }).waitFor())
      yield* act(() => row(page, "job 59").getByRole("checkbox").click())
      yield* act(() => page.getByLabel("Select all: pending").click())
      yield* act(() => page.getByText("50 selected").waitFor())
      yield* act(() => page.getByRole("button", { name: "Select all 59" }).click())
      yield* act(() => page.getByText("59 selected").waitFor())
      yield* act(() => page.getByRole("button", { name: "Stop 59" }).click())
      const question = page.getByRole("dialog", { name: "Stop 59 jobs?" })
      yield* act(() => question.getByText("and 51 more").waitFor())
      yield* act(() => question.getByRole("button", { name: "Stop" }).click())
      yield* act(() => page.getByText("59 jobs stopped").waitFor())
      yield* act(() => page.getByText("No job matches").waitFor())
      expect(yield* act(() => page.getByText("59 selected").count())).toBe(0)
      expect(problems).toEqual([])
    })
  )
})

layer(browser, { excludeTestServices: true })("what a person does in the list of jobs", (it) => {
  it.scoped("selects all jobs between two clicks with Shift, and says whether all are selected", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 1, script: () => [] })
      for (let n = 0; n < 6; n++) yield* world.client.start(config(`job ${n}`), { whenFull: "queue" })
      const { page } = yield* world.open("/jobs?status=pending")
      const click = (name: string, ...modifiers: ReadonlyArray<"Shift">) =>
        act(() =>
          row(page, name)
            .getByRole("checkbox")
            .click({ modifiers: [...modifiers] })
        )
      const selected = () =>
        act(() => page.locator("tr[data-job].selected a[data-row]").allTextContents()).pipe(
          Effect.map((titles) => titles.map((title) => title.slice(-1)).join(""))
        )
      const all = () =>
        act(() =>
          page
            .getByLabel("Select all: pending")
            .evaluate((box) => box instanceof HTMLInputElement && [box.checked, box.indeterminate])
        )
      yield* act(() => row(page, "job 5").waitFor())
      expect(yield* all()).toEqual([false, false])
      yield* click("job 4")
      expect(yield* selected()).toBe("4")
      expect(yield* all()).toEqual([false, true])
      yield* click("job 2", "Shift")
      expect(yield* selected()).toBe("432")
      yield* click("job 3", "Shift")
      expect(yield* selected()).toBe("4")
      yield* click("job 5")
      yield* click("job 1", "Shift")
      expect(yield* selected()).toBe("54321")
      expect(yield* all()).toEqual([true, false])
      expect(yield* act(() => page.evaluate(() => String(getSelection())))).toBe("")
    })
  )

  it.scoped("copies the command that helps", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* world.client.start(config("fails"))
      yield* world.script.send(id, Step.fail({ message: "no" }))
      const { context, page, problems } = yield* world.open()
      yield* act(() => context.grantPermissions(["clipboard-read", "clipboard-write"]))
      yield* act(() => page.getByRole("button", { name: "Copy the command" }).click())
      yield* act(() => page.getByText("Copied", { exact: true }).waitFor())
      expect(yield* act(() => page.evaluate(() => navigator.clipboard.readText()))).toBe(`charlotte retry ${id}`)
      expect(problems).toEqual([])
    })
  )

  it.scoped("gets the labels of the listed jobs suggested", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      yield* world.client.start(config("login", { team: "web", env: "test", note: "two words" }))
      const { page } = yield* world.open()
      yield* act(() => row(page, "login").waitFor())
      const options = () =>
        act(() =>
          page.getByLabel("Labels").evaluate((field) => {
            if (!(field instanceof HTMLInputElement)) throw new Error("not a field")
            return [...(field.list?.options ?? [])].map(({ value }) => value)
          })
        )
      expect(yield* options()).toEqual(["env=test", "team=web"])
      yield* act(() => page.getByLabel("Labels").fill("team=web e"))
      expect(yield* options()).toEqual(["team=web env=test"])
    })
  )

  it.scoped("concerns the text that was typed, also where it follows at once", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      yield* world.client.start(config("login"))
      const { page } = yield* world.open()
      yield* act(() => row(page, "login").waitFor())
      const search = yield* act(() =>
        page.getByLabel("Search").evaluate((field) => {
          if (!(field instanceof HTMLInputElement)) throw new Error("not a field")
          field.focus()
          field.value = "log"
          field.dispatchEvent(new InputEvent("input", { bubbles: true }))
          field.blur()
          return location.search
        })
      )
      expect(search).toBe("?q=log")
    })
  )

  it.scoped("selects nothing where the filter has changed before the jobs were read", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 1, script: () => [] })
      for (let n = 0; n < 3; n++) yield* world.client.start(config(`job ${n}`), { whenFull: "queue" })
      const { context, page } = yield* world.open("/jobs?status=pending")
      yield* act(() => row(page, "job 2").waitFor())
      const asked = Promise.withResolvers<void>()
      const changed = Promise.withResolvers<void>()
      yield* act(() =>
        context.route(/status=pending.*limit=1000/, async (route) => {
          asked.resolve()
          await changed.promise
          await route.continue()
        })
      )
      // On a busy machine the browser has lost a key before now.
      const isAsked = asked.promise.then(() => true)
      yield* act(() => page.keyboard.press("A")).pipe(
        Effect.zipRight(act(() => Promise.race([isAsked, page.waitForTimeout(5_000)]))),
        Effect.repeat({ until: (done) => done === true })
      )
      yield* act(() => page.getByRole("link", { name: /^all/ }).click())
      yield* act(() => row(page, "job 0").waitFor())
      changed.resolve()
      yield* act(() => page.getByText("the filter has changed").first().waitFor())
      expect(yield* act(() => page.getByText(/\d selected/).count())).toBe(0)
    })
  )

  it.scoped("says that it reads the jobs, and on the page of a job its events, until they are there", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* world.client.start(config("slow"))
      const { context, page } = yield* world.open("/jobs")
      yield* act(() => row(page, "slow").waitFor())
      const read = Promise.withResolvers<void>()
      yield* act(() =>
        context.route(/\/api\/v1\/jobs(\?|\/.*\/export)/, async (route) => {
          await read.promise
          await route.continue()
        })
      )
      yield* act(() => page.reload())
      yield* act(() => page.getByText("Reading the jobs.").waitFor())
      yield* act(() => page.goto(new URL(`/jobs/${id}?view=events`, page.url()).href))
      yield* act(() => page.getByText("Reading the events.").waitFor())
      expect(yield* act(() => page.getByText("0 events").count())).toBe(0)
      read.resolve()
      yield* act(() => page.getByText("1 event", { exact: true }).waitFor())
    })
  )

  it.scoped("stays with a job whose row moves", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* world.client.start(config("fails"))
      yield* world.client.start(config("works"))
      const { page } = yield* world.open()
      yield* act(() => row(page, "works").waitFor())
      yield* act(() => row(page, "fails").getByRole("link").focus())
      yield* world.script.send(id, Step.fail({ message: "no" }))
      yield* act(() => page.getByRole("table", { name: "Needs a person" }).getByText("fails").waitFor())
      const focused = yield* act(() => page.evaluate(() => document.activeElement?.textContent))
      expect(focused).toBe("greeter: fails")
    })
  )
})

const keys = ["j", "k", "x", "s", "r", "/", "g j", "g s", "?"]

layer(browser, { excludeTestServices: true })("the keys", (it) => {
  it.scoped("are listed by ?, and the first of two is no key by itself", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { page, problems } = yield* world.open()
      yield* act(() => page.getByText("No jobs yet").waitFor())
      yield* act(() => page.keyboard.press("?"))
      const overlay = page.getByRole("dialog", { name: "Keys" })
      yield* act(() => overlay.waitFor())
      const listed = yield* act(() =>
        overlay
          .locator("dt")
          .evaluateAll((terms) =>
            terms.map((term) => [...term.querySelectorAll("kbd")].map(({ textContent }) => textContent).join(" "))
          )
      )
      expect(listed).toEqual(expect.arrayContaining(keys))
      yield* act(() => page.keyboard.press("?"))
      yield* act(() => overlay.waitFor({ state: "detached" }))

      yield* act(() => page.keyboard.press("g"))
      yield* act(() => page.keyboard.press("s"))
      yield* act(() => page.waitForURL(/\/system$/))
      yield* act(() => page.keyboard.press("g"))
      yield* act(() => page.keyboard.press("j"))
      yield* act(() => page.waitForURL(/\/jobs$/))
      expect(problems).toEqual([])
    })
  )
})
