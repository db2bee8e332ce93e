/** Unfinished work is saved outside its worktree, and is there again in a worktree that had to be made again. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, type Run, RunStore } from "charlotte"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs"
import * as Snapshots from "../../../src/tasks/Snapshots.js"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, repository, run, task, untilClosed } from "../Jobs.js"
import { commitOf, counting, pausing } from "./Scenes.js"

/** A stand-in for Claude Code. Its script has the number `n` of this call, and `limited` and `worked`. Each prompt is kept. */
const claude = (world: Repository.Sandbox, script: string, name = "claude") =>
  new Agents.Profile({
    name,
    command: [
      "sh",
      "-c",
      `${counting(world, "claude")}
       n=$(($(wc -c < '${world.root}/count-claude') / 2))
       cat > '${world.root}'/prompt-$n
       record() { printf '{"type":"result","subtype":"success","is_error":%s,"result":"%s"}\\n' "$1" "$2"; }
       limited() { record true "Claude AI usage limit reached|$(($(date +%s) + 3600))"; exit 1; }
       worked() { record false done; exit 0; }
       ${script}`
    ],
    prompt: "stdin",
    format: "claude-stream-json",
    env: []
  })

const once = { "01-a.md": task(1, "true", "test -e out.txt"), "charlotte.yaml": "attempts: 2\n" }

const becomes = (id: Run.Run["id"], status: Run.Run["status"]) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    return yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(id))), {
      until: (run) => run.status === status
    })
  })

const directoryOf = ({ root }: Repository.Sandbox, id: string): string => `${root}/charlotte/unfinished/${id}/tasks`

const worktreeOf = ({ root }: Repository.Sandbox, id: string): string => `${root}/charlotte/worktrees/${id}/tasks`

const objects = (world: Repository.Sandbox, top: string) =>
  world.git(top, "cat-file", "--batch-all-objects", "--batch-check", "--unordered")

describe("unfinished work", () => {
  it.scopedLive("is saved before its job parks, and is put back if the worktree is gone by the next turn", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, once)
      const script = `
        if [ $n = 1 ]; then
          printf 'half\\r\\n' > half.txt; rm a.txt; mkdir cache; echo x > cache/x.log; truncate -s 21M large.bin
          limited
        fi
        cat half.txt > out.txt; test ! -e a.txt || exit 1; worked`
      const job = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const before = yield* objects(world, top)
        const id = yield* manager.start({ ...config, agent: "claude" })
        yield* becomes(id, "parked")
        expect(readdirSync(directoryOf(world, id))).toEqual(["1.json", "1.pack"])
        expect(yield* objects(world, top)).toBe(before)
        rmSync(worktreeOf(world, id), { recursive: true })
        yield* manager.resume(id)
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world, { profiles: [claude(world, script)] })))
      expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
      expect(yield* world.git(top, "show", "main:out.txt")).toBe("half\r\n")
      expect(job.work.tasks[0]?.notes).toEqual([
        "not in the snapshot of unfinished work: large.bin (larger than 20 MB)",
        "the worktree was made again with its unfinished work: 2 files"
      ])
      const [first, second] = [1, 2].map((n) => readFileSync(`${world.root}/prompt-${n}`, "utf8"))
      expect(first).not.toContain("made again")
      expect(second).toContain("the working tree had to be made again")
      expect(second).toContain("\n- large.bin: larger than 20 MB\n")
    })
  )

  for (const [name, isAdopted] of [
    ["is gone", false],
    ["another retry has adopted", true]
  ] as const)
    it.scopedLive(`is put back by a retry of a job whose worktree ${name}`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, once)
        yield* world.git(top, "branch", "next", "main")
        const hang = `touch '${world.root}/adopted'; exec sleep 1000`
        const script = `
          test $n = 1 && { echo half > half.txt; git add half.txt; rm a.txt; limited; }
          ${isAdopted ? `test $n = 2 && { ${hang}; }` : ""}
          git diff --cached --quiet || exit 1
          cat half.txt > out.txt; test ! -e a.txt || exit 1; worked`
        const profiles = ["claude", "other"].map((name) => claude(world, script, name))
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const first = yield* manager.start({ ...config, agent: "claude" })
          yield* becomes(first, "parked")
          yield* manager.stop(first)
          const again = { ...config, agent: "other", retryOf: first }
          if (isAdopted) {
            yield* manager.start(again)
            yield* appears(`${world.root}/adopted`)
          } else rmSync(worktreeOf(world, first), { recursive: true })
          const job = yield* run({ ...again, targetBranch: "next" })
          expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
          expect(yield* world.git(top, "show", "next:out.txt")).toBe("half\n")
          expect(job.work.tasks[0]?.notes.at(-1)).toBe("the worktree was made again with its unfinished work: 2 files")
          expect(readFileSync(`${world.root}/prompt-${isAdopted ? 3 : 2}`, "utf8")).toContain(
            "the working tree had to be made again"
          )
          yield* manager.stopAll
        }).pipe(Effect.provide(charlotte(world, { profiles })))
      })
    )

  it.scopedLive("is saved before the next agent of a list continues it in the same worktree", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const settings = { "charlotte.yaml": "agent: [claude, other]\nattempts: 1\n" }
      const { config } = yield* repository(world, { ...once, ...settings })
      const next = `ls '${world.root}'/charlotte/unfinished/*/tasks > '${world.root}/saved'; mv half.txt out.txt; worked`
      const profiles = [claude(world, "echo half > half.txt; limited"), claude(world, next, "other")]
      const job = yield* Effect.provide(run({ ...config, agent: undefined }), charlotte(world, { profiles }))
      expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
      expect(readFileSync(`${world.root}/saved`, "utf8")).toBe("1.json\n1.pack\n")
      expect(job.work.tasks).toMatchObject([{ failures: 0, calls: 1 }])
    })
  )

  it.scopedLive("of an attempt that moved HEAD is saved, named in a note, and not continued", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, once)
      const script = `
        if [ $n = 1 ]; then echo mine > mine.txt; git checkout --quiet --detach; worked; fi
        test ! -e mine.txt && touch out.txt; worked`
      const {
        id,
        run: end,
        work
      } = yield* run({ ...config, agent: "claude" }).pipe(
        Effect.provide(charlotte(world, { profiles: [claude(world, script)] }))
      )
      expect([end.status, end.error]).toEqual(["completed", undefined])
      expect(work.tasks[0]?.notes).toEqual([
        expect.stringMatching(
          new RegExp(`^attempt 1 was discarded: .*; its work: charlotte diff ${id} tasks --unfinished 1$`)
        )
      ])
      expect(yield* Snapshots.list(directoryOf(world, id))).toMatchObject([
        { number: 1, record: { isDiscarded: true, files: 1, leftOut: [] } }
      ])
      const prompt = readFileSync(`${world.root}/prompt-2`, "utf8")
      expect(prompt).toContain("A previous attempt at this task failed: the gate exited with code 1. Find out why")
      expect(prompt).toMatch(/The changes of the last turn at this task were discarded: HEAD of \S+ was moved/)
    })
  )

  for (const [way, script, problem] of [
    ["removed its .git", "rm .git", "cannot be used: its .git is gone or was replaced"],
    ["left a bisect under way", 'touch "$(git rev-parse --git-path BISECT_START)"', "a bisect is in progress in"]
  ] as const)
    it.scopedLive(
      `of an attempt that ${way} is discarded, which the next prompt says, with a patch and no advice`,
      () =>
        Effect.gen(function* () {
          const world = yield* Repository.sandbox
          const gate = "test -e mine.txt || test -e out.txt"
          const files = { "01-a.md": task(1, "true", gate), "charlotte.yaml": "attempts: 3\n" }
          const { config, top } = yield* repository(world, files)
          const base = yield* commitOf(world, top, "main")
          const works = `[ $n = 1 ] && { echo mine > mine.txt; ${script}; worked; }
          [ $n = 2 ] && { test -e mine.txt && exit 1; exit 0; }
          touch out.txt; worked`
          const layer = charlotte(world, { profiles: [claude(world, works)] })
          const settings = { ...config, agent: "claude" }
          const { run: end } = yield* Effect.provide(run(settings), layer)
          expect(end.status).toBe("completed")
          const [second = "", third = ""] = [2, 3].map((n) => readFileSync(`${world.root}/prompt-${n}`, "utf8"))
          expect(second).toMatch(/failed: .*\. Find out why/)
          expect(second).toContain(problem)
          expect(second).toContain(`The working tree was made again at commit ${base}, without them.`)
          expect(second).toContain("+mine")
          const [, patch = ""] = /kept as a patch: (\S+)/.exec(second) ?? []
          expect(readFileSync(patch, "utf8")).toContain("+++ b/mine.txt")
          expect(second).not.toMatch(/may still be in the working tree|remove it|abort it/)
          // The worktree of the second attempt stays.
          expect(third).toContain("Its changes may still be in the working tree.")
          expect(third).not.toContain("discarded")
        })
    )

  it.scopedLive("is not continued by the next manager if HEAD was moved when its turn was cut off", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, once)
      const script = `
        if [ $n = 1 ]; then echo mine > mine.txt; git checkout --quiet --detach; ${pausing(world, "worked")}; fi
        test ! -e mine.txt && touch out.txt; worked`
      const profiles = [claude(world, script)]
      const first = yield* untilClosed(charlotte(world, { profiles }))
      const id = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start({ ...config, agent: "claude" })
        yield* appears(`${world.root}/go.reached`)
        return id
      }).pipe(Effect.provide(first.context))
      yield* first.close
      const job = yield* Effect.provide(ended(id), charlotte(world, { profiles }))
      expect([job.run.status, job.work.tasks[0]?.failures]).toEqual(["completed", 0])
      expect(job.work.tasks[0]?.notes).toEqual([
        expect.stringMatching(
          new RegExp(`^unfinished work was discarded.*: charlotte diff ${id} tasks --unfinished 1$`)
        )
      ])
      const prompt = readFileSync(`${world.root}/prompt-2`, "utf8")
      expect(prompt).toMatch(/The changes of the last turn at this task were discarded: HEAD of \S+ was moved/)
    })
  )

  it.scopedLive("is saved again only if it has changed, and the last three snapshots are kept", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, once)
      // Every second turn changes something.
      const script = `[ $n = 12 ] && { touch out.txt; worked; }; echo $((n / 2)) > half.txt; limited`
      const id = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start({ ...config, agent: "claude" })
        for (let n = 1; n < 9; n++) {
          yield* appears(`${world.root}/prompt-${n}`)
          yield* becomes(id, "parked")
          yield* manager.resume(id)
        }
        yield* appears(`${world.root}/prompt-9`)
        yield* becomes(id, "parked")
        return id
      }).pipe(Effect.provide(charlotte(world, { profiles: [claude(world, script)] })))
      const found = yield* Snapshots.list(directoryOf(world, id))
      expect(found.map(({ number }) => number)).toEqual([3, 4, 5])
      expect(readdirSync(directoryOf(world, id))).toHaveLength(6)
    })
  )

  it.scopedLive("is not put back in a worktree that is made again after a turn has undone it", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, once)
      const script = `
        [ $n = 1 ] && { echo half > half.txt; limited; }
        [ $n = 2 ] && { rm half.txt; touch "$(git rev-parse --git-path BISECT_START)"; limited; }
        test -e half.txt || touch out.txt; worked`
      const job = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start({ ...config, agent: "claude" })
        yield* becomes(id, "parked")
        yield* manager.resume(id)
        yield* appears(`${world.root}/prompt-2`)
        yield* becomes(id, "parked")
        yield* manager.resume(id)
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world, { profiles: [claude(world, script)] })))
      expect(job.run.status).toBe("completed")
      expect(job.work.tasks).toMatchObject([{ failures: 0, notes: [] }])
      expect(yield* Snapshots.list(directoryOf(world, job.id))).toMatchObject([{ number: 1 }])
    })
  )

  it.scopedLive("is not saved by a stop or by the closing of the manager", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, once)
      const profiles = [claude(world, `echo half > half.txt; ${pausing(world, "worked")}`)]
      const { close, context } = yield* untilClosed(charlotte(world, { profiles }))
      const id = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const stopped = yield* manager.start({ ...config, agent: "claude" })
        yield* appears(`${world.root}/go.reached`)
        yield* manager.stop(stopped)
        expect(existsSync(directoryOf(world, stopped))).toBe(false)
        rmSync(`${world.root}/go.reached`)
        const id = yield* manager.start({ ...config, agent: "claude" })
        yield* appears(`${world.root}/go.reached`)
        return id
      }).pipe(Effect.provide(context))
      yield* close
      expect(existsSync(directoryOf(world, id))).toBe(false)
    })
  )

  it.scopedLive("does not delay a stop while it is being saved", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, once)
      const git = `${world.root}/bin/git`
      const hang = `touch '${world.root}/saving'; exec sleep 600`
      yield* world.write(git, `#!/bin/sh\n[ "$1" = fast-import ] && { ${hang}; }\nexec git "$@"\n`, 0o755)
      const hanging = { ...world, environment: { ...world.environment, executable: git } }
      const job = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start({ ...config, agent: "claude" })
        yield* appears(`${world.root}/saving`)
        yield* manager.stop(id)
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(hanging, { profiles: [claude(world, "echo half > half.txt; limited")] })))
      expect(job.run.status).toBe("cancelled")
      expect(existsSync(directoryOf(world, job.id))).toBe(false)
    })
  )
})
