import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, show, task, unit } from "../Jobs.js"

const notes = (work: Effect.Effect.Success<ReturnType<typeof run>>["work"]) => work.tasks.map(({ notes }) => notes)

describe("task files that an agent adds", () => {
  it.scopedLive("land, and are named in a note", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-plan.md": task(
          1,
          "echo new > tasks/a/02-more.md; mkdir tasks/b; echo new > tasks/b/IMPLEMENTATION_PLAN.md; cp tasks/a/02-more.md tasks/b/01-new.md; echo a > tasks/a/notes.md",
          "true"
        )
      })
      const { run: record, work } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(record.status).toBe("completed")
      expect(yield* show(world, top, "main:tasks/a/02-more.md")).toBe("new\n")
      expect(notes(work)).toEqual([
        [
          "task files were added, which land with the work and are run by the next job of tasks: tasks/a/02-more.md, tasks/b/01-new.md, tasks/b/IMPLEMENTATION_PLAN.md"
        ]
      ])
    })
  )
})

describe("ignored files that an agent makes", () => {
  it.scopedLive("are named in a note of the first task, since the gate may need them and they do not land", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, {
        "charlotte.yaml": "setup: touch set-up.log\n",
        "01-build.md": task(1, "mkdir -p built.log; touch built.log/out; echo a > out-a.txt", "test -e built.log/out"),
        "02-more.md": task(2, "touch built.log/more; echo b > out-b.txt", "touch gate.log; test -e built.log/more", [1])
      })
      const { run: record, work } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(record.status).toBe("completed")
      expect(notes(work)).toEqual([
        [
          "the gate passed beside files that git ignores and that do not land: built.log/; if it needs them, it fails elsewhere unless setup or copy provides them"
        ],
        []
      ])
    })
  )
})
