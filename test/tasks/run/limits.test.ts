import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Duration, Effect } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { mkdir, rm, symlink } from "node:fs/promises"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, show, task, unchangedButMain, unit } from "../Jobs.js"
import { blockedBy, commitOnMain, counted, counting, doneTasks, meanwhile, pausing, refusal, retry } from "./Scenes.js"

/** Two independent units of one task each. */
const two = (settings: string, first: readonly [script: string, gate: string] = ["touch a1", "test -e a1"]) => ({
  "charlotte.yaml": settings,
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-a.md": task(1, ...first),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  "b/01-b.md": task(1, "touch b1", "test -e b1")
})

const quoted = (value: string): string => JSON.stringify(value)

describe("charlotte.yaml", () => {
  it.scopedLive("setup runs in each worktree, and is retried without using up an attempt", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const setup = `${counting(world, "setup")}; echo ready > ready.log; test $(wc -l < '${world.root}/count-setup') -ne 1`
      const { config, top, untouched } = yield* repository(
        world,
        two(`attempts: 1\nsetup: ${quoted(setup)}\n`, ["cp ready.log a1", "grep -q ready a1"])
      )
      const ended = yield* run({ ...config, concurrency: 1 }).pipe(Effect.provide(charlotte(world)))
      expect(ended.run.status).toBe("completed")
      expect(yield* counted(world, "setup")).toBe(4)
      expect(ended.types.filter((type) => type.startsWith("unit.setup"))).toEqual([
        "unit.setup.started a",
        "unit.setup.failed a",
        "unit.setup.started a",
        "unit.setup.started b",
        // On the merged result.
        "unit.setup.started b"
      ])
      expect(ended.work.tasks.map(({ calls, failures }) => [calls, failures])).toEqual([
        [1, 0],
        [1, 0]
      ])
      // Ignored files are not committed.
      expect(yield* world.git(top, "ls-tree", "-r", "--name-only", "main")).not.toContain("ready.log")
      yield* untouched
    })
  )

  it.scopedLive("setup that keeps failing fails its unit, with the log; other units continue", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const setup = `case $PWD in */a) echo no such package; exit 3;; esac`
      const { config, untouched } = yield* repository(world, two(`setup: ${quoted(setup)}\n`))
      const ended = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(ended.run).toMatchObject({ status: "failed", error: { error: { _tag: "TasksFailed" } } })
      const [a, b] = ended.work.units
      expect([a?.state, b?.state]).toEqual(["failed", "merged"])
      expect(ended.work.tasks.map(({ calls, failures, state }) => [state, calls, failures])).toEqual([
        ["pending", 0, 0],
        ["completed", 1, 0]
      ])
      expect(ended.types.filter((type) => type === "unit.setup.failed a")).toHaveLength(3)
      const log = /^the setup \(.*\) exited with code 3: no such package; see (.*)$/.exec(a?.reason ?? "")?.[1] ?? ""
      expect(readFileSync(log, "utf8")).toBe("no such package\n")
      expect(JSON.stringify(ended.run.error)).toContain(log)
      yield* untouched
    })
  )

  it.scopedLive(
    "copy copies ignored files and directories, follows a symbolic link, and keeps links within a directory",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(
          world,
          two("copy: [./.env.log, deep/in/it.log, modules.log/, linked.log]\n", [
            [
              "cp .env.log env",
              "cp deep/in/it.log it",
              "test ! -L linked.log",
              "cp linked.log linked",
              "readlink modules.log/bin/tool > tool",
              "cat modules.log/bin/tool >> tool",
              "echo agent > linked.log",
              "echo agent > modules.log/lib"
            ].join("\n"),
            "grep -q secret env"
          ])
        )
        yield* world.write(`${top}/.env.log`, "secret\n")
        yield* world.write(`${top}/deep/in/it.log`, "it\n")
        yield* world.write(`${top}/modules.log/lib`, "lib\n")
        yield* world.write(`${world.root}/outside`, "outside\n")
        yield* Effect.promise(async () => {
          await mkdir(`${top}/modules.log/bin`)
          await symlink("../lib", `${top}/modules.log/bin/tool`)
          await symlink(`${world.root}/outside`, `${top}/linked.log`)
        })
        const untouched = yield* unchangedButMain(world, top)
        const ended = yield* run(config).pipe(Effect.provide(charlotte(world)))
        expect(ended.run.status).toBe("completed")
        expect(yield* show(world, top, "main:env")).toBe("secret\n")
        expect(yield* show(world, top, "main:it")).toBe("it\n")
        expect(yield* show(world, top, "main:linked")).toBe("outside\n")
        expect(yield* show(world, top, "main:tool")).toBe("../lib\nlib\n")
        // An agent that writes to a copied file changes its copy only.
        expect(readFileSync(`${world.root}/outside`, "utf8")).toBe("outside\n")
        yield* untouched
      })
  )

  it.scopedLive("copy is rejected for files that do not exist, are not ignored, or are not valid paths", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(
        world,
        two("copy: [gone.log, a.txt, dir, mixed/, ., beyond/secret.log]\n")
      )
      yield* world.write(`${top}/mixed/one.log`, "ignored\n")
      yield* world.write(`${top}/mixed/two.txt`, "not ignored\n")
      yield* world.write(`${world.root}/outside/secret.log`, "secret\n")
      yield* Effect.promise(() => symlink(`${world.root}/outside`, `${top}/beyond`))
      const start = (changes: string) =>
        Effect.gen(function* () {
          yield* commitOnMain(world, top, "tasks/charlotte.yaml", changes)
          yield* world.write(`${top}/tasks/charlotte.yaml`, changes)
          const manager = yield* JobManager.JobManager
          return (yield* refusal(manager.start(config))).message
        })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { message } = yield* refusal(manager.start(config))
        expect(message).toContain("tasks/charlotte.yaml: copy: gone.log does not exist: ")
        expect(message).toContain('tasks/charlotte.yaml: copy: path "." cannot be used')
        expect(message).toContain(
          "copy: beyond/secret.log cannot be copied: fatal: pathspec './beyond/secret.log' is beyond"
        )
        for (const path of ["a.txt", "dir", "mixed"])
          expect(message).toContain(
            `tasks/charlotte.yaml: copy: ${path} is not ignored by git, and would be committed: `
          )
        const message2 = yield* start("attempts: 2\ncopy:\n  - ../secret.log\n  - /etc/passwd\n  - x/.git/config\n")
        for (const line of [3, 4, 5])
          expect(message2).toContain(`tasks/charlotte.yaml:${line}: copy must be a path in the repository`)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("copy is refused if only the user's checkout ignores the file", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, two("copy: [.env]\n"))
      yield* world.write(`${top}/.gitignore`, "*.log\n.env\n")
      yield* world.write(`${top}/.env`, "secret\n")
      const untouched = yield* unchangedButMain(world, top)
      const ended = yield* run(config).pipe(Effect.provide(charlotte(world)))
      const reason =
        "the copy (.env) was refused: git does not ignore it in the worktree; commit the .gitignore that does"
      expect(ended.work.units.map(({ reason, state }) => [state, reason])).toEqual([
        ["failed", reason],
        ["failed", reason]
      ])
      expect(ended.work.tasks.every(({ calls }) => calls === 0)).toBe(true)
      yield* untouched
    })
  )

  const outside = (name: string, link: (outside: string) => string, copied: string) =>
    it.scopedLive(`copy is refused if ${name} of a committed path leads out of the worktree`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const elsewhere = `${world.root}/outside`
        yield* Effect.promise(() => mkdir(`${elsewhere}/conf`, { recursive: true }))
        // The unit that is merged first creates the link; in the user's checkout and at the base it is a directory.
        const { config, top } = yield* repository(world, {
          "charlotte.yaml": `copy: [${copied}]\n`,
          "a/IMPLEMENTATION_PLAN.md": unit(),
          "a/01-a.md": task(1, `rm -rf conf\n${link(elsewhere)}`, "test -L conf || test -L conf/sub"),
          "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
          "b/01-b.md": task(1, "touch b1", "test -e b1")
        })
        yield* world.write(`${top}/${copied}`, "secret\n")
        const untouched = yield* unchangedButMain(world, top)
        const ended = yield* run(config).pipe(Effect.provide(charlotte(world)))
        const [a, b] = ended.work.units
        expect([a?.state, b?.state]).toEqual(["merged", "failed"])
        expect(b?.reason).toMatch(/^the copy \(conf\/.*\) was refused: conf.* is a symbolic link in the worktree$/)
        expect(readdirSync(elsewhere, { recursive: true })).toEqual(["conf"])
        yield* untouched
      })
    )

  outside("a link", (elsewhere) => `ln -s '${elsewhere}' conf`, "conf/secret.log")
  outside("a link to be filled", (elsewhere) => `ln -s '${elsewhere}' conf`, "conf/new/deep/secret.log")
  outside("a link to nothing", (elsewhere) => `ln -s '${elsewhere}/gone' conf`, "conf/secret.log")
  outside("a link below", (elsewhere) => `mkdir conf; ln -s '${elsewhere}' conf/sub`, "conf/sub/secret.log")

  it.scopedLive("baseline fails the unit that breaks it; other units continue", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const baseline = "echo checked; test ! -e broken"
      const { config, top, untouched } = yield* repository(
        world,
        two(`baseline: ["true", ${quoted(baseline)}]\n`, ["touch broken", "true"])
      )
      yield* Effect.gen(function* () {
        const ended = yield* run(config)
        const [a, b] = ended.work.units
        expect([a?.state, b?.state]).toEqual(["failed", "merged"])
        const log = /^the baseline \(.*\) exited with code 1: checked; see (.*)$/.exec(a?.reason ?? "")?.[1] ?? ""
        expect(readFileSync(log, "utf8")).toBe("checked\n")
        const result = yield* world.git(top, "ls-tree", "--name-only", `charlotte/${ended.id}/result`)
        expect(result).toContain("b1\n")
        expect(result).not.toContain("broken")
        // A retry merges it again, as it stands, and does not pay for its task twice.
        yield* commitOnMain(world, top, "unrelated.txt", "unrelated\n")
        const again = yield* run({ ...config, retryOf: ended.id })
        expect(again.types.filter((type) => type.startsWith("task.agent.started"))).toEqual([])
        expect(again.work.units[0]).toMatchObject({ state: "failed", reason: expect.stringContaining("the baseline") })
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("agent and attempts apply unless the job names an agent", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, untouched } = yield* repository(world, two("agent: script\nattempts: 2\n", ["true", "false"]))
      yield* Effect.gen(function* () {
        const { agent, ...others } = config
        const ended = yield* run(others)
        expect(ended.events[1]?.payload).toMatchObject({ agent })
        expect(ended.work.tasks.map(({ failures, state }) => [state, failures])).toEqual([
          ["failed", 2],
          ["completed", 0]
        ])
        const manager = yield* JobManager.JobManager
        const { message } = yield* refusal(manager.start({ ...others, agent: "nobody" }))
        expect(message).toContain('agent: unknown agent "nobody"')
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("limits.agentCalls fails the job and keeps the completed work", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, {
        ...two("limits: { agentCalls: 3 }\n", ["echo x >> a1", "test $(wc -l < a1) -eq 2"]),
        "b/02-b.md": task(2, "touch b2", "test -e b2", [1])
      })
      yield* Effect.gen(function* () {
        const first = yield* run({ ...config, concurrency: 1 })
        const reason = "the limit of 3 agent calls in charlotte.yaml was reached"
        expect(first.run).toMatchObject({
          status: "failed",
          error: { error: { _tag: "TasksFailed", failures: [{ unit: "b", task: 2, reason }], blocked: [] } }
        })
        expect(first.work.units.map(({ reason, state }) => [state, reason])).toEqual([
          ["merged", undefined],
          ["failed", reason]
        ])
        expect(first.work.tasks.map(({ calls, failures, state }) => [state, calls, failures])).toEqual([
          ["completed", 2, 1],
          ["completed", 1, 0],
          ["failed", 0, 0]
        ])
        const second = yield* run({ ...config, retryOf: first.id })
        expect(second.run.status).toBe("completed")
        expect((yield* doneTasks(world, top, "mine..main")).toSorted()).toEqual(["a 1", "b 1", "b 2"])
        expect(second.work.tasks.reduce((sum, { calls }) => sum + calls, 0)).toBe(1)
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("limits.duration stops all processes and keeps the completed work", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        ...two("limits: { duration: 5 seconds }\n", [`echo $$ > '${world.root}/pid'\nexec sleep 60`, "true"]),
        "c/IMPLEMENTATION_PLAN.md": unit(["a"]),
        "c/01-c.md": task(1, "touch c1", "test -e c1")
      })
      yield* Effect.gen(function* () {
        const first = yield* run(config)
        const reason = "the limit of 5s in charlotte.yaml was reached"
        expect(first.run).toMatchObject({ status: "failed", error: { error: { _tag: "TasksFailed", blocked: ["c"] } } })
        const [a] = first.work.units
        expect([a?.state, a?.reason]).toEqual(["failed", reason])
        expect(first.work.tasks[0]).toMatchObject({ state: "failed", reason, failures: 0 })
        expect(first.types).toContain("task.failed a 1")
        const pid = readFileSync(`${world.root}/pid`, "utf8").trim()
        expect(existsSync(`/proc/${pid}`)).toBe(false)

        // Completed tasks of the other unit are not run again; it may only have waited to be merged.
        const done = first.work.tasks.flatMap(({ state, unit }) => (state === "completed" ? [unit] : []))
        for (const [file, content] of [
          ["tasks/charlotte.yaml", "attempts: 1\n"],
          ["tasks/a/01-a.md", task(1, "touch a1", "test -e a1")]
        ] as const) {
          yield* commitOnMain(world, top, file, content)
          yield* world.write(`${top}/${file}`, content)
        }
        const second = yield* run({ ...config, retryOf: first.id })
        expect(second.run.status).toBe("completed")
        const called = second.types.flatMap((type) => /^task\.agent\.started (\w)/.exec(type)?.[1] ?? [])
        expect([...called, ...done].toSorted()).toEqual(["a", "b", "c"])
        expect((yield* doneTasks(world, top, "mine..main")).toSorted()).toEqual(["a 1", "b 1", "c 1"])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("limits.duration applies to the verification before landing", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const gate = `test ! -e bad.txt && { test ! -e '${world.root}/slow' || exec sleep 60; }`
      const { config, top } = yield* repository(world, { "01-a.md": task(1, pausing(world, "touch a1"), gate) })
      yield* Effect.gen(function* () {
        const first = yield* meanwhile(world, config, () => commitOnMain(world, top, "bad.txt", "bad\n"))
        expect(first.run.status).toBe("failed")
        // All tasks are done; the gate would pass, but takes too long.
        const settings = "limits: { duration: 4 seconds }\n"
        yield* commitOnMain(world, top, "bad.txt")
        yield* commitOnMain(world, top, "tasks/charlotte.yaml", settings)
        yield* world.write(`${top}/tasks/charlotte.yaml`, settings)
        yield* world.write(`${world.root}/slow`, "")
        const { command, reason } = yield* blockedBy(yield* run({ ...config, retryOf: first.id }))
        expect(reason).toBe("the limit of 4s in charlotte.yaml was reached")
        yield* Effect.promise(() => rm(`${world.root}/slow`))
        yield* commitOnMain(world, top, "tasks/charlotte.yaml", "attempts: 1\n")
        yield* world.write(`${top}/tasks/charlotte.yaml`, "attempts: 1\n")
        expect(yield* retry(config, command)).toMatchObject({ run: { status: "completed" } })
      }).pipe(Effect.provide(charlotte(world)))
    })
  )
})

describe("the time limit of gates", () => {
  const sleeping = "echo started; sleep 1000"
  const limit = "ran longer than 1s, the limit gates.timeout in config.yaml"

  for (const [what, settings, gate, reason] of [
    ["a gate", "", sleeping, `task 1 (Task 1) failed once: the gate ${limit}`],
    ["setup", `setup: ${quoted(sleeping)}\n`, "true", `the setup (${sleeping}) ${limit}: started; see `],
    [
      "a baseline command",
      `baseline: [${quoted(sleeping)}]\n`,
      "true",
      `the baseline (${sleeping}) ${limit}: started; see `
    ]
  ] as const) {
    it.scopedLive(`ends ${what} that hangs`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, {
          "charlotte.yaml": `attempts: 1\n${settings}`,
          "01-a.md": task(1, "touch a", gate)
        })
        const { run: record, work } = yield* run(config).pipe(
          Effect.provide(charlotte(world, { gateTimeout: Duration.seconds(1) }))
        )
        expect(record.status).toBe("failed")
        expect(work.units[0]?.reason?.startsWith(reason), work.units[0]?.reason).toBe(true)
      })
    )
  }
})
