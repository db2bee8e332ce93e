import { SystemError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Schema } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import type { AgentChoice } from "../../../src/tasks/plan/AgentChoice.js"
import { Plan } from "../../../src/tasks/plan/Plan.js"
import { InvalidPlan, Diagnostic } from "../../../src/yaml/Diagnostic.js"
import * as TaskDirectory from "../../../src/tasks/plan/TaskDirectory.js"
import { interruptedAfter } from "../../support/interruption.js"
import { files, repository, task, unit } from "./TaskFiles.js"

interface Options {
  readonly tasksDir?: string
  readonly agent?: string
  readonly units?: ReadonlyArray<string>
}

const read = (repository: string, options?: Options) =>
  TaskDirectory.read({ repository, tasksDir: "tasks", ...options }).pipe(Effect.provide(files))

/** All problems, one per line. */
const problems = (repository: string, options?: Options) =>
  read(repository, options).pipe(
    Effect.flip,
    Effect.map((invalid) => invalid.problems.map(String))
  )

const problemsOf = (contents: Readonly<Record<string, string | Uint8Array>>, options?: { readonly agent?: string }) =>
  Effect.flatMap(repository(contents), (path) => problems(path, options))

const twoUnits = {
  "tasks/api/IMPLEMENTATION_PLAN.md": unit("api", ["db"]),
  "tasks/api/01-routes.md": task(1, [3]),
  "tasks/api/02-errors.md": task(2, [1], "status: complete\n"),
  "tasks/api/03-model.md": task(3),
  "tasks/api/notes.md": "Not a task.\n",
  "tasks/db/IMPLEMENTATION_PLAN.md": "",
  "tasks/db/1-schema.md": task(1),
  "tasks/README.md": "Not a unit.\n",
  "tasks/.hidden/01-x.md": "Ignored.\n",
  "tasks/IMPLEMENTATION_PLAN.md": "An overview, of no unit.\n"
}

describe("TaskDirectory.read", () => {
  it.scopedLive("ends at whatever operation it is interrupted", () =>
    Effect.gen(function* () {
      const tasks = { repository: yield* repository(twoUnits), tasksDir: "tasks" }
      // `Layer.merge` hangs, too, where it is interrupted.
      const services = yield* Effect.context<FileSystem | Path>()
      const endOf = (k: number) =>
        Effect.gen(function* () {
          const reading = Effect.provide(TaskDirectory.read(tasks), services)
          // A daemon, since the test would wait for a child fiber that hangs.
          const fiber = yield* Effect.forkDaemon(interruptedAfter(reading, k))
          const exit = yield* Effect.timeoutOption(Effect.disconnect(Fiber.join(fiber)), "2 minutes")
          expect(Option.isSome(exit), `at operation ${k}`).toBe(true)
          return Option.exists(exit, Exit.isSuccess)
        })
      // The last of them comes after its end.
      let k = 1
      while (!(yield* endOf(k))) k += 1
      expect(k).toBeGreaterThan(100)
    }).pipe(Effect.provide(files))
  )

  it.scoped("returns units and tasks in topological order", () =>
    Effect.gen(function* () {
      const plan = yield* read(yield* repository(twoUnits))
      expect(plan.units.map(({ dependsOn, dir, id }) => ({ id, dir, dependsOn }))).toEqual([
        { id: "db", dir: "tasks/db", dependsOn: [] },
        { id: "api", dir: "tasks/api", dependsOn: ["db"] }
      ])
      expect(plan.units[1]?.planText).toBe("\n# The plan of api\n")
      expect(plan.units[1]?.tasks.map(({ number }) => number)).toEqual([3, 1, 2])
      expect(plan.units[1]?.tasks[0]).toMatchObject({
        number: 3,
        title: "Task 3",
        status: "pending",
        backpressure: "test -f 3.txt",
        dependsOn: [],
        file: "tasks/api/03-model.md",
        scripts: ["touch 3.txt\n"]
      })
      expect(plan.waves.map((wave) => wave.map(({ id }) => id))).toEqual([["db"], ["api"]])
      expect(plan.units[1]?.remaining.map(({ number }) => number)).toEqual([3, 1])
      expect(plan.remaining.map(({ id }) => id)).toEqual(["db", "api"])
    })
  )

  it.scoped("returns a plan that round-trips through JSON, with a hash of each file", () =>
    Effect.gen(function* () {
      const path = yield* repository(twoUnits)
      const plan = yield* read(path)
      const json = JSON.stringify(yield* Schema.encode(Plan)(plan))
      expect(yield* Schema.decodeUnknown(Schema.parseJson(Plan))(json)).toEqual(plan)
      const { file, sha256 } = plan.units[0]?.tasks[0] ?? expect.fail()
      expect(execFileSync("sha256sum", [join(path, file)]).toString()).toContain(sha256)
    })
  )

  it.scoped("reads only the chosen units and all that they depend on, whatever is wrong with others", () =>
    Effect.gen(function* () {
      const path = yield* repository({
        ...twoUnits,
        "tasks/charlotte.yaml": "attempts: 2\n",
        "tasks/db/IMPLEMENTATION_PLAN.md": unit("db", ["base"]),
        "tasks/base/IMPLEMENTATION_PLAN.md": "",
        "tasks/base/01-a.md": task(1),
        "tasks/web/IMPLEMENTATION_PLAN.md": unit("web", ["api", "none"]),
        "tasks/web/01-broken.md": "no frontmatter"
      })
      const chosen = (...units: ReadonlyArray<string>) =>
        Effect.map(read(path, { units }), ({ files, settings, units }) => ({
          attempts: settings.attempts,
          files: files.length,
          units: units.map(({ id }) => id)
        }))
      expect(yield* chosen("api")).toEqual({ attempts: 2, files: 9, units: ["base", "db", "api"] })
      expect(yield* chosen("base")).toEqual({ attempts: 2, files: 3, units: ["base"] })
      expect(yield* chosen("base", "db")).toEqual({ attempts: 2, files: 5, units: ["base", "db"] })
      expect(yield* problems(path, { units: ["ap", "base", "x"] })).toEqual([
        'tasks: has no unit "ap": did you mean "api"?',
        'tasks: has no unit "x": expected one of api, base, db, web'
      ])
      expect((yield* problems(path, { units: ["web"] })).join()).toContain(
        "tasks/web/01-broken.md:1: has no frontmatter"
      )
    })
  )

  it.scoped("reads a directory of task files as a single unit with its name", () =>
    Effect.gen(function* () {
      const path = yield* repository({ "work/tiny/01-a.md": task(1), "work/tiny/02-b.md": task(2, [1]) })
      const plan = yield* read(path, { tasksDir: join(path, "work/tiny") })
      expect(plan.units.map(({ dir, id, planText, tasks }) => ({ id, dir, planText, tasks: tasks.length }))).toEqual([
        { id: "tiny", dir: "work/tiny", planText: undefined, tasks: 2 }
      ])
    })
  )

  it.scoped("reads tasks at the top level of the repository", () =>
    Effect.gen(function* () {
      const path = yield* repository({ "01-a.md": task(1), "IMPLEMENTATION_PLAN.md": unit("all") })
      const plan = yield* read(path, { tasksDir: "." })
      expect(plan.units).toMatchObject([{ id: "all", dir: ".", tasks: [{ file: "01-a.md" }] }])
    })
  )

  it.scoped("follows a symbolic link to the directory within the repository", () =>
    Effect.gen(function* () {
      const path = yield* repository({ "real/01-a.md": task(1), "tasks/x": "" })
      symlinkSync("../real", join(path, "tasks/link"))
      expect((yield* read(path, { tasksDir: "tasks/link" })).units[0]?.dir).toBe("real")
    })
  )

  it.scoped("is read-only", () =>
    Effect.gen(function* () {
      const path = yield* repository(twoUnits)
      const look = () =>
        readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => [
          name,
          statSync(join(path, name)).mtimeMs
        ])
      const before = look()
      yield* read(path)
      expect(look()).toEqual(before)
    })
  )

  it.scoped("reads each file and directory of 300 tasks in 50 units once", () =>
    Effect.gen(function* () {
      const units = Array.from({ length: 50 }, (_, index) => index)
      const path = yield* repository(
        Object.fromEntries(
          units.flatMap((index) => [
            [
              `tasks/u${index}/IMPLEMENTATION_PLAN.md`,
              unit(`u${index}`, index < 10 ? [] : [`u${index - 10}`, `u${index % 7}`])
            ],
            ...[1, 2, 3, 4, 5, 6].map((number) => [
              `tasks/u${index}/0${number}-t.md`,
              task(number, number > 2 ? [number - 1, number - 2] : []) + "Words.\n".repeat(500)
            ])
          ])
        )
      )
      const opened: Array<string> = []
      const fs = yield* Effect.provide(FileSystem, files)
      const plan = yield* TaskDirectory.read({ repository: path, tasksDir: "tasks", agent: "script" }).pipe(
        Effect.provideService(FileSystem, {
          ...fs,
          readFile: (file) => Effect.suspend(() => (opened.push(file), fs.readFile(file))),
          readDirectory: (directory) => Effect.suspend(() => (opened.push(directory), fs.readDirectory(directory)))
        }),
        Effect.provide(files)
      )
      expect(plan.units.flatMap(({ tasks }) => tasks)).toHaveLength(300)
      expect(plan.waves).toHaveLength(5)
      expect(new Set(opened).size).toBe(300 + 50 + 50 + 1)
      expect(opened).toHaveLength(300 + 50 + 50 + 1)
    })
  )
})

describe("TaskDirectory.read of an invalid plan", () => {
  it.scoped("reports all problems, sorted by file and line", () =>
    Effect.gen(function* () {
      const found = yield* problemsOf({
        "tasks/web/IMPLEMENTATION_PLAN.md": "---\nunit: web\ndepends_on: [apo, web, queue]\n---\n",
        "tasks/web/01-a.md": "---\ntask: 1\ndepends_on:\n  - 1\n  - 7\n---\n",
        "tasks/web/02-b.md": "# No frontmatter\n",
        "tasks/web/03-c.md": task(2),
        "tasks/api/IMPLEMENTATION_PLAN.md": unit("api", ["db"]),
        "tasks/api/01-a.md": task(1, [3]),
        "tasks/api/01-b.md": task(1),
        "tasks/api/02-c.md": task(2, [3]),
        "tasks/api/03-d.md": task(3, [2]),
        "tasks/db/IMPLEMENTATION_PLAN.md": unit("db", ["api"]),
        "tasks/db/01-a.md": task(1),
        "tasks/my unit/IMPLEMENTATION_PLAN.md": "No frontmatter is fine.\n",
        "tasks/my unit/01-a.md": task(1),
        "tasks/empty/IMPLEMENTATION_PLAN.md": unit("API"),
        "tasks/loose/01-a.md": task(1)
      })
      expect(found).toEqual([
        "tasks/api/01-b.md:2: is task 1, as is tasks/api/01-a.md: renumber one of them",
        "tasks/api/02-c.md:4: is part of a dependency cycle of tasks: 2 → 3 → 2",
        "tasks/api/IMPLEMENTATION_PLAN.md:3: is part of a dependency cycle of units: api → db → api",
        "tasks/empty: is a unit without tasks: add files such as 01-name.md",
        'tasks/empty/IMPLEMENTATION_PLAN.md:2: is unit "API", as is tasks/api/IMPLEMENTATION_PLAN.md: rename one of them',
        "tasks/loose: contains tasks but no IMPLEMENTATION_PLAN.md: add one (it may be empty), or move the tasks elsewhere",
        'tasks/my unit/IMPLEMENTATION_PLAN.md:1: cannot take its name from the directory "my unit", which is not a valid part of a branch name: set unit: NAME in the frontmatter of IMPLEMENTATION_PLAN.md',
        "tasks/web/01-a.md:1: has no backpressure: add the command that must pass before the task counts as done",
        "tasks/web/01-a.md:4: has task 1 depend on itself: remove that dependency",
        "tasks/web/01-a.md:5: depends on task 7, which does not exist in this unit: expected one of 1, 2",
        "tasks/web/02-b.md:1: has no frontmatter: begin the file with a line ---, then its keys, then another line ---",
        "tasks/web/03-c.md:2: is task 2, as is tasks/web/02-b.md: renumber one of them",
        "tasks/web/03-c.md:2: is task 2, but its file name has 03: make them match",
        'tasks/web/IMPLEMENTATION_PLAN.md:3: depends on unit "apo", which does not exist: did you mean "api"?',
        'tasks/web/IMPLEMENTATION_PLAN.md:3: depends on unit "queue", which does not exist: expected one of api, db, loose, my unit, web',
        'tasks/web/IMPLEMENTATION_PLAN.md:3: has unit "web" depend on itself: remove that dependency'
      ])
    })
  )

  it.scoped("reports agents and models that cannot be had where they are named, once, and not for complete tasks", () =>
    Effect.gen(function* () {
      const contents = {
        "tasks/charlotte.yaml": "agent:\n  - claude\n  - gone\n",
        "tasks/api/IMPLEMENTATION_PLAN.md": "---\nunit: api\n---\n",
        "tasks/api/01-a.md": task(1),
        "tasks/api/02-b.md": task(2),
        "tasks/api/03-c.md": task(3, [], "agent: [claude, typo]\nmodel: opus\n"),
        "tasks/api/04-d.md": task(4, [], "agent: nobody\nstatus: complete\n"),
        "tasks/web/IMPLEMENTATION_PLAN.md": "---\nagent: other\nmodel: none\n---\n",
        "tasks/web/01-a.md": task(1)
      }
      const known = new Set(["claude", "other"])
      const checkAgent = ({ agent, model }: AgentChoice) => {
        if (!known.has(agent)) return Effect.succeedSome({ about: "agent", message: `unknown agent ${agent}` } as const)
        return Effect.succeed(
          model === "none" ? Option.some({ about: "model", message: "no such model" } as const) : Option.none()
        )
      }
      const path = yield* repository(contents)
      const found = (agent?: string) =>
        TaskDirectory.read({ repository: path, tasksDir: "tasks", agent, checkAgent }).pipe(
          Effect.map(() => []),
          Effect.catchAll(({ problems }) => Effect.succeed(problems.map(String))),
          Effect.provide(files)
        )
      const lineOf = (text: string) => contents["tasks/api/03-c.md"].split("\n").indexOf(text) + 1
      expect(yield* found()).toEqual([
        `tasks/api/03-c.md:${lineOf("agent: [claude, typo]")}: unknown agent typo`,
        "tasks/charlotte.yaml:3: unknown agent gone",
        "tasks/web/IMPLEMENTATION_PLAN.md:3: no such model"
      ])
      // The agent of the job overrides those of the files; it is checked elsewhere.
      expect(yield* found("gone")).toEqual([])
    })
  )

  it.scoped("reports unknown keys of a unit file", () =>
    Effect.gen(function* () {
      const found = yield* problemsOf({
        "tasks/api/IMPLEMENTATION_PLAN.md": "---\nunit: api\ndepend_on: [db]\ndepends:\n  - db\nagents: claude\n---\n",
        "tasks/api/01-a.md": task(1)
      })
      expect(found).toEqual([
        'tasks/api/IMPLEMENTATION_PLAN.md:3: has the unknown key "depend_on": did you mean "depends_on"?',
        'tasks/api/IMPLEMENTATION_PLAN.md:4: has the unknown key "depends": did you mean "depends_on"?',
        'tasks/api/IMPLEMENTATION_PLAN.md:6: has the unknown key "agents": did you mean "agent"?'
      ])
    })
  )

  it.scoped("reports all problems in one message", () =>
    Effect.gen(function* () {
      const path = yield* repository({ "tasks/01-a.md": "---\ntask: 1\n---\n" })
      const invalid = yield* Effect.flip(read(path))
      expect(invalid.message).toBe(
        "the plan has 1 problem:\n" +
          "tasks/01-a.md:1: has no backpressure: add the command that must pass before the task counts as done"
      )
    })
  )

  it.scoped("limits the number of problems in the message", () =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: 2_000 }, (_, index) => index + 100)
      const unknown = task(1, numbers)
      const wrong = task(2).replace("[]", `[${numbers.map(() => "x").join(", ")}]`)
      const found = yield* problemsOf({ "tasks/01-a.md": unknown, "tasks/02-b.md": wrong })
      expect(found).toHaveLength(40)
      const invalid = InvalidPlan.of(numbers.map((line) => new Diagnostic({ file: "a", line, message: "is wrong" })))
      expect(invalid.message.split("\n")).toHaveLength(102)
      expect(invalid.message).toMatch(/^the plan has 2000 problems:\na:100: is wrong\n.*\nand 1900 more$/s)
    })
  )

  it.scoped("rejects unit names that are not valid in branch names", () =>
    Effect.forEach(["-x", ".x", "a b", "a/b", "a..b", "a.lock", "a.", "ä", "x".repeat(101), ""], (name) =>
      Effect.gen(function* () {
        const found = yield* problemsOf({
          "tasks/a/IMPLEMENTATION_PLAN.md": `---\nunit: "${name}"\n---\n`,
          "tasks/a/01-a.md": task(1)
        })
        expect(found).toEqual([
          "tasks/a/IMPLEMENTATION_PLAN.md:2: unit must be a valid part of a branch name: at most 100 letters, digits, '.', '_' and '-', beginning with a letter or a digit"
        ])
      })
    )
  )

  it.scoped("rejects a task without a script for the script agent only", () =>
    Effect.gen(function* () {
      const contents = {
        "tasks/01-a.md": "---\ntask: 1\nbackpressure: x\n---\nNo block.\n",
        "tasks/02-b.md": "---\ntask: 2\nbackpressure: x\nstatus: complete\n---\nNor here, but it is done.\n"
      }
      const found = [
        "tasks/01-a.md:1: has no fenced sh block for the script agent to run: add one, or choose another agent"
      ]
      expect(yield* problemsOf(contents, { agent: "script" })).toEqual(found)
      expect(yield* problemsOf({ ...contents, "tasks/charlotte.yaml": "agent: script" })).toEqual(found)
      const path = yield* repository({ ...contents, "tasks/charlotte.yaml": "agent: script" })
      expect((yield* read(path, { agent: "claude" })).units).toHaveLength(1)
    })
  )

  it.scoped("rejects a directory with both tasks and units", () =>
    Effect.gen(function* () {
      const found = yield* problemsOf({
        "tasks/01-a.md": task(1),
        "tasks/api/IMPLEMENTATION_PLAN.md": "",
        "tasks/api/01-a.md": task(1)
      })
      expect(found).toEqual(["tasks: contains both task files and units (tasks/api): move one of them elsewhere"])
    })
  )

  it.scoped("rejects a directory that is empty, missing, a file, outside the repository, or inside .git", () =>
    Effect.gen(function* () {
      const path = yield* repository({
        "inner/tasks/README.md": "",
        "inner/.git/x/01-a.md": "",
        "outer/01-a.md": task(1)
      })
      const inner = join(path, "inner")
      symlinkSync("../outer", join(inner, "link"))
      const say = (tasksDir: string) => problems(inner, { tasksDir })
      expect(yield* say("tasks")).toEqual([
        "tasks: contains no tasks: add files such as 01-name.md, or directories of them with an IMPLEMENTATION_PLAN.md each"
      ])
      expect(yield* say("none")).toEqual(["none: does not exist: create it, or specify another directory"])
      expect(yield* say("tasks/README.md")).toEqual([
        "tasks/README.md: is not a directory: specify one that contains tasks"
      ])
      for (const outside of ["link", "../outer", join(path, "outer"), ".."]) {
        expect(yield* say(outside)).toEqual([
          `${outside}: is outside the repository ${inner}: specify a directory inside it`
        ])
      }
      expect(yield* say(".git/x")).toEqual([".git/x: is inside .git: specify another directory"])
    })
  )
})

describe("TaskDirectory.read of a special file", () => {
  const at = (make: (tasks: string) => void) =>
    Effect.gen(function* () {
      const path = yield* repository({ "tasks/01-a.md": task(1), "outside.md": task(2) })
      make(join(path, "tasks"))
      return yield* problems(path)
    })

  it.scoped("never opens a FIFO", () =>
    Effect.gen(function* () {
      const found = yield* at((tasks) => {
        execFileSync("mkfifo", [join(tasks, "02-b.md")])
        execFileSync("mkfifo", [join(tasks, "IMPLEMENTATION_PLAN.md")])
        execFileSync("mkfifo", [join(tasks, "charlotte.yaml")])
        execFileSync("mkfifo", [join(tasks, "other")])
      })
      expect(found).toEqual([
        "tasks/02-b.md: is a special file: replace it with a regular file",
        "tasks/IMPLEMENTATION_PLAN.md: is a special file: replace it with a regular file",
        "tasks/charlotte.yaml: is a special file: replace it with a regular file"
      ])
    })
  )

  it.scoped("does not follow a symbolic link", () =>
    Effect.gen(function* () {
      const found = yield* at((tasks) => {
        symlinkSync("../outside.md", join(tasks, "02-b.md"))
        symlinkSync("nowhere", join(tasks, "03-c.md"))
        symlinkSync("/dev/zero", join(tasks, "04-d.md"))
        symlinkSync("nowhere", join(tasks, "some-link"))
      })
      expect(found).toEqual(
        ["02-b", "03-c", "04-d"].map((name) => `tasks/${name}.md: is a symbolic link: replace it with a regular file`)
      )
    })
  )

  it.scoped("reports a directory", () =>
    Effect.gen(function* () {
      const found = yield* at((tasks) => mkdirSync(join(tasks, "02-b.md")))
      expect(found).toEqual(["tasks/02-b.md: is a directory: replace it with a regular file"])
    })
  )

  it.scoped("reports a symbolic link to a unit", () =>
    Effect.gen(function* () {
      const path = yield* repository({ ...twoUnits, "elsewhere/IMPLEMENTATION_PLAN.md": "" })
      symlinkSync("../elsewhere", join(path, "tasks/extra"))
      expect(yield* problems(path)).toEqual([
        "tasks/extra: is a symbolic link to a unit: replace it with the directory itself"
      ])
    })
  )
})

describe("TaskDirectory.read of an unusable file", () => {
  it.scoped("reports a file without read permission", () =>
    Effect.gen(function* () {
      const path = yield* repository({ "tasks/01-a.md": task(1) })
      const denied = new SystemError({ module: "FileSystem", method: "readFile", reason: "PermissionDenied" })
      const found = yield* TaskDirectory.read({ repository: path, tasksDir: "tasks" }).pipe(
        Effect.updateService(FileSystem, (fs) => ({ ...fs, readFile: () => Effect.fail(denied) })),
        Effect.provide(files),
        Effect.flip
      )
      expect(found.problems.map(String)).toEqual(["tasks/01-a.md: cannot be read: permission denied"])
    })
  )

  it.scoped("reports a file that is too large, and invalid UTF-8 with its line", () =>
    Effect.gen(function* () {
      const found = yield* problemsOf({
        "tasks/01-a.md": task(1) + "x".repeat(1024 * 1024),
        "tasks/02-b.md": Buffer.concat([Buffer.from(`${task(2)}ä\nbad: `), Buffer.from([0xe4, 0x0a])]),
        "tasks/03-c.md": task(3, [1, 2])
      })
      expect(found).toEqual([
        "tasks/01-a.md: is larger than 1024 KiB: split it, or move what the agent does not need elsewhere",
        "tasks/02-b.md:13: is not valid UTF-8 here: save it as UTF-8"
      ])
    })
  )

  it.scoped("does not report tasks that depend on an unreadable one", () =>
    Effect.gen(function* () {
      const found = yield* problemsOf({ "tasks/01-a.md": "", "tasks/02-b.md": task(2, [1]) }, { agent: "script" })
      expect(found).toHaveLength(1)
    })
  )

  it.scoped("reports too many files", () =>
    Effect.gen(function* () {
      const large = "x".repeat(1024 * 1023)
      const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`tasks/${index + 1}-a.md`, large]))
      expect(yield* problemsOf(many)).toEqual(["tasks: contains more than 64 MiB: split the work into several jobs"])
    })
  )
})
