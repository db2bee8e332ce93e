/** What an open page does when its daemon is killed, and while another program has the port. */
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { createServer, type IncomingMessage } from "node:http"
import * as Charlotte from "../cli/process/Charlotte.js"
import * as Daemon from "../cli/process/Daemon.js"
import * as Tasks from "../cli/process/Tasks.js"
import { send } from "../http/requests.js"
import { act, layer as browser } from "./support/Browser.js"
import { installPage } from "./support/Daemon.js"
import * as recorder from "./support/recorder.js"
import { openingOf, visit } from "./support/World.js"

installPage()

const kill = (pid: number) => Effect.zipRight(Daemon.kill(pid, "SIGKILL"), Daemon.gone(pid))

/** The cursors of all events of a job that is over. */
const cursorsOf = (world: Charlotte.World, id: string) =>
  Effect.map(send({ socketPath: `${world.home}/socket` }, { path: `/api/v1/jobs/${id}/export` }), ({ text }) => {
    const { events }: { events: ReadonlyArray<{ cursor: number }> } = JSON.parse(text)
    return events.map(({ cursor }) => cursor)
  })

/** Answers everything, and keeps what it was sent. */
const impostor = (port: number) =>
  Effect.gen(function* () {
    const requests: Array<IncomingMessage> = []
    yield* Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>>((resume) => {
        const server = createServer((request, response) => {
          requests.push(request)
          response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ proof: "0".repeat(64) }))
        })
        server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return requests
  })

layer(browser, { excludeTestServices: true })("an open page whose daemon is killed with SIGKILL", (it) => {
  it.scoped("says so, reconnects by itself, and has seen each event once, in the list and in the view of a job", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(Tasks.waiting())
      const { pid } = yield* Daemon.up(world)
      const { context, page, problems } = yield* visit(openingOf(`${world.home}/socket`))
      yield* act(() => page.getByText("No jobs yet").waitFor())
      yield* recorder.start(page)

      const id = yield* Daemon.submit(world)
      yield* Tasks.reached(world)
      yield* act(() => page.locator("tr[data-job]").getByText("running").waitFor())
      const view = yield* act(() => context.newPage())
      yield* act(() => view.goto(new URL(`/jobs/${id}`, page.url()).href))
      yield* act(() => view.getByText("1 task at work: a 2").waitFor())
      yield* act(() => view.evaluate(() => void Reflect.set(window, "isSame", true)))

      yield* kill(pid)
      const banner = page.getByRole("alert")
      yield* act(() => banner.getByText("Charlotte does not respond").waitFor())

      yield* Daemon.up(world)
      yield* act(() => banner.waitFor({ state: "detached" }))
      yield* Tasks.release(world)
      yield* act(() => page.locator(`tr[data-job="${id}"]`).getByText("completed").waitFor())

      yield* act(() => view.locator(".job-title").getByText("completed").waitFor())
      yield* act(() => view.locator(".job-facts").getByText("continued once").waitFor())
      yield* act(() => view.getByText("3 of 3 tasks").waitFor())
      expect(yield* act(() => view.evaluate(() => Reflect.get(window, "isSame")))).toBe(true)
      // Reading what was recorded fails if the page was loaded again.
      const seen = yield* act(() => recorder.read(page))
      expect(seen.map(({ cursor }) => cursor)).toEqual(yield* cursorsOf(world, id))
      expect(seen.map(({ type }) => type)).toEqual(expect.arrayContaining(["job.interrupted", "job.resumed"]))
      expect(problems).toEqual([])
      yield* Daemon.down(world)
    })
  )

  it.scoped("sends nothing secret to a program that has taken the port", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      const { pid } = yield* Daemon.up(world)
      const { page } = yield* visit(openingOf(`${world.home}/socket`))
      yield* act(() => page.getByText("No jobs yet").waitFor())
      const token = yield* act(() => page.evaluate(() => JSON.parse(localStorage["charlotte.session"]).token))
      expect(token).toEqual(expect.any(String))
      yield* kill(pid)

      yield* Effect.gen(function* () {
        const requests = yield* impostor(Number(new URL(page.url()).port))
        yield* act(() => page.getByRole("alert").getByText("Another program responds").waitFor())
        // It goes on asking, and what it asks for holds no token.
        yield* act(() => page.waitForRequest(/\/session\/proof$/))
        expect(requests.length).toBeGreaterThan(0)
        for (const { headers, rawHeaders, url } of requests) {
          expect(headers.authorization).toBeUndefined()
          expect([url, ...rawHeaders].join(" ")).not.toContain(token)
        }
      }).pipe(Effect.scoped)

      yield* Daemon.up(world)
      yield* act(() => page.getByRole("alert").waitFor({ state: "detached" }))
      yield* Daemon.submit(world)
      yield* act(() => page.getByText("completed").last().waitFor())
      yield* Daemon.down(world)
    })
  )
})
