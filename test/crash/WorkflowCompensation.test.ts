/** A workflow that is stopped, and killed again and again until it has compensated, on one SQLite file. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Audit from "../../src/store/Audit.js"
import { type Patch, patching } from "../simulation/Bundle.js"
import { bundle } from "../support/bundle.js"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

/** Where the successive lives of an execution are killed; after three crashes in a row without a record it would fail. */
const stories: ReadonlyArray<ReadonlyArray<string>> = [
  ["stop", "4:after", "3:before", "3:after", "2:after", "1:before", "1:after", "end", "exit"],
  ["stop", "stop", "3:after", "3:after", "2:before", "2:before", "1:after", "1:after", "end", "exit"],
  ["4:before", "4:after", "3:after", "3:before", "2:after", "2:after", "1:after", "1:after", "end", "exit", "exit"]
]

const chosen = isLong ? stories : stories.slice(0, 1)

const bookings = [1, 2, 3, 4]

/** Kills a trip at these points, and lets it end. Returns how often each booking was undone, and what is recorded. */
const story = (kills: ReadonlyArray<string>, patches: ReadonlyArray<Patch> = []) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const main = fileURLToPath(new URL("workflow/compensating.ts", import.meta.url))
    const program = yield* bundle(directory, main, [patching(patches)])
    const [filename, noted] = [`${directory}/trips.db`, `${directory}/noted`]
    const live = (kill: string) => spawnSync(process.execPath, [program, filename, noted, kill], { encoding: "utf8" })

    for (const kill of kills) {
      const { signal, stderr } = live(kill)
      expect(signal, `to be killed at ${kill}: ${stderr}`).toBe("SIGKILL")
    }
    const { status, stderr } = live("")
    expect(status, stderr).toBe(0)

    const lines = existsSync(noted) ? readFileSync(noted, "utf8").trimEnd().split("\n") : []
    return yield* Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const [run] = yield* store.list({ kind: "workflow.Trip" })
      if (run === undefined) return yield* Effect.dieMessage("there is no run")
      const { events } = yield* Effect.flatten(store.events({ kind: run.kind, jobId: run.id, after: 0, limit: 1_000 }))
      const { violations } = yield* Audit.run()
      return {
        undone: bookings.map((booking) => lines.filter((line) => line === String(booking)).length),
        status: run.status,
        // One event for each record.
        steps: events.flatMap(({ payload, type }) =>
          type === "job.step" ? [/"name":"([^"]*)"/.exec(JSON.stringify(payload))?.[1]] : []
        ),
        violations
      }
    }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))))
  })

describe("a workflow that is killed between its stop and the end of its compensation", () => {
  for (const kills of chosen) {
    it.scopedLive(
      `records each compensation once, repeats the one it was killed in, and is cancelled: ${kills.join(", ")}`,
      () =>
        Effect.gen(function* () {
          expect(yield* story(kills)).toEqual({
            undone: bookings.map((booking) => 1 + kills.filter((kill) => kill === `${booking}:after`).length),
            status: "cancelled",
            steps: [
              ...bookings.map((booking) => `activity/book ${booking}/1`),
              ...bookings.toReversed().map((booking) => `activity/undo ${booking}/1`),
              "exit"
            ],
            violations: []
          })
        }),
      600_000
    )
  }

  it.scopedLive(
    "is found to be cancelled without a compensation if a crash ends a stop",
    () =>
      Effect.gen(function* () {
        const file = "src/manager/internal/recovery.ts"
        const patch = { file, from: "if (stopping && !continuesStop)", to: "if (stopping)" }
        const { status, steps } = yield* story(["stop"], [patch])
        expect(status).toBe("cancelled")
        expect(steps).toEqual(bookings.map((booking) => `activity/book ${booking}/1`))
      }),
    600_000
  )
})
