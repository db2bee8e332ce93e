import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { ConfigProvider, Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { charlotte } from "../../../src/cli/parser/commands.js"
import { GitEnvironmentRef } from "../../../src/git/GitEnvironment.js"
import { at, event, id, newRun } from "../../store/runs.js"
import { everything } from "../../support/everything.js"
import { sandbox } from "../../support/Repository.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Capture from "../Capture.js"

/** A home in which one job runs and one is over, and then somebody did `damage`. */
const home = (damage: string) =>
  Effect.gen(function* () {
    const directory = `${yield* TemporaryDirectory.make}/home`
    mkdirSync(directory, { mode: 0o700 })
    yield* Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const sql = yield* SqlClient.SqlClient
      for (const n of [1, 2]) yield* store.create(newRun(n, { config: { repoPath: "/nowhere" } }))
      yield* store.append({ jobId: id(1), attempt: 1, events: [event("step")] })
      yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(9), result: 1 })
      yield* store.childProcesses.open({
        jobId: id(2),
        attempt: 1,
        cookie: "cookie-2",
        bootId: "",
        purpose: "gate",
        at: at(1)
      })
      yield* sql.unsafe(damage)
    }).pipe(
      Effect.provide(RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename: `${directory}/charlotte.db` }))))
    )
    return directory
  })

/** What `doctor --audit` answers, and says of the audit; it has changed nothing. */
const audit = (directory: string, ...options: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { environment } = yield* sandbox
    const before = everything(directory)
    const { code, err, out } = yield* Capture.run(charlotte, ["doctor", "--audit", ...options]).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["CHARLOTTE_HOME", directory]]))),
      // It also checks the repository around this file, which needs an identity for commits.
      Effect.provideService(GitEnvironmentRef, environment)
    )
    expect(err).toBe("")
    expect(everything(directory)).toEqual(before)
    const lines = (out.match(/^. audit .*\n(?: +→ .*\n)?/gm) ?? []).flatMap((text) => text.trimEnd().split("\n"))
    return { code, out, lines }
  })

describe("charlotte doctor --audit", () => {
  it.scoped("reports how much it checked when nothing is wrong", () =>
    Effect.gen(function* () {
      const { code, lines } = yield* audit(yield* home("SELECT 1"))
      expect([code, lines]).toEqual([0, ["✓ audit          2 jobs and 4 events are consistent"]])
    })
  )

  it.scoped("reports each problem with its fix and exits with 1", () =>
    Effect.gen(function* () {
      const directory = yield* home("DELETE FROM charlotte_events WHERE seq = 2")
      const { code, lines } = yield* audit(directory)
      expect([code, lines]).toEqual([
        1,
        [
          `✗ audit          ${id(1)}: its events are not numbered 1, 2, 3 …`,
          `                 → keep a copy of ${directory}/charlotte.db, and report this; other jobs are not affected`
        ]
      ])
    })
  )

  it.scoped("names missing triggers, indexes, tables and columns, and the affected jobs", () =>
    Effect.gen(function* () {
      const directory = yield* home("SELECT 1")
      execFileSync(process.execPath, [
        "-e",
        `require("better-sqlite3")(${JSON.stringify(`${directory}/charlotte.db`)}).exec(\`
          DROP TRIGGER charlotte_runs_transition;
          DROP TRIGGER charlotte_runs_attempt;
          DROP INDEX charlotte_runs_held_key;
          UPDATE charlotte_runs SET attempt = 2 WHERE status = 'completed'\`)`
      ])
      const { code, lines } = yield* audit(directory)
      const remedy = expect.stringMatching(/^ +→ restore it from a backup/)
      expect([code, lines]).toEqual([
        1,
        [
          `✗ audit          ${id(1)}: its attempt number does not match its job.resumed events`,
          expect.stringMatching(/^ +→ keep a copy/),
          "✗ audit          index charlotte_runs_held_key: it is missing in the schema",
          remedy,
          "✗ audit          trigger charlotte_runs_attempt: it is missing in the schema",
          remedy,
          "✗ audit          trigger charlotte_runs_transition: it is missing in the schema",
          remedy
        ]
      ])
    })
  )

  it.scoped("prints how to find a process that may be orphaned", () =>
    Effect.gen(function* () {
      const damage = `INSERT INTO charlotte_attempts (cookie, job_id, attempt, boot_id, purpose, opened_at)
        VALUES ('cookie-1', '${id(1)}', 1, '', 'agent', 0)`
      const { code, lines } = yield* audit(yield* home(damage))
      expect([code, lines]).toEqual([
        1,
        [
          `✗ audit          ${id(1)}: agent (RUN_BY_CHARLOTTE=cookie-1): it has ended, but a process of it may be left`,
          "                 → kill the processes that this finds, if any: grep -l cookie-1 /proc/[0-9]*/environ"
        ]
      ])
    })
  )

  it.scoped("knows maxJobs, and prints the same as JSON", () =>
    Effect.gen(function* () {
      const directory = yield* home(
        "INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at) SELECT substr(id, 1, 25) || 'Z', kind, status, attempt, config, labels, created_at, started_at FROM charlotte_runs WHERE status = 'running'"
      )
      writeFileSync(`${directory}/config.yaml`, "maxJobs: 1\n")
      const { code, out } = yield* audit(directory, "--json")
      expect(code).toBe(1)
      const { findings, problems } = JSON.parse(out)
      const found = findings.filter(({ check }: { readonly check: string }) => check === "audit")
      expect(problems).toBe(found.length)
      expect(found).toContainEqual({
        check: "audit",
        status: "problem",
        message: "tasks: 2 of 1: more jobs are running than allowed",
        remedy: "charlotte daemon restart, if maxJobs was lowered; else report it"
      })
    })
  )
})
