/** The gate of a task runs once before any work, which is a note and never a verdict. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, repository, run, show, task, untilClosed } from "../Jobs.js"
import { killedOnce, manager } from "./Life.js"
import { counted, counting } from "./Scenes.js"
import * as Witness from "./Witness.js"

/** An agent that counts its turns and runs a script. */
const agent = (world: Repository.Sandbox, script: string) =>
  new Agents.Profile({
    name: "mine",
    command: ["sh", "-c", `cat > /dev/null\n${counting(world, "turns")}\n${script}`],
    prompt: "stdin",
    env: []
  })

/** A task with keys of its own. */
const keyed = (keys: string, gate: string) => task(1, "true", gate).replace("status:", `${keys}\nstatus:`)

interface Scene {
  readonly gate: string
  readonly keys?: string
  readonly script?: string
  readonly files?: Record<string, string>
}

const scene = ({ files = {}, gate, keys, script = "echo out > out.txt" }: Scene) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const own = `${counting(world, "gate")}\n${gate}`
    const { config, top } = yield* repository(world, {
      "01-out.md": keys === undefined ? task(1, "true", own) : keyed(keys, own),
      ...files
    })
    const layer = charlotte(world, { profiles: [agent(world, script)] })
    const job = run({ ...config, agent: "mine" }).pipe(Effect.provide(layer))
    return { world, config, top, layer, job, gates: counted(world, "gate"), turns: counted(world, "turns") }
  })

const passes = "test -e out.txt"

/** Files beside the database, from a worktree. */
const [cut, seen] = ["../../../../cut", "../../../../seen"]

describe("the gate of a task before any work", () => {
  it.scopedLive("is noted if it passes, once and first, and costs one run", () =>
    Effect.gen(function* () {
      const { gates, job } = yield* scene({ gate: "true" })
      const { types, work } = yield* job
      expect(work.tasks).toMatchObject([{ state: "completed", notes: [{ _tag: "greenBefore" }] }])
      expect(yield* gates).toBe(2)
      const order = ["task.gate.before", "task.noted", "task.started", "task.gate.started", "task.gate.passed"]
      expect(types.filter((type) => order.some((name) => type.startsWith(`${name} `)))).toEqual(
        order.map((name) => `${name} tasks 1`)
      )
    })
  )

  it.scopedLive("leaves no note if it fails, and is no attempt", () =>
    Effect.gen(function* () {
      const { gates, job, turns } = yield* scene({ gate: passes })
      const { work } = yield* job
      expect(work.tasks).toMatchObject([{ state: "completed", failures: 0, calls: 1, notes: [] }])
      expect([yield* gates, yield* turns]).toEqual([2, 1])
    })
  )

  it.scopedLive("says nothing of the files of the last commit if it has failed on those that the setup made", () =>
    Effect.gen(function* () {
      const { gates, job } = yield* scene({
        gate: "test ! -e set-up.txt",
        script: "rm set-up.txt",
        files: { "charlotte.yaml": "setup: touch set-up.txt\n" }
      })
      const notes = [expect.stringContaining("no file was changed")]
      expect((yield* job).work.tasks).toMatchObject([{ state: "completed", failures: 0, notes }])
      expect(yield* gates).toBe(2)
    })
  )

  it.scopedLive("is not run for a script, nor again for another attempt", () =>
    Effect.gen(function* () {
      const twice = yield* scene({ gate: `test "$(cat out.txt)" = oo`, script: "printf o >> out.txt" })
      expect((yield* twice.job).work.tasks).toMatchObject([{ state: "completed", failures: 1, calls: 2 }])
      expect(yield* twice.gates).toBe(3)
      const { config, gates, layer } = yield* scene({ gate: "true" })
      const { work } = yield* run(config).pipe(Effect.provide(layer))
      expect(work.tasks).toMatchObject([
        { state: "completed", notes: [expect.stringContaining("no file was changed")] }
      ])
      expect(yield* gates).toBe(1)
    })
  )

  it.scopedLive("fails a task with before: red before any turn if it passes, which a retry checks again", () =>
    Effect.gen(function* () {
      const { config, gates, job, layer, turns } = yield* scene({ gate: "true", keys: "before: red" })
      const { id, run: failed, work } = yield* job
      const reason =
        "its gate passed before any work, so it would prove nothing: let it fail without the work, or remove before: red from tasks/01-out.md"
      expect(work.tasks).toMatchObject([{ state: "failed", failures: 0, calls: 0, reason, notes: [] }])
      expect(work.units).toMatchObject([{ reason: `task 1 (Task 1) failed before any work: ${reason}` }])
      expect(failed.status).toBe("failed")
      const again = yield* run({ ...config, agent: "mine", retryOf: id }).pipe(Effect.provide(layer))
      expect(again.work.tasks).toMatchObject([{ state: "failed", reason }])
      expect([yield* gates, yield* turns]).toEqual([2, 0])
    })
  )

  it.scopedLive("has to pass where a task says before: green", () =>
    Effect.gen(function* () {
      const good = yield* scene({ gate: "true", keys: "before: green" })
      expect((yield* good.job).work.tasks).toMatchObject([{ state: "completed", notes: [] }])
      const bad = yield* scene({ gate: "echo broken; exit 3", keys: "before: green" })
      const reason = expect.stringMatching(
        /^its gate has to pass before any work, and exited with code 3: broken: .*remove before: green from tasks/
      )
      expect((yield* bad.job).work.tasks).toMatchObject([{ state: "failed", reason }])
      expect(yield* bad.turns).toBe(0)
    })
  )

  it.scopedLive(
    "is unknown if it takes too long, and could not run if there is no such command: neither is a verdict",
    () =>
      Effect.gen(function* () {
        const slow = yield* scene({
          gate: "test -e out.txt || sleep 100",
          keys: "before: red",
          files: { "charlotte.yaml": "gates: { before: 200 millis }\n" }
        })
        expect((yield* slow.job).work.tasks).toMatchObject([
          {
            state: "completed",
            notes: [
              { _tag: "unknownBefore", reason: "ran longer than 200ms, the limit gates.before in charlotte.yaml" }
            ]
          }
        ])
        const absent = yield* scene({
          gate: "test -e out.txt || { no-such-command; exit 127; }",
          keys: "before: green"
        })
        expect((yield* absent.job).work.tasks).toMatchObject([
          { state: "completed", notes: [{ _tag: "couldNotRunBefore", reason: expect.stringMatching(/code 127: /) }] }
        ])
      })
  )

  it.scopedLive(
    "leaves nothing: files, deletions, modes, commits and ignored files are as before, and setup's are there",
    () =>
      Effect.gen(function* () {
        const gate = [
          "test -e out.txt && exit 0",
          "echo mess >> a.txt; rm -r dir; echo new > new.txt; mkdir made; echo deep > made/deep; chmod +x b.txt",
          "git add a.txt; git -c user.name=a -c user.email=a@b commit -qm mess",
          "mkdir build; echo built > build/x; rm set-up.txt; exit 1"
        ].join("\n")
        const { job, top, world } = yield* scene({
          gate,
          script: `git status --porcelain=v1 --ignored > ${seen}; echo out > out.txt`,
          files: {
            "charlotte.yaml": `setup: "printf 'build\\\\ncache\\\\n' > .gitignore; echo s > set-up.txt; mkdir -p cache; touch cache/kept"\n`
          }
        })
        const { run: done } = yield* job
        expect(done.error).toBeUndefined()
        expect(readFileSync(`${world.root}/seen`, "utf8")).toBe(" M .gitignore\n?? set-up.txt\n!! cache/\n")
        const landed = yield* world.git(top, "diff", "--name-status", "main~1", "main")
        expect(landed).toBe("M\t.gitignore\nA\tout.txt\nA\tset-up.txt\nM\ttasks/01-out.md\n")
      })
  )

  it.scopedLive("makes the worktree again if it has left the branch", () =>
    Effect.gen(function* () {
      const { job, turns } = yield* scene({ gate: "test -e out.txt || { git checkout -q --detach; exit 1; }" })
      expect((yield* job).work.tasks).toMatchObject([{ state: "completed", failures: 0 }])
      expect(yield* turns).toBe(1)
    })
  )

  it.scopedLive("is run again after an interruption in its midst, which changes nothing", () =>
    Effect.gen(function* () {
      const { config, gates, layer, top, turns, world } = yield* scene({
        gate: "test -e out.txt && exit 0; echo mess | tee -a a.txt > new.txt; test -e $C && exit 1; touch $C; sleep 1000".replaceAll(
          "$C",
          cut
        )
      })
      const first = yield* untilClosed(layer)
      const id = yield* Effect.flatMap(JobManager.JobManager, (manager) =>
        manager.start({ ...config, agent: "mine" })
      ).pipe(Effect.provide(first.context))
      yield* appears(`${world.root}/cut`)
      yield* first.close
      const { run: done, work } = yield* ended(id).pipe(Effect.provide(layer))
      expect(done.error).toBeUndefined()
      expect(work.tasks).toMatchObject([{ state: "completed", calls: 1, failures: 0, notes: [] }])
      // Cut off, before, and after.
      expect([yield* gates, yield* turns]).toEqual([3, 1])
      expect(yield* show(world, top, "main:out.txt")).toBe("out\n")
      expect(yield* world.git(top, "diff", "--name-only", "main~1", "main")).toBe("out.txt\ntasks/01-out.md\n")
    })
  )

  it.scopedLive("is run again after a kill -9 of the manager while it runs, which changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const gate = `test -e out.txt && exit 0; ${counting(world, "gate")}
        echo mess | tee -a a.txt > new.txt; test -e ${cut} && exit 1; touch ${cut}; sleep 1000`
      const { config, top } = yield* repository(world, { "01-out.md": task(1, "echo out > out.txt", gate) })
      const { id } = yield* killedOnce(world, { ...config, agent: "claude" }, `${world.root}/cut`)
      const { run: done, work } = yield* ended(id).pipe(Effect.provide(manager(world)))
      expect(done.error).toBeUndefined()
      expect(work.tasks).toMatchObject([{ state: "completed", calls: 1, failures: 0, notes: [] }])
      expect(yield* counted(world, "gate")).toBe(2)
      expect(yield* world.git(top, "diff", "--name-only", "main~1", "main")).toBe("out.txt\ntasks/01-out.md\n")
    })
  )

  it.scopedLive("is not run again for a job that is resumed, or retried with unfinished work", () =>
    Effect.gen(function* () {
      const { config, gates, layer, turns, world } = yield* scene({
        gate: passes,
        script: `echo part > part.txt; test -e ${cut} && echo out > out.txt && exit 0; touch ${cut}; sleep 1000`
      })
      const first = yield* untilClosed(layer)
      const id = yield* Effect.flatMap(JobManager.JobManager, (manager) =>
        manager.start({ ...config, agent: "mine" })
      ).pipe(Effect.provide(first.context))
      yield* appears(`${world.root}/cut`)
      yield* first.close
      expect((yield* ended(id).pipe(Effect.provide(layer))).run.error).toBeUndefined()
      expect([yield* gates, yield* turns]).toEqual([2, 2])
    })
  )
})
