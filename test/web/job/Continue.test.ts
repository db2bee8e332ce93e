/** Jobs that failed or were interrupted continue by the buttons of their page, with real tasks in a real repository. */
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import type { Page } from "playwright-core"
import * as Charlotte from "../../cli/process/Charlotte.js"
import * as Daemon from "../../cli/process/Daemon.js"
import * as Tasks from "../../cli/process/Tasks.js"
import { task, unit } from "../../tasks/Jobs.js"
import { act, layer as browser } from "../support/Browser.js"
import { installPage } from "../support/Daemon.js"
import { openingOf, visit } from "../support/World.js"

installPage()

/** The second task fails, or waits, until there is a file. */
const plan = (second: string) => ({
  "charlotte.yaml": "agent: script\nattempts: 1\n",
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-one.md": task(1, "echo one >> one", "test $(wc -l < one) = 1"),
  "a/02-two.md": task(2, second, "grep two two", [1])
})

const failing = (root: string) => plan(`test -e '${root}/go' && echo two > two`)

/** Two sets of tasks, each waiting for a file of its own. */
const two = (root: string) => {
  const waiting = (name: string) =>
    Object.entries(
      plan(`touch '${root}/${name}'\nwhile ! test -e '${root}/go-${name}'; do sleep 0.05; done\necho two > two`)
    )
  return Object.fromEntries(
    ["first", "second"].flatMap((name) => waiting(name).map(([file, text]) => [`${name}/${file}`, text] as const))
  )
}

/** Two agents that ask. */
const asking = () => ({
  "charlotte.yaml": "agent: asker\n",
  "api/IMPLEMENTATION_PLAN.md": unit(),
  "api/01-one.md": task(1, "true", "grep 8080 api.txt"),
  "web/IMPLEMENTATION_PLAN.md": unit(),
  "web/01-one.md": task(1, "true", "grep 8081 web.txt")
})

/** Asks until the prompt has an answer, and then does what that says. */
const askers = `agents:
  asker:
    command:
      - sh
      - -c
      - |
        prompt=$(cat); unit=\${PWD##*/}
        say() { printf '{"type":"assistant","message":{"content":[{"type":"text","text":"%s"}]}}\\n' "$1"; }
        case $prompt in
          *"Use 80"*) echo "$prompt" | grep -o 'Use 80..' > $unit.txt; say done ;;
          *) say "QUESTION: Which port for $unit?" ;;
        esac
    format: claude-stream-json
`

const status = (page: Page, text: string) => act(() => page.locator(".job-title").getByText(text).waitFor())

/** Fails if the page was loaded again since. */
const mark = (page: Page) =>
  Effect.map(
    act(() => page.evaluate(() => void Reflect.set(window, "isSame", true))),
    () =>
      Effect.map(
        act(() => page.evaluate(() => Reflect.get(window, "isSame"))),
        (isSame) => expect(isSame).toBe(true)
      )
  )

layer(browser, { excludeTestServices: true })("the buttons of a job", (it) => {
  it.scoped(
    "retry one that failed: the new job is shown, works on from what was completed, and completes, without loading again",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(failing)
        yield* Daemon.up(world)
        const id = yield* Daemon.submit(world, "--label team=web")
        const { page, problems } = yield* visit(openingOf(`${world.home}/socket`, `/jobs/${id}`))
        yield* status(page, "failed")
        const same = yield* mark(page)

        yield* world.write(`${world.root}/go`, "")
        yield* act(() => page.getByRole("button", { name: "Retry", exact: true }).click())
        yield* act(() => page.waitForURL((url) => /^\/jobs\/\w{26}$/.test(url.pathname) && !url.pathname.includes(id)))
        yield* act(() => page.locator(".job-facts").getByText("team=web").waitFor())
        yield* status(page, "completed")
        yield* act(() => page.getByText("2 of 2 tasks").waitFor())
        // Its first task was not done again.
        expect(yield* Tasks.done(world)).toEqual(["a 1", "a 2"])
        yield* same
        expect(problems).toEqual([])
        yield* Daemon.down(world)
      })
  )

  it.scoped("land what is done of one that failed, in a new job that is shown", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world((root) => ({
        ...failing(root),
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-three.md": task(1, "echo three > three", "test -e three")
      }))
      yield* Daemon.up(world)
      const id = yield* Daemon.submit(world)
      const { page, problems } = yield* visit(openingOf(`${world.home}/socket`, `/jobs/${id}`))
      yield* status(page, "failed")
      yield* act(() => page.getByText(`charlotte land ${id}`).waitFor())
      yield* act(() => page.getByRole("button", { name: "Land" }).click())
      yield* act(() => page.waitForURL((url) => /^\/jobs\/\w{26}$/.test(url.pathname) && !url.pathname.includes(id)))
      yield* status(page, "completed")
      yield* act(() =>
        page
          .locator(".job-facts")
          .getByText(/^lands /)
          .waitFor()
      )
      yield* act(() => page.getByText("All work is done, and landed on main").waitFor())
      expect(existsSync(`${world.repository}/three`)).toBe(true)
      yield* act(() => page.getByText("Done before this job began").waitFor())
      expect(yield* act(() => page.getByText("follows the work").count())).toBe(0)
      const lander = new URL(page.url()).pathname
      yield* act(() => page.locator(".job-facts").getByRole("link").click())
      yield* status(page, "failed")
      yield* act(() =>
        page
          .locator(".job-facts")
          .getByText(/^landed by /)
          .getByRole("link")
          .click()
      )
      yield* act(() => page.waitForURL((url) => url.pathname === lander))
      expect(problems).toEqual([])
      yield* Daemon.down(world)
    })
  )

  it.scoped("retry one unit of one that failed, in a new job that is shown", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world((root) => ({
        ...failing(root),
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-three.md": task(1, "false", "test -e three")
      }))
      yield* Daemon.up(world)
      const id = yield* Daemon.submit(world)
      const { page, problems } = yield* visit(openingOf(`${world.home}/socket`, `/jobs/${id}`))
      yield* status(page, "failed")
      yield* world.write(`${world.root}/go`, "")
      const message = page.locator(".messages").getByRole("listitem").filter({ hasText: "a 2" })
      yield* act(() => message.getByRole("button", { name: "Retry this unit" }).click())
      yield* act(() => page.waitForURL((url) => /^\/jobs\/\w{26}$/.test(url.pathname) && !url.pathname.includes(id)))
      yield* act(() => page.locator(".job-facts").getByText("retries").waitFor())
      yield* act(() => page.getByText(/2 of \d tasks/).waitFor())
      // The other unit, which would fail again, is left as it was.
      const retry = new URL(page.url()).pathname.split("/").at(-1)
      const shown = yield* Charlotte.run(world, `exec charlotte show ${retry} --json`)
      expect(JSON.parse(shown.out)).toMatchObject({ config: { retryOf: id, units: ["a"] } })
      expect(problems).toEqual([])
      yield* Daemon.down(world)
    })
  )

  it.scoped("answer the agents of one that is parked: it runs and completes, without loading again", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(asking)
      yield* world.write(`${world.home}/config.yaml`, askers)
      yield* Daemon.up(world)
      const id = yield* Daemon.submit(world)
      const { page, problems } = yield* visit(openingOf(`${world.home}/socket`, `/jobs/${id}`))
      yield* status(page, "parked")
      const same = yield* mark(page)
      yield* act(() => page.locator(".messages").getByText("Which port for web?").waitFor())

      yield* act(() => page.getByRole("button", { name: "Answer …" }).first().click())
      yield* act(() => page.getByRole("dialog").getByRole("combobox").selectOption("web"))
      yield* act(() => page.getByRole("dialog").getByRole("textbox").fill("Use 8081."))
      yield* act(() => page.getByRole("dialog").getByRole("button", { name: "Answer" }).click())
      yield* act(() => page.locator(".messages").getByText("Which port for web?").waitFor({ state: "detached" }))
      yield* act(() => page.getByRole("button", { name: "Answer …" }).click())
      yield* act(() => page.getByRole("dialog").getByText("Which port for api?").waitFor())
      yield* act(() => page.getByRole("dialog").getByRole("textbox").fill("Use 8080."))
      yield* act(() => page.getByRole("dialog").getByRole("button", { name: "Answer" }).click())
      yield* status(page, "completed")
      expect(yield* world.git(world.repository, "show", "main:api.txt", "main:web.txt")).toBe("Use 8080\nUse 8081\n")
      yield* same
      expect(problems).toEqual([])
      yield* Daemon.down(world)
    })
  )

  it.scoped("resume one that was interrupted: it runs and completes, without loading again", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(two)
      yield* world.git(world.repository, "branch", "other")
      const one = yield* Charlotte.start(world, "exec charlotte run tasks/first --json")
      yield* Tasks.reached(world, "first")
      yield* one.kill("SIGINT")
      const id = idOf((yield* one.ended).out)

      // A daemon would continue it by itself.
      const other = yield* Charlotte.start(world, "exec charlotte run tasks/second --target other")
      yield* Tasks.reached(world, "second")
      const { page, problems } = yield* visit(openingOf(`${world.home}/socket`, `/jobs/${id}`))
      yield* status(page, "interrupted")
      yield* act(() => page.getByText("Interrupted, and not continued yet").waitFor())
      const same = yield* mark(page)

      yield* act(() => page.getByRole("button", { name: "Resume" }).click())
      yield* status(page, "running")
      yield* act(() => page.locator(".job-facts").getByText("continued once").waitFor())
      yield* world.write(`${world.root}/go-first`, "")
      yield* status(page, "completed")
      yield* act(() => page.getByText("2 of 2 tasks").waitFor())
      expect(yield* Tasks.done(world)).toEqual(["a 1", "a 2"])
      yield* same
      expect(problems).toEqual([])
      yield* world.write(`${world.root}/go-second`, "")
      expect((yield* other.ended).code).toBe(0)
    })
  )
})

const idOf = (out: string): string => /"jobId":"(\w{26})"/.exec(out)?.[1] ?? expect.fail(`no id of a job in ${out}`)
