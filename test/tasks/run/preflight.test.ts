import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, rm, symlink } from "node:fs/promises"
import * as Repository from "../../support/Repository.js"
import { charlotte, ended, repository, run, task, unchangedFromHere, unit } from "../Jobs.js"
import { type Config, counted, follow, refusal } from "./Scenes.js"

const good = task(1, "true", "true")

/** A task file with this frontmatter. */
const file = (...frontmatter: ReadonlyArray<string>): string =>
  `---\n${frontmatter.join("\n")}\n---\n\n# Bad\n\n\`\`\`sh\ntrue\n\`\`\`\n`

type BadPlan = readonly [what: string, files: Readonly<Record<string, string>>, ...said: ReadonlyArray<string>]

/** Files below `tasks`, and the expected diagnostics. */
const plans: ReadonlyArray<BadPlan> = [
  [
    "no backpressure",
    { "01-a.md": file("task: 1", "status: pending") },
    "01-a.md:1: has no backpressure: add the command that must pass before the task counts as done"
  ],
  [
    "an empty backpressure",
    { "01-a.md": file("task: 1", "status: pending", 'backpressure: "  "') },
    "01-a.md:4: backpressure must be a shell command, as text: put quotes around it"
  ],
  [
    "no number",
    { "01-a.md": file("status: pending", "backpressure: x") },
    "01-a.md:1: has no task number: add a line such as task: 1"
  ],
  [
    "a duplicate number",
    { "01-a.md": good, "1-b.md": good },
    "1-b.md:2: is task 1, as is tasks/01-a.md: renumber one of them"
  ],
  [
    "an unknown status",
    { "01-a.md": file("task: 1", "status: begun", "backpressure: x") },
    "01-a.md:3: status must be pending, in_progress, complete or failed"
  ],
  [
    "a task with an unknown dependency",
    { "01-a.md": task(1, "true", "true", [7]) },
    "01-a.md:5: depends on task 7, which does not exist in this unit: expected one of 1"
  ],
  [
    "a dependency cycle of tasks",
    {
      "01-a.md": task(1, "true", "true", [2]),
      "02-b.md": task(2, "true", "true", [3]),
      "03-c.md": task(3, "true", "true", [1])
    },
    "01-a.md:5: is part of a dependency cycle of tasks: 1 → 2 → 3 → 1"
  ],
  [
    "a unit with an unknown dependency",
    {
      "a/IMPLEMENTATION_PLAN.md": unit(["bb"]),
      "a/01-a.md": good,
      "b/IMPLEMENTATION_PLAN.md": unit(),
      "b/01-a.md": good
    },
    'a/IMPLEMENTATION_PLAN.md:2: depends on unit "bb", which does not exist: did you mean "b"?'
  ],
  [
    "a dependency cycle of units",
    {
      "a/IMPLEMENTATION_PLAN.md": unit(["b"]),
      "a/01-a.md": good,
      "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
      "b/01-a.md": good
    },
    "a/IMPLEMENTATION_PLAN.md:2: is part of a dependency cycle of units: a → b → a"
  ],
  [
    "no frontmatter",
    { "01-a.md": "# A\n" },
    "01-a.md:1: has no frontmatter: begin the file with a line ---, then its keys, then another line ---"
  ],
  [
    "an alias",
    { "01-a.md": file("task: 1", "status: pending", "backpressure: &x y") },
    "01-a.md:4: has the YAML alias or anchor &x here: write the value out, or put quotes around it"
  ],
  [
    "a file that is too large",
    { "01-a.md": good + "x".repeat(2_000_000) },
    "01-a.md: is larger than 1024 KiB: split it, or move what the agent does not need elsewhere"
  ],
  [
    "a task without a script for the script agent",
    { "01-a.md": "---\ntask: 1\nstatus: pending\nbackpressure: x\n---\n# A\n" },
    "01-a.md:1: has no fenced sh block for the script agent to run: add one, or choose another agent"
  ],
  [
    "several mistakes in charlotte.yaml",
    { "01-a.md": good, "charlotte.yaml": "setup: npm ci\natempts: 2\nlimits: { agentCalls: 0, duration: soon }\n" },
    'charlotte.yaml:2: has the unknown key "atempts": did you mean "attempts"?',
    "charlotte.yaml:3: limits.agentCalls must be a whole number, 1 or more",
    "charlotte.yaml:3: limits.duration must be a duration with its unit, such as 30 minutes or 2 hours"
  ]
]

/** Checks that rejected jobs left no trace. */
const nothingBegun = (world: Repository.Sandbox, top: string) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    expect(yield* store.list()).toEqual([])
    expect(yield* world.git(top, "for-each-ref", "refs/heads/charlotte")).toBe("")
    expect((yield* world.git(top, "worktree", "list")).trim().split("\n")).toHaveLength(1)
    expect(existsSync(`${world.root}/charlotte`)).toBe(false)
  })

describe("a job is rejected", () => {
  it.scopedLive("for an invalid plan, with one diagnostic per mistake", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { "README.md": "nothing\n" })
      const untouched = yield* unchangedFromHere(world, top)
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const clear = Effect.promise(() => rm(`${top}/tasks`, { recursive: true }))
        for (const [what, files, ...said] of plans) {
          yield* clear
          for (const [name, content] of Object.entries(files)) yield* world.write(`${top}/tasks/${name}`, content)
          const error = yield* refusal(manager.start(config))
          expect(error, what).toMatchObject({
            _tag: "InvalidJobConfig",
            issues: said.map((message) => ({ path: ["tasksDir"], message: `tasks/${message}` }))
          })
        }
        yield* clear
        yield* Effect.promise(async () => {
          await mkdir(`${top}/tasks/03-directory.md`, { recursive: true })
          await symlink("/etc/hostname", `${top}/tasks/02-link.md`)
        })
        execFileSync("mkfifo", [`${top}/tasks/01-fifo.md`])
        const kinds = yield* refusal(manager.start(config))
        expect(kinds.message.split("; ")).toEqual([
          "invalid job configuration: tasksDir: tasks/01-fifo.md: is a special file: replace it with a regular file",
          "tasksDir: tasks/02-link.md: is a symbolic link: replace it with a regular file",
          "tasksDir: tasks/03-directory.md: is a directory: replace it with a regular file"
        ])
        yield* clear
        yield* world.write(`${top}/tasks/README.md`, "nothing\n")
        yield* untouched
        yield* nothingBegun(world, top)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("for other problems, all reported at once with advice", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { "01-a.md": good, "charlotte.yaml": "copy: [gone.log]\n" })
      const unborn = `${world.root}/unborn`
      yield* world.git(world.root, "init", "--quiet", unborn)
      yield* world.write(`${unborn}/tasks/01-a.md`, good)
      const nameless = yield* Repository.plain(world, "nameless")
      yield* world.git(nameless, "config", "user.name", "")
      const untouched = yield* unchangedFromHere(world, top)
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const say = (changes: Partial<Config>) =>
          Effect.map(refusal(manager.start({ ...config, ...changes })), ({ message }) => message)
        const issues = (message: string) => message.replace("invalid job configuration: ", "").split(/; (?=\w+: )/)

        const unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
        expect(issues(yield* say({ targetBranch: "gone", tasksDir: "no", agent: "nobody", retryOf: unknown }))).toEqual(
          [
            'targetBranch: there is no branch gone; name one of those that "git branch" lists',
            "tasksDir: no: does not exist: create it, or specify another directory",
            expect.stringMatching(/^agent: unknown agent "nobody": expected one of script; configure more in /),
            `retryOf: job ${unknown} not found`
          ]
        )
        yield* world.write(`${top}/tasks/01-a.md`, `${good}changed\n`)
        const { agent: _, ...undecided } = config
        const found = yield* refusal(manager.start({ ...undecided, retryOf: unknown }))
        expect(issues(found.message)).toEqual([
          "agent: no agent is selected; select one with --agent or with agent: in charlotte.yaml: script",
          `retryOf: job ${unknown} not found`,
          expect.stringMatching(/^tasksDir: tasks\/01-a.md: is not on main in its current version/),
          "tasksDir: tasks/charlotte.yaml: copy: gone.log does not exist: create it, or remove it from the list"
        ])
        yield* world.write(`${top}/tasks/01-a.md`, good)

        for (const tasksDir of ["../home", "/tmp"])
          expect(yield* say({ tasksDir })).toContain(`tasksDir: ${tasksDir}: is outside the repository ${top}`)
        expect(yield* say({ targetBranch: "HEAD" })).toContain("it means whatever is checked out")
        expect(yield* say({ targetBranch: "main:tasks" })).toContain('targetBranch: branch "main:tasks" cannot be used')
        expect(yield* say({ repoPath: world.root })).toContain(
          `repoPath: ${world.root} is not the working tree of a git`
        )
        expect(yield* say({ repoPath: unborn })).toContain("the branch main has no commit yet; make a first one with")
        expect(yield* say({ repoPath: nameless })).toContain("git does not know who commits in")
        yield* untouched
        yield* nothingBegun(world, top)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("for a home inside the repository", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { "01-a.md": good })
      const { message } = yield* Effect.flatMap(JobManager.JobManager, (manager) =>
        refusal(manager.start(config))
      ).pipe(Effect.provide(charlotte({ ...world, root: top })))
      expect(message).toContain(`${top}/charlotte/worktrees lies inside ${top}`)
    })
  )

  it.scopedLive("for a target that is checked out twice, unless it does not land", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { "01-a.md": good })
      for (const name of ["one", "another"])
        yield* world.git(top, "worktree", "add", "--quiet", "--force", `${world.root}/${name}`, "main")
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { message } = yield* refusal(manager.start(config))
        expect(message).toMatch(/targetBranch: the branch main is checked out in .* and .*; switch one of them/)
        const store = yield* RunStore.RunStore
        expect(yield* store.list()).toEqual([])
        expect((yield* run({ ...config, land: false })).run.status).toBe("completed")
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("while its tasks are not committed on the target; the suggested commands fix that", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { "01-a.md": good })
      yield* world.write(`${top}/tasks/02-b's [new].md`, task(2, "true", "true"))
      yield* world.write(`${top}/tasks/charlotte.yaml`, "attempts: 1\n")
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const commands = (message: string) =>
          [...message.matchAll(/(?:version|out): (git .*?)(?:;|$)/g)].map(([, c = ""]) => c)
        const elsewhere = yield* refusal(manager.start(config))
        expect(commands(elsewhere.message)).toEqual(Array(2).fill(`git -C ${top} switch main`))
        expect(yield* follow(world, `git -C ${top} switch main`)).toMatchObject({ code: 0 })
        const here = yield* refusal(manager.start(config))
        for (const command of commands(here.message))
          expect(yield* follow(world, command.replace("commit --", "commit -m user --"))).toMatchObject({ code: 0 })
        // These commits contain none of the user's other changes.
        expect(yield* world.git(top, "status", "--porcelain")).toBe(" M b.txt\n?? untracked.txt\n")
        expect((yield* run(config)).run.status).toBe("completed")
      }).pipe(Effect.provide(charlotte(world)))
    })
  )
})

describe("two jobs", () => {
  it.scopedLive("never run for the same branch, however branch and repository are spelled", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, { "01-a.md": task(1, "sleep 60", "true") })
      const linked = `${world.root}/linked`
      yield* world.git(top, "worktree", "add", "--quiet", "--detach", linked, "main")
      yield* Effect.promise(() => symlink(top, `${world.root}/link`))
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        const others: ReadonlyArray<Partial<Config>> = [
          {},
          { repoPath: `${world.root}/link` },
          { repoPath: `${world.root}/link/` },
          { repoPath: `${top}/dir` },
          { repoPath: `${top}/dir/../../repository//.` },
          { repoPath: linked },
          { targetBranch: "refs/heads/main" },
          { repoPath: `${world.root}/link/dir`, targetBranch: "refs/heads/main", tasksDir: `${top}/tasks` }
        ]
        for (const other of others) {
          const error = yield* refusal(manager.start({ ...config, ...other }))
          expect(error, JSON.stringify(other)).toMatchObject({ _tag: "JobConflict", jobId: id })
        }
        const store = yield* RunStore.RunStore
        expect(yield* store.list()).toHaveLength(1)
        yield* manager.stopAll
        // Once the first has ended, the branch is free.
        yield* manager.start({ ...config, repoPath: linked, targetBranch: "refs/heads/main" })
        yield* manager.stopAll
      }).pipe(Effect.provide(charlotte(world)))
      yield* world.git(top, "worktree", "remove", linked)
      yield* untouched
    })
  )

  it.scopedLive("for different branches run concurrently, and each lands on its own branch", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      // Each waits until the other has reached the same point.
      const meet = `touch "${world.root}/at-$(basename "$(dirname "$PWD")")"\nwhile test $(ls '${world.root}' | grep -c '^at-') -lt 2; do sleep 0.02; done\ntouch met`
      const { config, top, untouched } = yield* repository(world, { "01-a.md": task(1, meet, "test -e met") })
      yield* world.git(top, "branch", "second", "main")
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const ids = yield* Effect.forEach(["main", "second"], (targetBranch) =>
          manager.start({ ...config, targetBranch })
        )
        for (const id of ids) expect((yield* ended(id)).run.status).toBe("completed")
      }).pipe(Effect.provide(charlotte(world)))
      for (const branch of ["main", "second"])
        expect(yield* world.git(top, "ls-tree", "--name-only", branch)).toContain("met\n")
      yield* world.git(top, "branch", "-D", "second")
      yield* untouched
    })
  )
})

/** Submits the plan as a dry run, and counts the git processes. */
const planned = (units: number, tasks: number) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const names = Array.from({ length: units }, (_, index) => `u${String(index).padStart(2, "0")}`)
    const numbers = Array.from({ length: tasks }, (_, index) => index + 1)
    const { config, untouched } = yield* repository(
      world,
      Object.fromEntries(
        names.flatMap((name, index) => [
          [`${name}/IMPLEMENTATION_PLAN.md`, unit(names.slice(Math.max(0, index - 2), index))] as const,
          ...numbers.map(
            (number) => [`${name}/0${number}-task.md`, task(number, "true", "true", number < 2 ? [] : [1])] as const
          )
        ])
      )
    )
    const executable = `${world.root}/counted-git`
    yield* world.write(executable, `#!/bin/sh\necho x >> '${world.root}/count-git'\nexec git "$@"\n`, 0o755)
    yield* Effect.gen(function* () {
      const { events, run: record } = yield* run({ ...config, dryRun: true })
      expect(record.status).toBe("completed")
      expect(events[1]?.payload).toMatchObject({ units: names.map((id) => ({ id, tasks: { length: tasks } })) })
    }).pipe(Effect.provide(charlotte({ ...world, environment: { ...world.environment, executable } })))
    yield* untouched
    return yield* counted(world, "git")
  }).pipe(Effect.scoped)

describe("a plan of 300 tasks in 50 units", () => {
  it.scopedLive("is accepted with no more git processes than a small one", () =>
    Effect.gen(function* () {
      const few = yield* planned(2, 1)
      expect(few).toBeGreaterThan(0)
      expect(yield* planned(50, 6)).toBe(few)
    })
  )
})
