import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, show, task } from "../Jobs.js"
import { commitOnMain, meanwhile, pausing } from "./Scenes.js"

const first = task(1, "echo one > one.txt", "test -e one.txt")

describe("a task file that is changed on the target while the job runs", () => {
  const stays = (name: string, edited: string | undefined) =>
    it.scopedLive(`is kept as changed, with a note: ${name}`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top, untouched } = yield* repository(world, {
          "01-one.md": first,
          "02-two.md": task(2, pausing(world, "echo two > two.txt"), "test -e two.txt", [1])
        })
        const { events, run, work } = yield* meanwhile(world, config, () =>
          commitOnMain(world, top, "tasks/01-one.md", edited)
        ).pipe(Effect.provide(charlotte(world)))
        expect(run.error).toBeUndefined()
        if (edited === undefined)
          expect(yield* world.git(top, "ls-tree", "--name-only", "main:tasks")).toBe("02-two.md\n")
        else expect(yield* show(world, top, "main:tasks/01-one.md")).toBe(edited)
        expect(yield* show(world, top, "main:tasks/02-two.md")).toContain("status: complete")
        for (const file of ["one", "two"]) expect(yield* show(world, top, `main:${file}.txt`)).toBe(`${file}\n`)
        const note =
          "tasks/01-one.md was changed on main while the job ran: that version is kept, and is not marked as complete"
        expect(work.tasks).toMatchObject([
          { task: 1, state: "completed", notes: [note] },
          { task: 2, state: "completed", notes: [] }
        ])
        expect(events.filter(({ type }) => type === "task.noted")).toMatchObject([
          { unit: "tasks", task: 1, payload: { note } }
        ])
        yield* untouched
      })
    )

  stays("its text", first.replace("# Task 1", "# Task 1, and more"))
  stays(
    "the lines next to its status",
    first.replace('backpressure: "test -e one.txt"', 'backpressure: "test -e other"')
  )
  stays("the file is removed", undefined)
})
