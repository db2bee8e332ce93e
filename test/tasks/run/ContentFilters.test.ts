import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, show, task } from "../Jobs.js"
import { blockedBy, commitOf, meanwhile, pausing } from "./Scenes.js"

/** A filter in the user's configuration, whose program leaves a trace if it is run. */
const configure = (world: Repository.Sandbox) =>
  Effect.gen(function* () {
    yield* world.write(`${world.root}/filter`, `#!/bin/sh\ntouch '${world.root}/ran'\nexec tr a-z A-Z\n`, 0o755)
    for (const key of ["clean", "smudge"])
      yield* world.git(world.root, "config", "--global", `filter.loud.${key}`, `${world.root}/filter`)
  })

describe("content filters", () => {
  it.scopedLive("fail the attempt that adds one; the next attempt lands", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const script = `if test -e .gitattributes; then rm .gitattributes; else echo '*.txt filter=loud' > .gitattributes; fi
echo out > out.txt`
      const { config, top, untouched } = yield* repository(world, { "01-out.md": task(1, script, "test -e out.txt") })
      yield* configure(world)
      const { events, run: record, work } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(record.error).toBeUndefined()
      expect(work.tasks).toMatchObject([{ state: "completed", failures: 1 }])
      expect(events.find(({ type }) => type === "task.retry")?.payload).toMatchObject({
        reason: expect.stringMatching(
          /content filter loud is not supported.*: \.gitattributes requires it for a\.txt, b\.txt, dir\/c\.txt, and .*\/home\/\.gitconfig configures its program; remove "filter=loud" there/
        )
      })
      expect(yield* show(world, top, "main:out.txt")).toBe("out\n")
      expect(existsSync(`${world.root}/ran`)).toBe(false)
      yield* untouched
    })
  )

  it.scopedLive("block landing in a checkout that uses one, and the error names the attributes file", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "01-out.md": task(1, pausing(world, "echo out > out.x"), "test -e out.x")
      })
      yield* world.git(top, "switch", "--quiet", "main")
      yield* configure(world)
      const main = yield* commitOf(world, top, "main")
      const ended = yield* meanwhile(world, config, () =>
        world.write(`${top}/.gitattributes`, "*.x filter=loud\n")
      ).pipe(Effect.provide(charlotte(world)))
      const { branch, command, reason } = yield* blockedBy(ended)
      expect(reason).toMatch(/content filter loud is not supported.*: \.gitattributes requires it for out\.x/)
      expect(command).toBe(`charlotte retry ${ended.id}`)
      expect(yield* commitOf(world, top, "main")).toBe(main)
      expect(yield* show(world, top, `${branch}:out.x`)).toBe("out\n")
      expect(existsSync(`${top}/out.x`)).toBe(false)
      expect(existsSync(`${world.root}/ran`)).toBe(false)
    })
  )
})
