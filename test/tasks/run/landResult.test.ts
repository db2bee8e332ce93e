import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFile } from "node:fs/promises"
import * as Repository from "../../support/Repository.js"
import { charlotte, litter, repository, show, subjects, task } from "../Jobs.js"
import {
  blockedBy,
  commitOf,
  commitOnMain,
  counted,
  counting,
  follow,
  keptBut,
  meanwhile,
  pausing,
  refusal,
  retry
} from "./Scenes.js"

/** A repository with a task that creates `out.txt`, by a script that pauses for the user. */
const scene = (
  world: Repository.Sandbox,
  options: { readonly script?: string; readonly gate?: string; readonly settings?: string } = {}
) =>
  repository(world, {
    ...(options.settings === undefined ? {} : { "charlotte.yaml": options.settings }),
    "01-out.md": task(
      1,
      pausing(world, options.script ?? "echo out > out.txt"),
      options.gate ?? `${counting(world, "gate")}; test -e out.txt || test "$(tail -1 a.txt)" = job`
    )
  })

const contains = (world: Repository.Sandbox, top: string, branch: string, commit: string) =>
  Effect.map(follow(world, `git -C ${top} merge-base --is-ancestor ${commit} ${branch}`), ({ code }) =>
    expect(code, `${branch} contains ${commit}`).toBe(0)
  )

/** The first-parent commits on `main`, newest first. */
const mainline = (world: Repository.Sandbox, top: string) =>
  Effect.map(world.git(top, "log", "--first-parent", "--format=%s", "mine..main"), (log) => log.trim().split("\n"))

/** Commits a file in the checkout. */
const commitHere = (world: Repository.Sandbox, top: string, file: string) =>
  Effect.gen(function* () {
    yield* world.write(`${top}/${file}`, `${file}\n`)
    yield* world.git(top, "add", file)
    yield* world.git(top, "commit", "--quiet", "-m", `user: ${file}`)
    return yield* commitOf(world, top, "HEAD")
  })

describe("landing", () => {
  it.scopedLive("merges a target that moved, once all gates have passed on the merge", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* scene(world, {
        settings: `baseline: [${JSON.stringify(counting(world, "baseline"))}]\n`
      })
      const ended = yield* meanwhile(world, config, () => commitOnMain(world, top, "user.txt", "user\n")).pipe(
        Effect.provide(charlotte(world))
      )
      expect(ended.run.status).toBe("completed")
      expect(yield* mainline(world, top)).toEqual([`Merge job ${ended.id} into main`, "user: user.txt"])
      expect(yield* show(world, top, "main:out.txt")).toBe("out\n")
      expect(yield* show(world, top, "main:user.txt")).toBe("user\n")
      expect([yield* counted(world, "gate"), yield* counted(world, "baseline")]).toEqual([2, 2])
      expect(yield* commitOf(world, top, `charlotte/${ended.id}/result`)).toBe(yield* commitOf(world, top, "main"))
      yield* untouched
      expect(yield* litter(world, top)).toEqual([])
    })
  )

  it.scopedLive("is blocked by a gate that fails together with newer commits, until that is fixed", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* scene(world, { gate: "test -e out.txt && test ! -e bad.txt" })
      yield* Effect.gen(function* () {
        const ended = yield* meanwhile(world, config, () => commitOnMain(world, top, "bad.txt", "bad\n"))
        const { branch, command, diff, reason } = yield* blockedBy(ended)
        expect(reason).toContain(
          "gate of task 1 of unit tasks, on the merged result, (test -e out.txt && test ! -e bad.txt) exited with code 1"
        )
        expect(yield* subjects(world, top, "mine..main")).toEqual(["user: bad.txt"])
        expect(yield* show(world, top, `${branch}:out.txt`)).toBe("out\n")
        expect((yield* follow(world, diff)).output).toContain("+out")

        // A retry is blocked again until it is fixed; then it lands without running an agent.
        yield* blockedBy(yield* retry(config, command))
        yield* commitOnMain(world, top, "bad.txt")
        const again = yield* retry(config, command)
        expect(again.run.status).toBe("completed")
        expect(again.types.filter((type) => type.startsWith("task."))).toEqual([])
        expect(yield* show(world, top, "main:out.txt")).toBe("out\n")
        expect(yield* subjects(world, top, "mine..main")).toContain("Task 1")
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  const conflict = (name: string, prepare: (world: Repository.Sandbox, top: string) => Effect.Effect<unknown>) =>
    it.scopedLive(`is blocked by a conflict, and the command starts the merge ${name}`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top, untouched } = yield* scene(world, { script: "echo job >> a.txt" })
        const user = { commit: "" }
        const ended = yield* meanwhile(world, config, () =>
          Effect.gen(function* () {
            user.commit = yield* commitOnMain(world, top, "a.txt", "one\ntwo\nthree\nuser\n")
            yield* untouched
            yield* prepare(world, top)
          })
        ).pipe(Effect.provide(charlotte(world)))
        const { branch, command, reason } = yield* blockedBy(ended)
        expect(reason).toBe("it conflicts with the result in a.txt")
        expect(yield* commitOf(world, top, "main")).toBe(user.commit)
        const place = yield* world.git(top, "worktree", "list", "--porcelain")
        const { code, output } = yield* follow(world, command)
        expect(output).toContain("CONFLICT (content): Merge conflict in a.txt")
        expect(code).toBe(1)
        // Resolve the conflict in the checkout where git left it.
        const checkout = /^worktree (.*)\n.*\nbranch refs\/heads\/main$/m.exec(place)?.[1] ?? top
        yield* world.write(`${checkout}/a.txt`, "one\ntwo\nthree\nuser\njob\n")
        yield* world.git(checkout, "add", "a.txt")
        yield* world.git(checkout, "commit", "--quiet", "--no-edit")
        yield* contains(world, top, "main", branch)
        yield* contains(world, top, "main", user.commit)
        expect(yield* show(world, top, "main:a.txt")).toBe("one\ntwo\nthree\nuser\njob\n")
      })
    )

  conflict("where the target is checked out", (world, top) => world.git(top, "switch", "--quiet", "main"))
  conflict("in another worktree in which the target is checked out", (world, top) =>
    world.git(top, "worktree", "add", "--quiet", `${world.root}/second place`, "main")
  )
  conflict("after a switch to the target", () => Effect.void)

  it.scopedLive("updates the files of a clean checkout of the target", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* scene(world)
      yield* world.git(top, "checkout", "--quiet", "--", "b.txt")
      const changed = ["out.txt", "tasks/01-out.md"]
      const before = keptBut(yield* Repository.snapshot(world, top), { branch: "mine", changed })
      const ended = yield* meanwhile(world, { ...config, targetBranch: "mine" }, () => Effect.void).pipe(
        Effect.provide(charlotte(world))
      )
      expect(ended.run.status).toBe("completed")
      expect(keptBut(yield* Repository.snapshot(world, top), { branch: "mine", changed })).toEqual(before)
      expect(yield* world.git(top, "status", "--porcelain")).toBe("?? untracked.txt\n")
      expect(yield* show(world, top, "mine:out.txt")).toBe("out\n")
    })
  )

  it.scopedLive("keeps uncommitted work in other files of a checkout of the target", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* scene(world)
      const changed = ["out.txt", "tasks/01-out.md"]
      yield* world.write(`${top}/staged.txt`, "staged\n")
      yield* world.git(top, "add", "staged.txt")
      const before = keptBut(yield* Repository.snapshot(world, top), { branch: "mine", changed })
      const status = yield* world.git(top, "status", "--porcelain")
      const ended = yield* meanwhile(world, { ...config, targetBranch: "mine" }, () => Effect.void).pipe(
        Effect.provide(charlotte(world))
      )
      expect(ended.run.status).toBe("completed")
      expect(keptBut(yield* Repository.snapshot(world, top), { branch: "mine", changed })).toEqual(before)
      expect(yield* world.git(top, "status", "--porcelain")).toBe(status)
    })
  )

  const dirtyCheckout = (
    name: string,
    script: string,
    file: string,
    dirty: (world: Repository.Sandbox, top: string) => Effect.Effect<unknown>
  ) =>
    it.scopedLive(`is blocked by ${name}, without losing it`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* scene(world, { script, gate: "true" })
        yield* world.git(top, "checkout", "--quiet", "--", "b.txt")
        const target = { ...config, targetBranch: "mine" }
        yield* Effect.gen(function* () {
          const ended = yield* meanwhile(world, target, () => dirty(world, top))
          const before = yield* Repository.snapshot(world, top)
          const { command, reason } = yield* blockedBy(ended)
          expect(reason).toContain(`uncommitted work in ${file}`)
          expect(yield* Repository.snapshot(world, top)).toEqual(before)
          expect(yield* subjects(world, top, "main..mine")).toEqual([])

          yield* world.git(top, "stash", "push", "--quiet", "--include-untracked")
          const again = yield* retry(target, command)
          expect(again.run.status).toBe("completed")
          expect(again.types.filter((type) => type.startsWith("task."))).toEqual([])
          expect(yield* subjects(world, top, "main..mine")).toEqual(["Task 1"])
          expect((yield* world.git(top, "stash", "show", "-p", "--include-untracked")).includes("the user's")).toBe(
            true
          )
        }).pipe(Effect.provide(charlotte(world)))
      })
    )

  dirtyCheckout("uncommitted work in a file that the result changes", "echo job > b.txt", "b.txt", (world, top) =>
    world.write(`${top}/b.txt`, "the user's\n")
  )
  dirtyCheckout("an untracked file that the result has as well", "echo job > new.txt", "new.txt", (world, top) =>
    world.write(`${top}/new.txt`, "the user's\n")
  )

  it.scopedLive("is blocked by a deleted target, and the command recreates it", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* scene(world)
      const ended = yield* meanwhile(world, config, () => world.git(top, "branch", "-D", "main")).pipe(
        Effect.provide(charlotte(world))
      )
      const { branch, command, reason } = yield* blockedBy(ended)
      expect(reason).toBe("it was deleted")
      expect(yield* follow(world, command)).toMatchObject({ code: 0 })
      expect(yield* commitOf(world, top, "main")).toBe(yield* commitOf(world, top, branch))
      expect(yield* show(world, top, "main:out.txt")).toBe("out\n")
    })
  )

  it.scopedLive("is blocked by a rewritten target, and the command rebases the work onto it", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* scene(world)
      yield* world.git(top, "checkout", "--quiet", "--", "b.txt")
      yield* world.git(top, "switch", "--quiet", "main")
      const secret = yield* commitHere(world, top, "secret.txt")
      const amended = { commit: "" }
      yield* Effect.gen(function* () {
        const ended = yield* meanwhile(world, config, () =>
          Effect.gen(function* () {
            yield* world.git(top, "rm", "--quiet", "--cached", "secret.txt")
            yield* world.git(top, "commit", "--quiet", "--amend", "--allow-empty", "-m", "user: no secret")
            amended.commit = yield* commitOf(world, top, "main")
          })
        )
        const { command, reason } = yield* blockedBy(ended)
        expect(reason).toContain("it was rewritten meanwhile")
        expect(yield* commitOf(world, top, "main")).toBe(amended.commit)

        // A retry would restore the removed commits.
        const refused = yield* refusal(retry(config, `charlotte retry ${ended.id}`))
        expect(refused.message).toContain("rewritten")
        expect(refused.message).toContain(command)

        const { code, output } = yield* follow(world, command)
        expect({ code, output }).toMatchObject({ code: 0 })
        yield* contains(world, top, "main", amended.commit)
        expect(yield* show(world, top, "main:out.txt")).toBe("out\n")
        expect((yield* follow(world, `git -C ${top} merge-base --is-ancestor ${secret} main`)).code).toBe(1)
        expect(yield* subjects(world, top, "mine..main")).toEqual(["Task 1", "user: no secret"])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("accepts a target that was rewritten but still contains its commit at submission", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* scene(world)
      const ended = yield* meanwhile(world, config, () =>
        Effect.gen(function* () {
          yield* commitOnMain(world, top, "first.txt", "first\n")
          yield* world.git(top, "branch", "--force", "main", "mine")
          yield* commitOnMain(world, top, "second.txt", "second\n")
        })
      ).pipe(Effect.provide(charlotte(world)))
      expect(ended.run.status).toBe("completed")
      expect(yield* mainline(world, top)).toEqual([`Merge job ${ended.id} into main`, "user: second.txt"])
      yield* untouched
    })
  )

  it.scopedLive("is left to the user with land: false", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* scene(world)
      const untouched = yield* Repository.snapshot(world, top)
      const ended = yield* meanwhile(world, { ...config, land: false }, () => Effect.void).pipe(
        Effect.provide(charlotte(world))
      )
      expect(ended.run).toMatchObject({
        status: "completed",
        result: { branch: `charlotte/${ended.id}/result`, commits: 1 }
      })
      expect(ended.run.result).not.toHaveProperty("landed")
      expect(ended.types).not.toContain("orch.landing")
      expect(yield* Repository.snapshot(world, top)).toEqual(untouched)
      expect(yield* show(world, top, `charlotte/${ended.id}/result:out.txt`)).toBe("out\n")
    })
  )

  it.scopedLive("gives up after five attempts if the target keeps moving", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      // Untraced, since these commits stand for the user's and must not be attributed to the gate.
      const user = `env -u GIT_TRACE2_EVENT HOME='${world.root}/home' git -C '${world.root}/repository'`
      // With plumbing commands, since the target is not checked out; the gate runs while the result is verified.
      const commits = `${user} update-ref refs/heads/main "$(${user} commit-tree -p main -m 'user: again' main^{tree})"`
      const { config, top, untouched } = yield* scene(world, {
        gate: `test -e out.txt && { test -e '${world.root}/quiet' || { ${commits}; ${counting(world, "gate")}; }; }`
      })
      yield* Effect.gen(function* () {
        const ended = yield* meanwhile(world, config, () => Effect.void)
        const { command, reason } = yield* blockedBy(ended)
        expect(reason).toContain("moved 5 times")
        expect(ended.types.filter((type) => type === "orch.landing")).toHaveLength(5)
        expect(yield* counted(world, "gate")).toBe(6)
        expect(yield* subjects(world, top, "mine..main")).toEqual(Array.from({ length: 6 }, () => "user: again"))
        yield* Effect.promise(() => writeFile(`${world.root}/quiet`, ""))
        const again = yield* retry(config, command)
        expect(again.run.status).toBe("completed")
        expect(yield* subjects(world, top, "mine..main")).toContain("Task 1")
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
      expect(yield* litter(world, top)).toEqual([])
    })
  )

  it.scopedLive("is blocked while a merge of the target is in progress", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* scene(world)
      const target = { ...config, targetBranch: "mine" }
      yield* world.git(top, "checkout", "--quiet", "--", "b.txt")
      yield* Effect.gen(function* () {
        const ended = yield* meanwhile(world, target, () =>
          Effect.gen(function* () {
            yield* commitOnMain(world, top, "side.txt", "side\n")
            yield* world.git(top, "merge", "--quiet", "--no-ff", "--no-commit", "main")
          })
        )
        const { command, reason } = yield* blockedBy(ended)
        expect(reason).toContain("a merge is in progress")
        yield* world.git(top, "commit", "--quiet", "--no-edit")
        expect(yield* retry(target, command)).toMatchObject({ run: { status: "completed" } })
        expect(yield* show(world, top, "mine:out.txt")).toBe("out\n")
        expect(yield* show(world, top, "mine:side.txt")).toBe("side\n")
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("is blocked by any other change of the target, and names the result branch", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* scene(world)
      yield* Effect.gen(function* () {
        const ended = yield* meanwhile(world, config, () =>
          Effect.gen(function* () {
            yield* world.git(top, "branch", "--move", "main", "trunk")
            yield* world.git(top, "symbolic-ref", "refs/heads/main", "refs/heads/trunk")
          })
        )
        const { branch, command, reason } = yield* blockedBy(ended)
        expect(reason).toContain("is another name for trunk")
        expect(yield* show(world, top, `${branch}:out.txt`)).toBe("out\n")
        yield* world.git(top, "symbolic-ref", "--delete", "refs/heads/main")
        yield* world.git(top, "branch", "--move", "trunk", "main")
        expect(yield* retry(config, command)).toMatchObject({ run: { status: "completed" } })
      }).pipe(Effect.provide(charlotte(world)))
    })
  )
})
