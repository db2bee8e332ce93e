/** The page in an application: its login, its readers, its tenants, its addresses, and what happens when it restarts. */
import { expect, layer } from "@effect/vitest"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Context, Effect, Exit, Scope } from "effect"
import type { Page } from "playwright-core"
import { inject } from "vitest"
import * as Mounted from "../http/mounted.js"
import { act, layer as browser, profile } from "./support/Browser.js"
import { applications, signIn } from "./support/places.js"

const row = (page: Page, text: string) => page.locator("tr[data-job]").filter({ hasText: text })

/** The application with the page below `/a/b`, and jobs of two tenants. */
const shop = (options: Mounted.Options = {}) =>
  Effect.gen(function* () {
    const path = "/a/b"
    const app = yield* Mounted.make({ path, files: inject("page"), ...options })
    const errands = Context.get(app.services, Mounted.Errand)
    const origin = `http://127.0.0.1:${app.port}`
    return {
      ...app,
      origin,
      page: `${origin}${path}`,
      people: Context.get(app.services, Mounted.People),
      script: Context.get(app.services, ScriptedOrchestrator.ScriptedOrchestrator),
      start: (tenant: string, tasksDir: string) => errands.start({ ...Mounted.errandOf(tenant), tasksDir }),
      get: errands.get
    }
  })

layer(browser, { excludeTestServices: true })("the page in an application", (it) => {
  it.scoped(
    "leads to the login, shows the jobs to a person who has signed in, and leads there again after a sign-out",
    () =>
      Effect.gen(function* () {
        const { origin, page: address, people, start } = yield* shop()
        yield* start("acme", "first")
        const { problems, tab } = yield* profile()
        const page = yield* tab
        yield* act(() => page.goto(address))
        yield* act(() => page.getByText("Who are you?").waitFor())
        yield* act(() => page.goto(`${origin}/login?as=ada&to=/a/b`))
        yield* act(() => row(page, "first").waitFor())
        people.delete("ada")
        // It is noticed by the next request, or within a minute.
        yield* act(() => row(page, "first").getByRole("link").click())
        yield* act(() => page.getByRole("link", { name: "Load the page again" }).click())
        yield* act(() => page.getByText("Who are you?").waitFor())
        expect(problems).toEqual([])
      })
  )

  it.scoped("says that the session has ended, and leads to the login", () =>
    Effect.gen(function* () {
      const server = yield* Scope.make()
      const first = yield* Scope.extend(shop(), server)
      const { page } = yield* signIn(first.origin, "ada")
      yield* act(() => page.goto(first.page))
      yield* act(() => page.getByText("No jobs yet").waitFor())
      yield* act(() => page.context().clearCookies())
      // The stream is opened again, without the cookie.
      yield* Scope.close(server, Exit.void)
      yield* shop({ port: first.port })
      yield* act(() => page.getByRole("alert").getByText("You are signed out.").waitFor())
      yield* act(() => page.getByRole("link", { name: "Sign in" }).click())
      yield* act(() => page.getByText("Who are you?").waitFor())
    })
  )

  it.scoped("continues by itself once the application has restarted, and has seen each event", () =>
    Effect.gen(function* () {
      const server = yield* Scope.make()
      const first = yield* Scope.extend(shop(), server)
      const { page, problems } = yield* signIn(first.origin, "ada")
      yield* act(() => page.goto(first.page))
      yield* act(() => page.getByText("No jobs yet").waitFor())
      yield* act(() => page.evaluate(() => void Reflect.set(window, "isSame", true)))
      yield* Scope.close(server, Exit.void)
      yield* act(() => page.getByRole("alert").getByText("The server does not respond").waitFor())
      const { start } = yield* shop({ port: first.port })
      yield* act(() => page.getByRole("alert").waitFor({ state: "detached" }))
      yield* start("acme", "afterwards")
      yield* act(() => row(page, "afterwards").getByText("running").waitFor())
      expect(yield* act(() => page.evaluate(() => Reflect.get(window, "isSame")))).toBe(true)
      expect(problems).toEqual([])
    })
  )

  it.scoped("has no actions for a reader, by mouse or keyboard", () =>
    Effect.gen(function* () {
      const { get, origin, page: address, script, start } = yield* shop({ isScoped: true })
      const id = yield* start("acme", "works")
      const failed = yield* start("acme", "broken")
      yield* script.send(failed, Step.fail({ message: "no" }))
      const { page, problems } = yield* signIn(origin, "rob")
      const acts: Array<string> = []
      page.on("request", (request) => {
        if (request.method() !== "GET") acts.push(request.url())
      })
      yield* act(() => page.goto(address))
      yield* act(() => row(page, "broken").getByText("failed").waitFor())
      yield* act(async () => {
        for (const key of ["j", "x", "j", "x", "s", "r"]) await page.keyboard.press(key)
      })
      yield* act(() => page.getByRole("toolbar").waitFor())
      const actions = page.getByRole("button", { name: /Stop|Resume|Retry|Signal/ })
      expect(yield* act(() => actions.count())).toBe(0)
      yield* act(() => page.keyboard.press("Escape"))
      for (const [job, text] of [
        [id, "running"],
        [failed, "failed"]
      ] as const) {
        yield* act(() => page.goto(`${address}/${job}`))
        yield* act(() => page.locator(".job-title").getByText(text).waitFor())
        yield* act(async () => {
          for (const key of ["x", "r", "s", "d"]) await page.keyboard.press(key)
        })
        expect(yield* act(() => actions.count())).toBe(0)
        expect(yield* act(() => page.getByRole("dialog").count())).toBe(0)
      }
      expect(acts).toEqual([])
      expect(yield* get(id)).toMatchObject({ _tag: "Some" })
      expect(problems).toEqual([])
    })
  )

  it.scoped("shows two persons their own jobs, also in two tabs of one browser, one after the other", () =>
    Effect.gen(function* () {
      const { origin, page: address, start } = yield* shop({ isScoped: true })
      const { context, page, problems } = yield* signIn(origin, "ada")
      yield* act(() => page.goto(address))
      yield* start("acme", "for ada")
      yield* act(() => row(page, "for ada").waitFor())
      yield* act(() => context.addCookies([{ name: "session", value: "bea", url: origin }]))
      const other = yield* act(() => context.newPage())
      yield* act(() => other.goto(address))
      yield* act(() => other.getByText("No jobs yet").waitFor())
      yield* start("acme", "also for ada")
      yield* start("bolt", "for bea")
      yield* act(() => row(other, "for bea").waitFor())
      expect(yield* act(() => other.getByText("for ada").count())).toBe(0)
      expect(problems).toEqual([])
    })
  )

  it.scoped("asks the application for nothing that it does not have, also about a job that waits", () =>
    Effect.gen(function* () {
      const { get, origin, page: address, script, start } = yield* shop()
      const id = yield* start("acme", "works")
      const { page, problems } = yield* signIn(origin, "ada")
      const missed: Array<string> = []
      page.on("response", (response) => {
        if (response.status() === 404) missed.push(response.url())
      })
      yield* act(() => page.goto(address))
      yield* act(() => row(page, "works").getByText("running").waitFor())
      yield* script.send(id, Step.park({ reason: "waits", signal: "go" }))
      yield* act(() => row(page, "works").filter({ hasText: "parked" }).waitFor())
      yield* act(() => row(page, "works").getByRole("link").click())
      yield* act(() => page.getByRole("button", { name: "Signal" }).waitFor())
      expect(yield* act(() => page.getByRole("button", { name: "Reschedule" }).count())).toBe(0)
      expect(yield* get(id)).toMatchObject({ _tag: "None" })
      expect([missed, problems]).toEqual([[], []])
    })
  )

  it.scoped("has no system, diff or log", () =>
    Effect.gen(function* () {
      const { origin, page: address, start } = yield* shop()
      const id = yield* start("acme", "works")
      const { page } = yield* signIn(origin, "ada")
      yield* act(() => page.goto(`${address}/${id}`))
      yield* act(() => page.locator(".job-title").getByText("running").waitFor())
      for (const name of ["System", "Diff", "Review", "Land"]) {
        expect([name, yield* act(() => page.getByRole("link", { name }).count())]).toEqual([name, 0])
      }
      yield* act(() => page.keyboard.press("d"))
      yield* act(() => page.keyboard.press("g"))
      yield* act(() => page.keyboard.press("s"))
      expect(page.url()).toBe(`${address}/${id}`)
    })
  )
})

layer(browser, { excludeTestServices: true })("every address of the page", (it) => {
  for (const place of applications) {
    it.scoped(`is below its path, ${place.name}, and shows the same when it is loaded again`, () =>
      Effect.gen(function* () {
        const world = yield* place.make()
        const id = yield* world.start({ repoPath: "/repository", tasksDir: "works", targetBranch: "main" })
        const { page, problems } = yield* world.open()
        const root = yield* world.addressOf("/jobs")
        const asked: Array<string> = []
        page.on("request", (request) => asked.push(request.url()))
        yield* act(() => row(page, "works").getByRole("link").click())
        yield* act(() => page.locator(".job-title").getByText("running").waitFor())
        expect(page.url()).toBe(yield* world.addressOf(`/jobs/${id}`))
        yield* act(() => page.reload())
        yield* act(() => page.locator(".job-title").getByText("running").waitFor())
        yield* act(() => page.getByRole("button", { name: "Stop" }).click())
        yield* act(() => page.getByRole("dialog").getByRole("button", { name: "Stop" }).click())
        yield* act(() => page.locator(".job-title").getByText("cancelled").waitFor())
        yield* act(() => page.getByRole("button", { name: "Retry" }).click())
        yield* act(() => page.locator(".job-facts").getByText("retries").waitFor())
        yield* act(() => page.goBack())
        yield* act(() => page.locator(".job-facts").getByText("retried by").waitFor())
        yield* act(() => page.keyboard.press("g"))
        yield* act(() => page.keyboard.press("j"))
        yield* act(() => row(page, "works").first().waitFor())
        expect(page.url()).toBe(root)
        yield* act(() => page.getByRole("link", { name: "failed" }).click())
        yield* act(() => page.getByText("No job matches").waitFor())
        yield* act(() => page.reload())
        yield* act(() => page.getByText("No job matches").waitFor())
        expect(asked.filter((url) => !url.startsWith(root))).toEqual([])
        expect(asked.length).toBeGreaterThan(10)
        expect(problems).toEqual([])
      })
    )
  }
})
