import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { exec } from "node:child_process"
import { promisify } from "node:util"
import * as taskNotes from "../../../src/progress/taskNotes.js"
import { ended, run, show, task, unit } from "../Jobs.js"
import * as Life from "./Life.js"
import { commitOf, meanwhile, pausing } from "./Scenes.js"
import * as Witness from "./Witness.js"

/** A unit of one task, whose agent runs a script before it writes the file that the gate requires. */
const doing = (script: string, gate = "true") => ({
  "charlotte.yaml": "attempts: 2\n",
  "u/IMPLEMENTATION_PLAN.md": unit(),
  "u/01-task.md": task(1, `${script}\necho done > u.txt`, `${gate} && grep -qx done u.txt`)
})

/** Runs in the first attempt only. */
const once = (script: string) => `if ! test -e "$WITNESS/once"; then touch "$WITNESS/once"\n${script}\nfi`

/** Runs a job to its end and checks the result. */
const job = <A, E, R>(
  files: Record<string, string>,
  check: (
    world: Witness.World,
    top: string,
    result: Effect.Effect.Success<ReturnType<typeof ended>>
  ) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const world = yield* Witness.world
    const { config, top, untouched } = yield* Witness.job(world, files)
    yield* Effect.flatMap(run(config), (result) => check(world, top, result)).pipe(
      Effect.provide(Witness.manager(world))
    )
    yield* untouched
  })

describe("the user's stash", () => {
  for (const [who, files] of Object.entries({
    agent: doing("git stash; git stash pop || true"),
    gate: doing("true", "{ git stash; git stash pop || true; }"),
    setup: { ...doing("true"), "charlotte.yaml": 'setup: "git stash; git stash pop || true"\n' },
    baseline: { ...doing("true"), "charlotte.yaml": 'baseline: ["git stash; git stash pop || true"]\n' }
  }))
    it.scopedLive(`is out of reach of git stash pop in the ${who}`, () =>
      job(files, (world, top, { run }) =>
        Effect.gen(function* () {
          expect(run.error).toBeUndefined()
          expect(yield* world.git(top, "diff", "--name-only", "mine..main")).toBe("tasks/u/01-task.md\nu.txt\n")
        })
      )
    )

  it.scopedLive("is unaffected when an agent stashes, clears or drops", () =>
    job(
      doing("echo x > x.txt; git add x.txt; git stash; git stash list | grep -q .; git stash clear"),
      (_, __, { run }) => Effect.sync(() => expect(run.error).toBeUndefined())
    )
  )

  it.scopedLive("keeps what the user stashes while an agent runs", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const files = doing(pausing(world, "git stash; git stash pop || true"))
      const { config, top } = yield* Witness.job(world, files)
      const before = yield* world.git(top, "stash", "list", "--format=%H")
      yield* Effect.gen(function* () {
        const { run } = yield* meanwhile(world, config, () =>
          Effect.gen(function* () {
            yield* world.git(top, "stash", "drop", "--quiet")
            yield* world.write(`${top}/mine.txt`, "mine\n")
            yield* world.git(top, "add", "mine.txt")
            yield* world.git(top, "stash", "push", "--quiet", "-m", "his")
          })
        )
        expect(run.error).toBeUndefined()
        const after = yield* world.git(top, "stash", "list", "--format=%H %gs")
        expect(after.split("\n")).toHaveLength(before.split("\n").length)
        expect(after).toContain("his")
        expect(yield* world.git(top, "diff", "--name-only", "stash@{0}^", "stash@{0}")).toContain("mine.txt")
      }).pipe(Effect.provide(Witness.manager(world)))
    })
  )
})

describe("the user's branches and tags", () => {
  const mischief = {
    "moves the target": ["git branch -f main HEAD", /moved refs\/heads\/main from [0-9a-f]{40} to [0-9a-f]{40}/],
    "updates a ref": ["git update-ref refs/heads/other HEAD", /moved refs\/heads\/other from/],
    "deletes a branch": ["git branch -D other", /deleted refs\/heads\/other, which was at [0-9a-f]{40}/],
    "moves a tag": ["git commit -q --allow-empty -m x; git tag -f v1", /moved refs\/tags\/v1 from/],
    "deletes them and packs the rest": ["git tag -d v1; git pack-refs --all", /deleted refs\/tags\/v1, which was/]
  } as const
  for (const [what, [script, expected]] of Object.entries(mischief))
    it.scopedLive(`are unchanged when an agent ${what}; its attempt fails and the move is reported`, () =>
      job(
        doing(once(`echo x > x.txt; git add x.txt; git commit -q -m own; ${script}`)),
        (world, top, { events, run, work }) =>
          Effect.gen(function* () {
            expect(run.error).toBeUndefined()
            expect(work.tasks).toMatchObject([{ state: "completed", failures: 1 }])
            expect(work.tasks[0]?.notes).toMatchObject([{ _tag: "refsMoved", what: expect.stringMatching(expected) }])
            const retry = events.find(({ type }) => type === "task.retry")
            expect(JSON.stringify(retry?.payload)).toMatch(expected)
            expect(yield* show(world, top, "main:u.txt")).toBe("done\n")
          })
      )
    )

  it.scopedLive("are unchanged when a gate moves them, and the gate fails", () =>
    job(doing("git commit -q --allow-empty -m own", "git branch -f main HEAD"), (world, top, { run, work }) =>
      Effect.gen(function* () {
        expect(work.tasks).toMatchObject([{ state: "failed", failures: 2 }])
        expect(JSON.stringify(run.error)).toMatch(/the gate moved refs\/heads\/main from [0-9a-f]{40} to/)
        expect(yield* world.git(top, "diff", "--name-only", "mine..main")).toBe("")
      })
    )
  )

  it.scopedLive("can be moved by the user while an agent runs", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const at = ["step", "agent-a1"] as const
      const { config, top } = yield* Witness.job(world)
      yield* Witness.holdAt(world, at)
      yield* Effect.gen(function* () {
        const { id, run: record } = yield* Effect.gen(function* () {
          const fiber = yield* Effect.fork(run(config))
          yield* Witness.reached(world, at)
          yield* world.git(top, "commit", "--quiet", "--all", "-m", "his")
          yield* world.git(top, "branch", "--force", "other", "mine")
          yield* world.git(top, "tag", "--delete", "v1")
          yield* world.git(top, "config", "user.name", "Other Name")
          yield* world.git(top, "config", "pull.rebase", "true")
          yield* world.git(top, "config", "alias.st", "status")
          yield* world.git(top, "config", "core.hooksPath", ".husky/_")
          yield* Witness.release(world)
          return yield* Fiber.join(fiber)
        })
        expect(record.error).toBeUndefined()
        expect(yield* world.git(top, "log", "-1", "--format=%s", "mine")).toBe("his\n")
        expect(yield* commitOf(world, top, "other")).toBe(yield* commitOf(world, top, "mine"))
        expect(yield* world.git(top, "tag")).toBe("")
        expect(yield* world.git(top, "config", "user.name")).toBe("Other Name\n")
        yield* Witness.isQuiet(world, top, id)
        yield* Witness.isTidy(world, top, id)
      }).pipe(Effect.provide(Witness.manager(world)))
    })
  )
})

describe("user refs that an agent moves by the path of the repository", () => {
  /** Shell expression of the agent for the top level of the user's checkout. */
  const user = `$(sed 's,/[.]git/objects$,,' "$(git rev-parse --git-path objects/info/alternates)")`
  const mischief = {
    "moves a branch": [
      "git -C $user branch -f other HEAD",
      /moved refs\/heads\/other from [0-9a-f]{40} to [0-9a-f]{40}/
    ],
    "works in its directory": ["(cd $user && git update-ref refs/heads/other main)", /moved refs\/heads\/other from/],
    "names it in a variable": ["GIT_DIR=$user/.git git branch -f other main", /moved refs\/heads\/other from/],
    "deletes a branch": ["git --git-dir=$user/.git branch -D other", /deleted refs\/heads\/other, which was at/],
    "makes a tag": ["git -C $user tag v9", /created refs\/tags\/v9 at/],
    "pushes to it": [
      "git commit -q --allow-empty -m x; git push -q $user HEAD:pushed",
      /created refs\/heads\/pushed at/
    ],
    "pops the stash": ["git -C $user stash drop -q", /(moved|deleted) refs\/stash/]
  } as const
  for (const [what, [script, expected]] of Object.entries(mischief))
    it.scopedLive(`are reported with a command that undoes the move, and the attempt fails: ${what}`, () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        const { config, top } = yield* Witness.job(world, doing(once(`user=${user}\n${script}`)))
        const refs = world.git(
          top,
          "for-each-ref",
          "refs/heads",
          "refs/tags",
          "--exclude=refs/heads/charlotte",
          "--exclude=refs/heads/main"
        )
        const before = yield* refs
        yield* Effect.gen(function* () {
          const { events, run: record, work } = yield* run(config)
          expect(record.error).toBeUndefined()
          expect(work.tasks).toMatchObject([{ state: "completed", failures: 1 }])
          expect(work.tasks[0]?.notes).toMatchObject([{ _tag: "refsMoved", what: expect.stringMatching(expected) }])
          const retry = events.find(({ type }) => type === "task.retry")
          expect(JSON.stringify(retry?.payload)).toMatch(expected)
          const [, undo] = /undo it with: (.*)$/.exec(taskNotes.read(work.tasks[0]?.notes[0]).text) ?? []
          expect(undo === undefined).toBe(what === "pops the stash")
          if (undo === undefined) return
          yield* Effect.promise(() => promisify(exec)(undo))
          expect(yield* refs).toBe(before)
        }).pipe(Effect.provide(Witness.manager(world)))
      })
    )

  it.scopedLive("can be moved by the user while an agent only reads them", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const looks = `git -C ${user} log -1 main > /dev/null; git -C ${user} status > /dev/null; git -C ${user} branch -a; git -C ${user} stash list; (cd ${user} && git diff mine)`
      const { config, top } = yield* Witness.job(world, doing(pausing(world, looks)))
      yield* Effect.gen(function* () {
        const { run: record, work } = yield* meanwhile(world, config, () =>
          Effect.gen(function* () {
            yield* world.git(top, "commit", "--quiet", "--all", "-m", "his")
            yield* world.git(top, "branch", "--force", "other", "mine")
            yield* world.git(top, "tag", "--delete", "v1")
          })
        )
        expect(record.error).toBeUndefined()
        expect(work.tasks).toMatchObject([{ failures: 0, notes: [] }])
        expect(yield* world.git(top, "log", "-1", "--format=%s", "mine")).toBe("his\n")
      }).pipe(Effect.provide(Witness.manager(world)))
    })
  )
})

describe("the user's configuration", () => {
  it.scopedLive("is changed neither by git config in an agent nor by tools that install hooks", () =>
    job(
      doing(
        `git config user.name Agent; git config core.hooksPath .husky; git remote add fork https://example.com/x.git
git config --unset core.hooksPath; printf '#!/bin/sh\\nexit 1\\n' > "$(git rev-parse --git-path hooks)/pre-commit"`
      ),
      (world, top, { run }) =>
        Effect.gen(function* () {
          expect(run.error).toBeUndefined()
          expect(yield* world.git(top, "log", "-1", "--format=%an", "main")).toBe("Ada Lovelace\n")
        })
    )
  )
})

describe("the clone that an agent works in", () => {
  it.scopedLive("has the user's branches, tags, remotes, hooks and settings, and its commits are kept", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const look = `{ git rev-parse main other v1 origin/main; git remote get-url origin; git config my.setting; git stash list
git log -1 --format=%ae; } > seen.txt
echo one > own.txt; git add own.txt; git commit -q -m own; git log -1 --format=%an:%ae > author.txt; git gc -q --prune=now; git repack -adq`
      const { config, top } = yield* Witness.job(world, doing(look))
      yield* world.git(top, "remote", "add", "origin", "https://example.com/origin.git")
      yield* world.git(top, "update-ref", "refs/remotes/origin/main", "main")
      yield* world.git(top, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
      yield* world.git(top, "config", "my.setting", 'a "quoted" # value\\')
      yield* world.write(`${top}/.git/hooks/pre-commit`, "#!/bin/sh\necho hook > hooked.txt\n", 0o755)
      const commits = yield* world.git(top, "rev-parse", "main", "other", "v1", "origin/main")
      yield* Effect.gen(function* () {
        const { run: record } = yield* run(config)
        expect(record.error).toBeUndefined()
        const seen = yield* show(world, top, "main:seen.txt")
        expect(seen).toBe(`${commits}https://example.com/origin.git\na "quoted" # value\\\nada@example.com\n`)
        expect(yield* show(world, top, "main:hooked.txt")).toBe("hook\n")
        expect(yield* show(world, top, "main:author.txt")).toBe("Ada Lovelace:ada@example.com\n")
        expect(yield* world.git(top, "log", "--format=%s", "mine..main")).toBe("Task 1\nown\n")
        yield* world.git(top, "fsck", "--strict", "--no-dangling")
      }).pipe(Effect.provide(Witness.manager(world)))
    })
  )

  it.scopedLive("protects the user's refs when the manager is killed while an agent runs", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const script = `git stash pop || true; git stash clear; git branch -f main HEAD; git branch -D other; git config user.name x
echo x > x.txt; git add x.txt; git commit -q -m own; STEP=agent; . "$WITNESS/step"`
      const at = ["step", "agent"] as const
      const { config, top, untouched } = yield* Witness.job(world, doing(once(script)))
      yield* Witness.holdAt(world, at)
      yield* Effect.gen(function* () {
        const life = yield* Life.begin(yield* Life.program, world, config)
        yield* life.until(Witness.reached(world, at))
        yield* life.kill
      }).pipe(Effect.scoped)
      yield* untouched
      yield* Effect.gen(function* () {
        const { run } = yield* Effect.flatMap(Witness.latest, ({ id }) => ended(id))
        expect(run).toMatchObject({ status: "completed", attempt: 2 })
        expect(yield* show(world, top, "main:u.txt")).toBe("done\n")
      }).pipe(Effect.provide(Witness.manager(world)))
      yield* untouched
    })
  )

  it.scopedLive("has its own stash and branches, separate from other jobs in the same repository", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const script = (name: string) => `echo ${name} > stashed.txt; git add stashed.txt; git stash; git branch wip
STEP=agent-${name}; . "$WITNESS/step"; touch "$WITNESS/${name}"
while ! test -e "$WITNESS/one" || ! test -e "$WITNESS/two"; do sleep 0.02; done
test "$(git stash list | wc -l)" = 1; git stash pop; grep -qx ${name} stashed.txt && mv stashed.txt ${name}.txt`
      const files = (name: string) => ({
        [`${name}/u/IMPLEMENTATION_PLAN.md`]: unit(),
        [`${name}/u/01-task.md`]: task(1, script(name), `grep -qx ${name} ${name}.txt`)
      })
      const { config, top } = yield* Witness.job(world, { ...files("one"), ...files("two") })
      yield* world.git(top, "branch", "second", "main")
      const stash = yield* world.git(top, "stash", "list", "--format=%H")
      yield* Effect.gen(function* () {
        const results = yield* Effect.all(
          [
            run({ ...config, tasksDir: "tasks/one" }),
            run({ ...config, tasksDir: "tasks/two", targetBranch: "second" })
          ],
          { concurrency: 2 }
        )
        for (const { run } of results) expect(run.error).toBeUndefined()
        expect(yield* show(world, top, "main:one.txt")).toBe("one\n")
        expect(yield* show(world, top, "second:two.txt")).toBe("two\n")
        expect(yield* world.git(top, "stash", "list", "--format=%H")).toBe(stash)
      }).pipe(Effect.provide(Witness.manager(world)))
    })
  )
})
