/** How a browser comes to its session, keeps it, and loses it. */
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import { send } from "../http/requests.js"
import { act, layer as browser, profile } from "./support/Browser.js"
import * as World from "./support/World.js"

const kept = (page: Page) => act(() => page.evaluate(() => localStorage.getItem("charlotte.session")))

layer(browser, { excludeTestServices: true })("the session of a browser", (it) => {
  it.scoped("begins with the code of its address, which leaves the address and the history, and sets no cookie", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const opening = yield* world.opening("/jobs?status=failed")
      const { context, tab } = yield* profile()
      const page = yield* tab
      const sent: Array<string> = []
      page.on("request", (request) => sent.push(request.url()))
      yield* act(() => page.goto(opening))
      yield* act(() => page.getByText("No job matches").waitFor())
      const code = new URL(opening).hash.replace("#code=", "")
      expect(code).toMatch(/^[\w-]{22}$/)
      expect(page.url()).toBe(opening.replace(`#code=${code}`, ""))
      expect(sent.filter((url) => url.includes(code))).toEqual([])
      expect(yield* act(() => context.cookies())).toEqual([])
      expect(yield* kept(page)).not.toContain(code)

      yield* act(() => page.getByRole("link", { name: "System" }).click())
      yield* act(() => page.goBack())
      yield* act(() => page.getByText("No job matches").waitFor())
      expect(page.url()).not.toContain(code)
    })
  )

  it.scoped("begins once with a code: a second browser with the same address shows how to get its own", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const opening = yield* world.opening()
      const first = yield* World.visit(Effect.succeed(opening))
      yield* act(() => first.page.getByText("No jobs yet").waitFor())
      const second = yield* World.visit(Effect.succeed(opening))
      yield* act(() => second.page.getByText("Open the page from a terminal").waitFor())
      yield* act(() => second.page.getByText("charlotte open", { exact: true }).waitFor())
      expect(yield* kept(second.page)).toBeNull()
      expect(second.page.url()).not.toContain("code")
    })
  )

  it.scoped("ends in an open page where it is revoked, and goes on in it once another tab has begun one", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { context, page, problems } = yield* world.open()
      yield* act(() => page.getByText("No jobs yet").waitFor())
      const { status } = yield* send({ socketPath: world.socket }, { method: "DELETE", path: "/api/v1/sessions" })
      expect(status).toBe(200)
      yield* act(() => page.getByRole("alert").getByText("This session has ended. Run charlotte open").waitFor())

      const opening = yield* world.opening()
      const other = yield* act(() => context.newPage())
      yield* act(() => other.goto(opening))
      yield* act(() => other.getByText("No jobs yet").waitFor())
      yield* act(() => page.getByRole("alert").waitFor({ state: "detached" }))
      yield* world.client.start({ repoPath: "/repository", tasksDir: "afterwards", targetBranch: "main" })
      for (const tab of [page, other]) yield* act(() => tab.getByText("afterwards").waitFor())
      expect(problems).toEqual([])
    })
  )
})
