/** Very many jobs of the past: the list is as quick as with a few. */
import { expect, layer } from "@effect/vitest"
import { Database, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import { Duration, Effect, Layer } from "effect"
import { DatabaseSync } from "node:sqlite"
import { figures } from "../../support/figures.js"
import { isLong } from "../../support/long.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

const jobs = isLong ? 1_000_000 : 100_000

/** In milliseconds, until the first job is on the screen, on a machine that does nothing else. */
const mostMillis = 3_000

const manager = (filename: string) =>
  JobManager.layer({ maxJobs: 8 }).pipe(
    Layer.provideMerge(Layer.merge(ScriptedOrchestrator.layer({}), RunStore.layer)),
    Layer.provide(Database.layer({ filename }))
  )

const config = { repoPath: "/home/ada/greeter", tasksDir: "tasks", targetBranch: "main" }

/** The rows that the store writes for each job, put in by one statement: one of twenty has failed, one of ten has a label. */
const fill = (filename: string) =>
  Effect.gen(function* () {
    yield* Effect.scoped(Layer.build(Layer.provide(RunStore.layer, Database.layer({ filename }))))
    const database = new DatabaseSync(filename)
    database.exec("PRAGMA foreign_keys = OFF; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
    database
      .prepare(
        `WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < ?)
         INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at, ended_at, result, error)
         SELECT '01' || printf('%024d', n), 'tasks', iif(n % 20 = 7, 'failed', 'completed'), 1, json_set(?, '$.tasksDir', 'batch ' || n),
           iif(n % 10 = 3, json_object('team', 'team-' || (n / 10 % 10)), '{}'), n * 1000, n * 1000, n * 1000 + 500,
           iif(n % 20 = 7, NULL, '"landed"'), iif(n % 20 = 7, '{"kind":"failure","error":"no","cause":"no"}', NULL)
         FROM series`
      )
      .run(jobs - 1, JSON.stringify(config))
    database.close()
  })

layer(browser, { excludeTestServices: true })(`with ${jobs.toLocaleString("en")} jobs`, (it) => {
  it.scoped(
    "the first page, its counts, a filter and an older page are there at once",
    () =>
      Effect.gen(function* () {
        const filename = yield* TemporaryDirectory.file("jobs.db")
        yield* fill(filename)
        const world = yield* World.make({ jobs: manager(filename) })
        const newest = jobs - 1
        // The server and the browser have loaded what they need.
        const { page, problems } = yield* world.open()
        const timed = (what: string, action: () => Promise<unknown>) =>
          Effect.gen(function* () {
            const [elapsed] = yield* Effect.timed(act(action))
            const millis = Math.round(Duration.toMillis(elapsed))
            figures(`page with ${jobs} jobs: ${what} after ${millis} ms`)
            if (isLong) expect(millis, what).toBeLessThan(mostMillis)
          })
        const row = (n: number) => page.getByText(`greeter: batch ${n}`, { exact: true })
        yield* act(() => row(newest).waitFor())

        yield* timed("first content", async () => {
          await page.reload()
          await row(newest).waitFor()
        })
        yield* timed("the counts", () => page.getByRole("link", { name: "completed 1,000+" }).waitFor())
        yield* timed("the failed ones", async () => {
          await page.getByRole("link", { name: /^failed/ }).click()
          await row(jobs - 13).waitFor()
          await row(newest).waitFor({ state: "detached" })
        })
        yield* timed("a label", async () => {
          await page.getByLabel("Labels").fill("team=team-3")
          await page.waitForURL(/label/)
          await page.getByText("team=team-3").or(page.getByText("No job matches")).first().waitFor()
        })
        yield* act(() => page.goto(new URL("/jobs", page.url()).href))
        yield* act(() => row(newest).waitFor())
        yield* timed("an older page", async () => {
          await page.getByRole("button", { name: "Older" }).click()
          await row(newest - 60).waitFor()
        })
        yield* timed("a search", async () => {
          await page.getByLabel("Search").fill(`batch ${jobs - 100}`)
          await row(newest - 60).waitFor({ state: "detached" })
          await row(jobs - 100).waitFor()
        })
        expect(problems).toEqual([])
      }),
    isLong ? 600_000 : 300_000
  )
})
