import { expect, layer } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { Effect } from "effect"
import { appendFileSync } from "node:fs"
import type { Page } from "playwright-core"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"
import { busyJob, config, emitAll, happen, makeTask, planned } from "./story.js"

const log = (page: Page) => page.locator(".log-rows")

const messages = (page: Page) => page.getByRole("list", { name: "What happens now" })

/** A world with a directory of logs. */
const worldWithLogs = Effect.gen(function* () {
  const logs = yield* TemporaryDirectory.make
  return { logs, world: yield* World.make({ server: { logs } }) }
})

/** A job in the midst of its work, with all that has happened on the page. */
const busy = Effect.gen(function* () {
  const { logs, world } = yield* worldWithLogs
  const id = yield* world.client.start(config({ labels: { team: "web" } }))
  yield* happen(world.script, id, busyJob(logs))
  const show = (address = "", options = {}) =>
    Effect.tap(world.open(`/jobs/${id}${address}`, options), ({ page }) =>
      act(() => page.getByText("4 of 11 tasks").waitFor())
    )
  return { id, logs, show, world }
})

layer(browser, { excludeTestServices: true })("the view of a job", (it) => {
  it.scoped("says first what has failed and what is at work, and shows the log of what failed", () =>
    Effect.gen(function* () {
      const { show } = yield* busy
      const { page, problems } = yield* show("?view=graph")
      expect(yield* act(() => messages(page).getByRole("listitem").allInnerTexts())).toEqual([
        expect.stringContaining("cli 1 “Parse options” failed after 2 attempts"),
        "2 tasks at work: api 2 “Validate names”; web 2 “Remember the last name”"
      ])
      yield* act(() => log(page).getByText("AssertionError: expected").waitFor())
      expect(yield* act(() => page.locator(".log-rows .bg-1").innerText())).toBe(" FAIL ")
      const states = yield* act(() => page.locator(".node").allInnerTexts())
      expect(states.map((text) => text.replace(/\s+/g, " "))).toEqual([
        "✓ core 2/2 , merged",
        "● api 1/2 , running",
        "● web 1/3 , running",
        "✕ cli 0/2 · 1 failed , failed",
        "○ docs 0/1 , pending",
        "– release 0/1 , blocked"
      ])
      expect(yield* act(() => page.title())).toBe("running: greeter: tasks/greetings · Charlotte")
      expect(problems).toEqual([])
    })
  )

  it.scoped("shows what happens as it happens: log lines, the next task, and the end", () =>
    Effect.gen(function* () {
      const { logs, world } = yield* worldWithLogs
      const { agent, agentEnded, begin, done, file, gate, merged } = makeTask(logs)
      const id = yield* world.client.start(config())
      const { page, problems } = yield* world.open(`/jobs/${id}`)
      yield* act(() => messages(page).getByText("At work").waitFor())

      const plan = planned([{ id: "api", tasks: ["Serve", "Check"] }])
      yield* world.script.send(id, ...emitAll([plan, begin("api"), ...agent("api", 1, 1, "Serve", "first line\n")]))
      yield* act(() => log(page).getByText("first line").waitFor())
      for (let line = 2; line <= 300; line++) appendFileSync(file("api", 1, 1, "agent"), `line ${line}\n`)
      yield* act(() => log(page).getByText("line 300", { exact: true }).waitFor())

      // Scrolled up it stays where it is, and follows again when asked to.
      yield* act(() => log(page).evaluate((box) => box.scrollTo(0, 0)))
      yield* act(() => page.getByRole("button", { name: "Follow", pressed: false }).waitFor())
      appendFileSync(file("api", 1, 1, "agent"), "line 301\n")
      yield* act(() => log(page).getByText("first line").waitFor())
      yield* act(() => page.getByRole("button", { name: "Follow" }).click())
      yield* act(() => log(page).getByText("line 301").waitFor())

      const rest = [agentEnded("api", 1, 1), ...gate("api", 1, 1, "all is well\n"), ...done("api", 1, 1)]
      yield* world.script.send(id, ...emitAll(rest))
      yield* act(() => log(page).getByText("all is well").waitFor())
      yield* act(() => page.getByText("1 of 2 tasks").waitFor())

      yield* world.script.send(id, ...emitAll([...agent("api", 2, 1, "Check", "second task\n")]))
      yield* act(() => log(page).getByText("second task").waitFor())
      yield* world.script.send(id, ...emitAll([...done("api", 2, 1), ...merged("api")]), Step.succeed({ commits: 2 }))
      yield* act(() => messages(page).getByText("All work is done").waitFor())
      yield* act(() => page.locator(".job-title").getByText("completed").waitFor())
      yield* act(() => page.keyboard.press("4"))
      yield* act(() => page.getByRole("region", { name: "Details" }).getByText("commits:").waitFor())
      expect(problems).toEqual([])
    })
  )

  it.scoped("opens at what its address names, and keeps what is chosen in the address", () =>
    Effect.gen(function* () {
      const { id, show } = yield* busy
      const { page, problems } = yield* show("?unit=cli&task=1&attempt=1&log=agent&view=timeline")
      yield* act(() => page.getByRole("tree", { name: "Timeline" }).waitFor())
      yield* act(() => page.getByRole("button", { name: "Attempt 1, failed", pressed: true }).waitFor())
      yield* act(() => page.getByRole("button", { name: "Agent", pressed: true }).waitFor())
      yield* act(() => log(page).getByText("● Read src/greet.ts").waitFor())

      yield* act(() => page.getByRole("button", { name: "Raw" }).click())
      yield* act(() => log(page).getByText('"subtype":"init"').waitFor())

      yield* act(() => page.getByRole("tab", { name: "Graph" }).click())
      yield* act(() => page.locator('[data-node="api"]').click())
      yield* act(() => page.getByRole("button", { name: "2 Validate names" }).waitFor())
      expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe(`/jobs/${id}?unit=api&view=graph`)
      yield* act(() => page.goBack())
      yield* act(() => page.getByRole("heading", { name: "cli" }).waitFor())
      expect(problems).toEqual([])
    })
  )

  it.scoped("lists all tasks by unit, with the reason of each that failed, and leads to each", () =>
    Effect.gen(function* () {
      const { show } = yield* busy
      const { page, problems } = yield* show()
      const tasks = page.getByRole("region", { name: "Tasks" })
      const lines = yield* act(() => tasks.getByRole("button").allInnerTexts())
      const texts = lines.map((text) => text.replace(/\s+/g, " ").trim())
      expect(texts).toHaveLength(17)
      expect(texts.slice(0, 3)).toEqual([
        "✓ core merged",
        expect.stringMatching(/^✓ 1 /),
        expect.stringMatching(/^✓ 2 /)
      ])
      expect(texts.find((text) => text.includes("Parse options"))).toMatch(
        /^✕ 1 Parse options .*gate.* failed attempt 2/
      )
      yield* act(() => tasks.getByRole("button", { name: /2 Validate names/ }).click())
      yield* act(() => page.getByRole("heading", { name: "api" }).waitFor())
      expect(new URL(page.url()).search).toBe("?unit=api&task=2")
      expect(yield* violations(page)).toEqual([])
      expect(problems).toEqual([])
    })
  )

  it.scoped("is without a graph where no unit depends on another", () =>
    Effect.gen(function* () {
      const { world } = yield* worldWithLogs
      const id = yield* world.client.start(config())
      const plan = planned([
        { id: "api", tasks: ["Serve"] },
        { id: "web", tasks: ["Show"] }
      ])
      yield* world.script.send(id, ...emitAll([plan]))
      const { page, problems } = yield* world.open(`/jobs/${id}?view=graph`)
      yield* act(() => page.getByRole("region", { name: "Tasks" }).getByText("Show").waitFor())
      const tabs = yield* act(() => page.getByRole("tab").allInnerTexts())
      expect(tabs).toEqual(["Tasks", "Timeline", "Events", "Details"])
      expect(problems).toEqual([])
    })
  )

  it.scoped("says what a parked job waits for, and sends the signal", () =>
    Effect.gen(function* () {
      const { world } = yield* worldWithLogs
      const id = yield* world.client.start(config())
      yield* world.script.send(id, Step.park({ reason: "deploy to production?", signal: "approve" }))
      const { page, problems } = yield* world.open(`/jobs/${id}`)
      yield* act(() => messages(page).getByText("Parked for the signal approve").waitFor())
      yield* act(() => messages(page).getByText("deploy to production?").waitFor())

      yield* act(() => page.getByRole("button", { name: "Signal …" }).click())
      const dialog = page.getByRole("dialog", { name: "Send a signal" })
      expect(yield* act(() => dialog.getByLabel("Name").inputValue())).toBe("approve")
      yield* act(() => dialog.getByLabel("Payload").fill("not json"))
      yield* act(() => dialog.getByRole("button", { name: "Send" }).click())
      yield* act(() => dialog.getByText("The payload is not JSON").waitFor())
      yield* act(() => dialog.getByLabel("Payload").fill('{ "by": "Ada" }'))
      yield* act(() => dialog.getByRole("button", { name: "Send" }).click())
      yield* world.script.began(id, 2)
      yield* act(() => page.getByText("continued once", { exact: true }).waitFor())
      yield* act(() => page.locator(".job-title").getByText("running").waitFor())
      yield* act(() => page.getByRole("listbox", { name: "Events" }).getByText("signal approve from page").waitFor())
      expect(problems).toEqual([])
    })
  )

  it.scoped("takes no answer to a question that is no longer open", () =>
    Effect.gen(function* () {
      const { logs, world } = yield* worldWithLogs
      const id = yield* world.client.start(config())
      const plan = [planned([{ id: "api", tasks: ["Serve"] }]), makeTask(logs).begin("api")]
      const asks = (question: string) => ({ type: "unit.asked", unit: "api", payload: { task: 1, question } })
      yield* happen(world.script, id, [...plan, asks("Which port?")])
      const { page, problems } = yield* world.open(`/jobs/${id}`)
      yield* act(() => page.getByRole("button", { name: "Answer …" }).click())
      const dialog = page.getByRole("dialog")
      yield* act(() => dialog.getByRole("textbox").fill("8080"))
      const send = dialog.getByRole("button", { name: "Answer" })
      const look = act(() => send.evaluate((button) => getComputedStyle(button).backgroundColor))
      const enabled = yield* look
      const answered = { type: "unit.answered", unit: "api", payload: { task: 1, answer: "8081" } }
      yield* happen(world.script, id, [answered, asks("Which host?")])
      yield* act(() => dialog.getByText("This question is no longer open").waitFor())
      yield* act(() => dialog.getByText("Which port?").waitFor())
      expect(yield* act(() => send.isEnabled())).toBe(false)
      // It looks so, too.
      expect(yield* look).not.toBe(enabled)
      expect(problems).toEqual([])
    })
  )

  it.scoped("says what tasks, units and the job have cost, and continues a job at its limit with a new total", () =>
    Effect.gen(function* () {
      const { logs, world } = yield* worldWithLogs
      const { agent, begin, spent } = makeTask(logs)
      const id = yield* world.client.start(config())
      const plan = planned([
        { id: "api", tasks: ["Serve", "Check"] },
        { id: "web", tasks: ["Show"] }
      ])
      const work = [plan, begin("api"), ...agent("api", 1, 1, "Serve", ""), spent("api", 1, 0.4), spent("api", 2, 0.8)]
      yield* world.script.send(id, ...emitAll([...work, spent("web", 1, 0.3)]))
      const { page, problems } = yield* world.open(`/jobs/${id}?unit=api`)
      yield* act(() => page.locator(".job-facts").getByText("$1.50").waitFor())
      yield* act(() => page.locator(".side-head").getByText("$1.20").waitFor())
      yield* act(() =>
        page
          .getByRole("region", { name: "Tasks" })
          .getByRole("button", { name: /1 Serve.*\$0\.40/ })
          .waitFor()
      )

      const limits = { reason: "the job has reached its limit of $1.50", limits: { usd: 1.5 } }
      yield* world.script.send(id, Step.park({ ...limits, signal: "charlotte.resume" }))
      yield* act(() => page.getByRole("button", { name: "Resume up to $3.00" }).click())
      yield* world.script.began(id, 2)
      yield* act(() => page.getByRole("tab", { name: "Events" }).click())
      yield* act(() =>
        page.getByRole("listbox", { name: "Events" }).getByText("may spend $3.00 in all, says page").waitFor()
      )
      expect(problems).toEqual([])
    })
  )

  it.scoped("stops a job, and says when it is really over", () =>
    Effect.gen(function* () {
      const { world } = yield* worldWithLogs
      const id = yield* world.client.start(config())
      yield* world.script.send(id, Step.cleanUp("150 millis"))
      const { page, problems } = yield* world.open(`/jobs/${id}`)
      yield* act(() => page.locator(".job-title").getByText("running").waitFor())
      yield* act(() => page.keyboard.press("x"))
      const question = page.getByRole("dialog", { name: "Stop 1 job?" })
      yield* act(() => question.waitFor())
      // Leaving the dialog leaves the job.
      yield* act(() => page.keyboard.press("Escape"))
      expect((yield* world.client.get(id)).phase).toBe("running")
      yield* act(() => page.getByRole("button", { name: "Stop", exact: true }).click())
      yield* act(() => question.getByRole("button", { name: "Stop" }).click())
      yield* act(() => page.getByText(/^1 job stopped in \d+(\.\d)? m?s$/).waitFor())
      yield* act(() => page.locator(".job-title").getByText("cancelled").waitFor())
      expect((yield* world.client.get(id)).status).toBe("cancelled")
      yield* act(() => page.getByRole("button", { name: "Retry" }).waitFor())
      expect(problems).toEqual([])
    })
  )

  it.scoped("moves among the matches of the whole text searched for, also where Enter follows at once", () =>
    Effect.gen(function* () {
      const { show } = yield* busy
      const { page } = yield* show()
      yield* act(() => log(page).getByText("AssertionError").waitFor())
      yield* act(() =>
        page.getByRole("searchbox", { name: "Search the log" }).evaluate((input) => {
          if (!(input instanceof HTMLInputElement)) throw new Error("not an input")
          for (const text of ["sh", "shout"]) {
            input.value = text
            input.dispatchEvent(new InputEvent("input", { bubbles: true }))
          }
          for (const _ of [1, 2]) input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }))
        })
      )
      yield* act(() => page.getByText("3 of 4").waitFor())
    })
  )

  it.scoped("can be used with the keyboard only", () =>
    Effect.gen(function* () {
      const { show } = yield* busy
      const { page, problems } = yield* show("?view=graph")
      const press = (...keys: ReadonlyArray<string>) =>
        Effect.forEach(keys, (key) => act(() => page.keyboard.press(key)), { discard: true })
      const focused = act(() => page.evaluate(() => document.activeElement?.getAttribute("data-node") ?? ""))
      const unit = (name: string) => act(() => page.getByRole("region", { name: `Unit ${name}` }).waitFor())

      // Tab leads into the graph at the selected unit, arrows along the dependencies.
      yield* act(() => page.getByRole("tab", { name: "Graph" }).focus())
      yield* press("Tab", "Tab", "Tab", "Tab")
      expect(yield* focused).toBe("cli")
      yield* press("ArrowLeft")
      expect(yield* focused).toBe("core")
      yield* press("Enter")
      yield* unit("core")
      yield* press("Escape")
      yield* unit("cli")

      // Tabs by arrows, the timeline by arrows and Enter.
      yield* act(() => page.getByRole("tab", { name: "Graph" }).focus())
      yield* press("ArrowRight")
      yield* act(() => page.getByRole("tree", { name: "Timeline" }).focus())
      yield* press("Home", "ArrowDown", "ArrowDown", "Enter")
      yield* unit("core")
      yield* press("ArrowUp", "ArrowLeft")
      yield* act(() => page.getByRole("treeitem", { name: /^core/, expanded: false }).waitFor())

      // Search in the log, from match to match, and out again.
      yield* press("Escape")
      yield* unit("cli")
      yield* act(() => log(page).getByText("AssertionError").waitFor())
      yield* act(() => log(page).focus())
      yield* press("/")
      yield* act(() => page.keyboard.type("shout"))
      yield* act(() => page.getByText("1 of 4").waitFor())
      yield* press("Enter", "Enter")
      yield* act(() => page.getByText("3 of 4").waitFor())
      yield* press("Shift+Enter")
      yield* act(() => page.getByText("2 of 4").waitFor())
      yield* press("Escape")

      // The events, and the payload of one.
      yield* press("4")
      yield* act(() => page.getByRole("listbox", { name: "Events" }).focus())
      yield* press("End")
      yield* act(() =>
        page
          .getByRole("region", { name: /^Event \d+/ })
          .getByText("agent:")
          .waitFor()
      )
      yield* press("?")
      yield* act(() => page.getByRole("dialog").getByText("Follow the end of the log").waitFor())
      yield* press("Escape")
      expect(problems).toEqual([])
    })
  )

  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1280, 375]) {
      it.scoped(`has no violation of axe, ${colorScheme}, ${width} pixels wide`, () =>
        Effect.gen(function* () {
          const { show } = yield* busy
          const { page } = yield* show("", { colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" })
          yield* act(() => log(page).getByText("AssertionError").waitFor())
          for (const key of ["1", "2", "3", "4", "5"]) {
            yield* act(() => page.keyboard.press(key))
            expect(yield* violations(page), `panel ${key}`).toEqual([])
          }
          const overflow = yield* act(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
          expect(overflow).toBeLessThanOrEqual(0)
        })
      )
    }
  }
})
