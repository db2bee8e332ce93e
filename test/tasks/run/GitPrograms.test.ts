/** How many git programs a job starts: each is a process, and most of what a short job waits for. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, task } from "../Jobs.js"

it.scopedLive("a job starts at most 51 git programs, and 18 more for each task", () =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const executable = `${world.root}/counted-git`
    yield* world.write(executable, `#!/bin/sh\necho "$1" >> '${world.root}/programs'\nexec git "$@"\n`, 0o755)
    const { config } = yield* repository(world, {
      "01-one.md": task(1, "echo one > one.txt", "test -e one.txt"),
      "02-two.md": task(2, "echo two > two.txt", "test -e two.txt", [1])
    })
    const environment = { ...world.environment, executable }
    const ended = yield* run(config).pipe(Effect.provide(charlotte({ ...world, environment })))
    expect(ended.run.status).toBe("completed")
    const programs = readFileSync(`${world.root}/programs`, "utf8").trim().split("\n")
    expect(programs.length, programs.join(" ")).toBeLessThanOrEqual(51 + 2 * 18)
  })
)
