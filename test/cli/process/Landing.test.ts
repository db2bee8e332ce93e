/** What `charlotte run` does to the branches of a user who works on meanwhile, and what it tells him. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import * as Repository from "../../support/Repository.js"
import { task, unit } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Tasks from "./Tasks.js"

describe("charlotte run on the checked-out branch", () => {
  it.scopedLive("refuses to land over uncommitted files and prints how to land, which then works", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(Tasks.waiting())
      const { git, repository, write } = world
      const running = yield* Charlotte.start(world, "exec charlotte run tasks")
      yield* Tasks.reached(world)
      yield* write(`${repository}/three`, "his\n")
      const before = yield* Repository.snapshot(world, repository)
      yield* Tasks.release(world)
      const blocked = yield* running.ended
      expect([blocked.code, blocked.err]).toEqual([1, ""])
      expect(blocked.out).toMatch(
        /\n✗ failed after [^\n]* job \w{26}: main could not be advanced: [^\n]*uncommitted work in three/
      )
      expect(Charlotte.next(blocked)).toMatch(/^charlotte retry \w{26}$/)
      expect(yield* Repository.snapshot(world, repository)).toEqual(before)
      // What it names to be looked at is there.
      const diff = /\n {2}diff {5}(.*)\n/.exec(blocked.out)?.[1] ?? ""
      expect((yield* Charlotte.run(world, `${diff} -- three`)).out).toContain("\n+three\n")

      yield* git(repository, "stash", "push", "--quiet", "--include-untracked")
      const retried = yield* Charlotte.run(world, Charlotte.next(blocked))
      expect([retried.code, retried.err]).toEqual([0, ""])
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
      expect(yield* git(repository, "stash", "show", "-p", "--include-untracked")).toContain("\n+his\n")
    })
  )

  it.scopedLive("merges new commits of the user and verifies the result", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(Tasks.waiting())
      const { git, repository, write } = world
      const running = yield* Charlotte.start(world, "exec charlotte run tasks")
      yield* Tasks.reached(world)
      yield* write(`${repository}/his`, "his\n")
      yield* Charlotte.commit(world, "his")
      yield* Tasks.release(world)
      const { code, err, out } = yield* running.ended
      expect([code, err]).toEqual([0, ""])
      expect(out).toMatch(/ verifying the merged result: cat one two three\n[^]* landed on main, commit \w{8}\n/)
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
      expect(yield* git(repository, "log", "--first-parent", "--format=%s", "-2")).toMatch(
        /^Merge job \w{26} into main\nhis\n$/
      )
      expect(yield* git(repository, "status", "--porcelain")).toBe("")
      for (const [file, text] of [
        ["his", "his\n"],
        ["three", "three\n"]
      ] as const)
        expect(readFileSync(`${repository}/${file}`, "utf8")).toBe(text)
    })
  )
})

describe("charlotte run --land done", () => {
  it.scopedLive("lands the units that are done, exits with 1, and says what is left and how to continue", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world((root) => ({
        ...Tasks.simple,
        "charlotte.yaml": "agent: script\nattempts: 1\nland: never\n",
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-three.md": task(1, "echo three > three", `test -e '${root}/mended'`)
      }))
      const run = yield* Charlotte.run(world, "exec charlotte run tasks --land done")
      expect([run.code, run.err]).toEqual([1, ""])
      expect(run.out).toMatch(/ landed a on main, commit \w{8}; left: b\n/)
      const facts = /\n {2}landed {3}a on main, at \w{8}\n {2}left {5}b\n/
      expect(run.out).toMatch(facts)
      const next = Charlotte.next(run)
      expect(next).toMatch(/^charlotte retry \w{26}$/)
      const shown = yield* Charlotte.run(world, "exec charlotte show latest")
      expect(shown.out).toMatch(facts)
      expect(shown.out).toContain(next)
      expect([existsSync(`${world.repository}/one`), existsSync(`${world.repository}/three`)]).toEqual([true, false])

      yield* world.write(`${world.root}/mended`, "")
      const retried = yield* Charlotte.run(world, next)
      expect([retried.code, retried.err]).toEqual([0, ""])
      expect(readFileSync(`${world.repository}/three`, "utf8")).toBe("three\n")
      expect(yield* world.git(world.repository, "log", "--format=%s", "--grep=Task")).toMatch(/^(Task \d\n){3}$/)
    })
  )
})

describe("charlotte land", () => {
  it.scopedLive("lands what is done of a job with a failed unit, whose summary names the command, and only once", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => ({
        ...Tasks.simple,
        "charlotte.yaml": "agent: script\nattempts: 1\n",
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-three.md": task(1, "echo three > three", "false")
      }))
      const failed = yield* Charlotte.run(world, "exec charlotte run tasks")
      expect(failed.code).toBe(1)
      const [, command = "no command"] = /\n {2}land {5}(charlotte land \w{26})\n/.exec(failed.out) ?? []
      expect((yield* Charlotte.run(world, "exec charlotte show latest")).out).toContain(`\n  land     ${command}\n`)
      const former = command.slice(-26)
      const unknown = yield* Charlotte.run(world, `${command} --unit c`)
      expect([unknown.code, unknown.out]).toEqual([2, ""])
      expect(unknown.err).toContain("there is no unit c: the units are a, b")

      const landed = yield* Charlotte.run(world, command)
      expect([landed.code, landed.err]).toEqual([0, ""])
      expect(landed.out).toMatch(/ landed on main, commit \w{8}\n/)
      expect(landed.out).toMatch(
        new RegExp(
          `\n {2}landed {3}on main, at \\w{8}\n[^]*\n {2}left out {1}b; continue them with: charlotte retry ${former} --unit b\n`
        )
      )
      expect((yield* Charlotte.run(world, "exec charlotte show latest")).out).toContain(`  lands    ${former}\n`)
      expect([existsSync(`${world.repository}/one`), existsSync(`${world.repository}/three`)]).toEqual([true, false])
      const again = yield* Charlotte.run(world, command)
      expect([again.code, again.out]).toEqual([2, ""])
      expect(again.err).toContain(`nothing to land: main has all that job ${former} has done`)
    })
  )
})

describe("charlotte run", () => {
  it.scopedLive("reports an agent that changed protected files, also after they were restored", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => ({
        ...Tasks.simple,
        "b/01-three.md": task(
          1,
          "sed -i 's/^backpressure: .*/backpressure: true/; s/^status: .*/status: complete/' tasks/*/*.md\necho three > three",
          "cat one two three"
        )
      }))
      const { code, out } = yield* Charlotte.run(world, "exec charlotte run tasks")
      expect(code).toBe(0)
      const [, summary = ""] = out.split("\n\n✓ ")
      expect(summary).toMatch(
        /\n {2}! b 1 {2}the agent changed tasks\/b\/01-three\.md, tasks\/a\/01-one\.md, tasks\/a\/02-two\.md: plan files were restored\n$/
      )
      const kept = yield* world.git(world.repository, "show", "main:tasks/b/01-three.md")
      expect(kept).toContain('\nbackpressure: "cat one two three"\n')
    })
  )

  it.scopedLive("--dry-run prints the plan and changes neither repository nor home", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      const { repository } = world
      const before = yield* Repository.snapshot(world, repository)
      const planned = yield* Charlotte.run(world, "exec charlotte run tasks --dry-run")
      expect([planned.code, planned.err]).toEqual([0, ""])
      expect(planned.out).toBe((yield* Charlotte.run(world, "exec charlotte plan tasks")).out)
      yield* world.write(`${repository}/tasks/a/03-new.md`, task(3, ":", "true"))
      const stray = yield* Charlotte.run(world, "exec charlotte run tasks --dry-run")
      expect([stray.code, stray.out]).toEqual([2, ""])
      const mend = /^tasks\/a\/03-new\.md: is not committed on the target branch in its current version: (git .*)\n$/
      const [, command = "no command"] = mend.exec(stray.err) ?? []
      expect((yield* Charlotte.run(world, `${command.replace("commit --", "commit --quiet -m new --")}`)).code).toBe(0)
      expect((yield* Charlotte.run(world, "exec charlotte run tasks --dry-run")).out).toContain("4 to do")
      yield* world.git(repository, "reset", "--quiet", "--hard", "HEAD~1")
      const { index: _now, ...now } = yield* Repository.snapshot(world, repository)
      const { index: _before, ...then } = before
      expect(now).toEqual(then)
      expect(existsSync(world.home)).toBe(false)
    })
  )
})
