import { expect, layer } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { DateTime, Deferred, Effect } from "effect"
import { AgentLimit } from "../../../src/domain/AgentLimit.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

const config = (tasksDir: string) => ({ repoPath: "/home/ada/greeter", tasksDir, targetBranch: "main" })

layer(browser, { excludeTestServices: true })("the system", (it) => {
  it.scoped("shows capacity, queue, throughput and parked agents, and follows what happens", () =>
    Effect.gen(function* () {
      const until = DateTime.add(DateTime.unsafeNow(), { minutes: 90 })
      const agents = Effect.succeed([
        { name: "claude", installed: true },
        { name: "codex", installed: false }
      ])
      const world = yield* World.make({ maxJobs: 2, server: { maxJobs: 2, agents } })
      const first = yield* world.client.start(config("one"))
      const limit = new AgentLimit({
        agent: "claude",
        reason: "usage <b>limit</b> reached",
        since: until,
        until,
        refusals: 0
      })
      yield* world.store.agentLimits.record({ jobId: first, attempt: 1, limit })
      const { page, problems } = yield* world.open("/system")
      const gauge = (name: string) => page.locator(".gauges > div").filter({ hasText: name })
      const agent = (name: string) => page.getByRole("row").filter({ hasText: name })
      yield* act(() =>
        agent("claude")
          .getByText(/^free again (tomorrow )?\d\d:\d\d$/)
          .waitFor()
      )
      yield* act(() => agent("claude").getByText("usage <b>limit</b> reached").waitFor())
      yield* act(() => agent("codex").getByText("not installed").waitFor())

      yield* act(() => page.getByRole("button", { name: "Pause tasks" }).click())
      yield* act(() => page.getByText(/^ ?since \d\d:\d\d by page$/).waitFor())
      expect(yield* Effect.flip(world.client.start(config("two")))).toMatchObject({ _tag: "KindPaused" })
      yield* act(() => page.getByRole("link", { name: "Jobs", exact: true }).click())
      yield* act(() => page.getByText("Jobs of kind tasks have been paused since").waitFor())
      yield* act(() => page.getByRole("button", { name: "Unpause" }).click())
      yield* act(() => page.getByText("Jobs of kind tasks have been paused since").waitFor({ state: "detached" }))
      yield* act(() => page.getByRole("link", { name: "System", exact: true }).click())
      yield* act(() => page.getByRole("button", { name: "Pause tasks" }).waitFor())

      // A lower limit stops no job, and the configured one returns.
      const question = page.getByRole("dialog", { name: "Limit tasks" })
      yield* act(() => page.getByRole("button", { name: "Limit tasks" }).click())
      yield* act(() => question.getByLabel("How many jobs run at once").fill("1"))
      yield* act(() => question.getByRole("button", { name: "Limit" }).click())
      yield* act(() => page.getByRole("row").getByText("of 1", { exact: true }).waitFor())
      expect((yield* world.client.kinds).map(({ maxJobs }) => maxJobs)).toEqual([1])
      yield* act(() => page.getByRole("button", { name: "Limit tasks" }).click())
      yield* act(() => question.getByRole("button", { name: "Use the default" }).click())
      yield* act(() => page.getByRole("row").getByText("of 2", { exact: true }).waitFor())

      yield* world.client.start(config("two"))
      yield* world.client.start(config("three"), { whenFull: "queue" })
      yield* act(() => gauge("Running").getByText("2 of 2").waitFor())
      yield* act(() => gauge("Pending").getByText("the oldest for").waitFor())

      yield* world.script.send(first, Step.succeed("done"))
      yield* act(() => page.getByText("1 completed").waitFor())
      yield* act(() => page.getByText("median").first().waitFor())
      yield* act(() =>
        page.getByRole("img", { name: /^Events in each of the last 60 seconds, at most [1-9]/ }).waitFor()
      )
      expect(yield* act(() => page.title())).toBe("System · Charlotte")
      expect(problems).toEqual([])
    })
  )

  it.scoped("names a job that does not end in time", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const free = yield* Deferred.make<void>()
      const id = yield* world.client.start(config("one"))
      yield* world.script.send(id, () => Effect.uninterruptible(Deferred.await(free)))
      yield* Effect.fork(Effect.exit(world.client.stop(id, { grace: 0 })))
      yield* Effect.repeat(world.client.system, { until: ({ overdue }) => overdue !== undefined })
      const { page, problems } = yield* world.open("/system")
      yield* act(() => page.getByText("Overdue: 1 job did not end in time and keeps its place").waitFor())
      yield* act(() => page.getByRole("link", { name: id.slice(-6), exact: true }).waitFor())
      yield* Deferred.succeed(free, undefined)
      expect(problems).toEqual([])
    })
  )

  it.scoped("shows what the jobs of each of the last days have cost, and nothing where nothing was spent", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const jobId = yield* world.client.start(config("one"))
      yield* world.script.send(jobId, Step.succeed("done"))
      yield* world.manager.await(jobId)
      const { context, page, problems } = yield* world.open("/system")
      const costs = page.getByRole("region", { name: "Cost, by day" })
      yield* act(() => page.getByText("1 completed").waitFor())
      expect(yield* act(() => costs.count())).toBe(0)

      /** The days on which jobs have ended: what the server lists, on other days and at other costs. */
      let days = [31, 30, 30, 29, 28, 27, 26, 25, 24]
      const tokens = { input: 1_000, cached: 10_000, output: 500 }
      yield* act(() =>
        context.route(/\/api\/v1\/jobs\?.*status=completed/, async (route) => {
          const { jobs }: { readonly jobs: ReadonlyArray<object> } = await (await route.fetch()).json()
          const listed = days.map((day) => {
            const time = `2026-01-${day}T12:00:00Z`
            return { ...jobs[0], createdAt: time, endedAt: time, cost: day === 30 ? { ...tokens, usd: 1.2 } : tokens }
          })
          await route.fulfill({ json: { jobs: listed, next: jobId } })
        })
      )
      yield* act(() => page.reload())
      yield* act(() => costs.waitFor())
      const rows = yield* act(() => costs.getByRole("row").allInnerTexts())
      expect(rows.slice(0, 3).map((row) => row.split(/\s+/))).toEqual([
        ["Day", "Jobs", "Money", "Tokens"],
        ["2026-01-31", "1", "–", "11.5k"],
        ["2026-01-30", "2", "$2.40", "23.0k"]
      ])
      expect(rows).toHaveLength(8)
      expect(yield* act(() => costs.getByText("of the latest jobs").count())).toBe(0)
      yield* act(() => page.setViewportSize({ width: 375, height: 800 }))
      expect(yield* violations(page)).toEqual([])
      const overflow = yield* act(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
      expect(overflow).toBeLessThanOrEqual(0)

      days = [31, 30]
      yield* act(() => page.reload())
      yield* act(() => costs.getByText("an estimate, of the latest jobs").waitFor())
      expect(problems).toEqual([])
    })
  )
})
