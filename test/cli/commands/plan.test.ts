import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, lstatSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { charlotte } from "../../../src/cli/parser/commands.js"
import { GitEnvironmentRef } from "../../../src/git/GitEnvironment.js"
import { type Sandbox, sandbox } from "../../support/Repository.js"
import * as Capture from "../Capture.js"

const plan = (world: Sandbox, ...argv: ReadonlyArray<string>) =>
  Capture.run(charlotte, ["plan", ...argv]).pipe(Effect.provideService(GitEnvironmentRef, world.environment))

/** A repository with these files, committed, and below a home that is empty but for git's settings. */
const repository = (world: Sandbox, files: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const top = `${world.root}/repository`
    mkdirSync(top)
    yield* world.git(top, "init", "--quiet")
    for (const [name, content] of Object.entries(files)) yield* world.write(join(top, name), content)
    yield* world.git(top, "add", ".")
    yield* world.git(top, "commit", "--quiet", "--allow-empty", "-m", "first")
    return top
  })

/** Everything below a directory, with what is in it and when it was changed. */
const everything = (directory: string): ReadonlyArray<readonly [name: string, mtime: number, content: string]> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const path = join(directory, name)
      const stats = lstatSync(path)
      const content = stats.isFile() ? readFileSync(path, "latin1") : stats.isSymbolicLink() ? readlinkSync(path) : ""
      return [name, statSync(directory).isDirectory() ? stats.mtimeMs : 0, content]
    })

const task = (number: number, more = "") =>
  `---\ntask: ${number}\nbackpressure: test -f ${number}.txt\n${more}---\n\n# Task ${number}\n`

const good = {
  "tasks/api/IMPLEMENTATION_PLAN.md": "---\nunit: api\ndepends_on: [db]\n---\n",
  "tasks/api/01-routes.md": task(1),
  "tasks/db/IMPLEMENTATION_PLAN.md": "",
  "tasks/db/01-schema.md": task(1, "status: complete\n"),
  "tasks/db/02-data.md": task(2, "depends_on: [1]\n")
}

const tree = `wave 1
└─ db
   ├─ 1 Task 1  complete, skipped
   └─ 2 Task 2  after 1
        gate  test -f 2.txt

wave 2
└─ api  after db
   └─ 1 Task 1
        gate  test -f 1.txt

2 units, 3 tasks, 2 waves: 2 to do, 1 skipped
a unit begins once the units that it comes after are done; units are merged in this order
a unit that conflicts with those merged before it fails, and keeps its commits
`

describe("charlotte plan", () => {
  it.scoped("prints the plan and changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* repository(world, good)
      const before = everything(world.root)
      expect(yield* plan(world, "--repo", top, "tasks")).toEqual({ code: 0, err: "", out: tree })
      expect(yield* plan(world, "--repo", `${top}/tasks`, ".")).toEqual({ code: 0, err: "", out: tree })
      expect(yield* plan(world, "--repo", `${top}/tasks/db`, "..")).toEqual({ code: 0, err: "", out: tree })
      expect(yield* plan(world, "--repo", top, `${top}/tasks`)).toEqual({ code: 0, err: "", out: tree })
      expect(everything(world.root)).toEqual(before)
    })
  )

  it.scoped("accepts a symbolic link to a repository", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* repository(world, good)
      symlinkSync(top, `${world.root}/link`)
      expect((yield* plan(world, "--repo", `${world.root}/link`, "tasks")).out).toBe(tree)
      expect((yield* plan(world, "--repo", `${world.root}/link`, "none")).err).toMatch(/^none: does not exist/)
    })
  )

  it.scoped("prints one JSON object with --json", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* repository(world, good)
      const { code, err, out } = yield* plan(world, "--repo", top, "tasks", "--json")
      expect([code, err]).toEqual([0, ""])
      expect(out.indexOf("\n")).toBe(out.length - 1)
      expect(JSON.parse(out)).toEqual({
        conflicts: "fail",
        units: [
          {
            id: "db",
            dependsOn: [],
            tasks: [
              {
                number: 1,
                title: "Task 1",
                status: "complete",
                dependsOn: [],
                file: "tasks/db/01-schema.md",
                agents: []
              },
              { number: 2, title: "Task 2", status: "pending", dependsOn: [1], file: "tasks/db/02-data.md", agents: [] }
            ]
          },
          {
            id: "api",
            dependsOn: ["db"],
            tasks: [
              {
                number: 1,
                title: "Task 1",
                status: "pending",
                dependsOn: [],
                file: "tasks/api/01-routes.md",
                agents: []
              }
            ]
          }
        ]
      })
    })
  )

  it.scoped("requires an sh block in each task for the script agent", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* repository(world, { "tasks/01-a.md": task(1) })
      expect(yield* plan(world, "--repo", top, "tasks", "--agent", "script")).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^tasks\/01-a\.md:1: has no fenced sh block.*\n$/)
      })
    })
  )
})

/** What people get wrong, and where it is found: every line of what is said begins with one of these. */
const bad: ReadonlyArray<
  readonly [what: string, files: Readonly<Record<string, string>>, found: ReadonlyArray<string>]
> = [
  ["no tasks", { "tasks/README.md": "" }, ["tasks: contains no tasks"]],
  ["no frontmatter", { "tasks/01-a.md": "# A\n" }, ["tasks/01-a.md:1: has no frontmatter"]],
  ["an open frontmatter", { "tasks/01-a.md": "---\ntask: 1\n" }, ["tasks/01-a.md:1: "]],
  ["broken YAML", { "tasks/01-a.md": "---\ntask: [1\n---\n" }, ["tasks/01-a.md:"]],
  ["an alias", { "tasks/01-a.md": "---\ntask: &a 1\nbackpressure: *a\n---\n" }, ["tasks/01-a.md:", "tasks/01-a.md:"]],
  ["no gate", { "tasks/01-a.md": "---\ntask: 1\n---\n" }, ["tasks/01-a.md:1: has no backpressure"]],
  ["an empty gate", { "tasks/01-a.md": '---\ntask: 1\nbackpressure: " "\n---\n' }, ["tasks/01-a.md:3: "]],
  ["a wrong status", { "tasks/01-a.md": task(1, "status: done\n") }, ["tasks/01-a.md:4: status must be"]],
  ["a number twice", { "tasks/01-a.md": task(1), "tasks/01-b.md": task(1) }, ["tasks/01-b.md:2: is task 1, as is"]],
  [
    "another number than its name",
    { "tasks/02-a.md": task(1) },
    ["tasks/02-a.md:2: is task 1, but its file name has 02"]
  ],
  ["an unknown task", { "tasks/01-a.md": task(1, "depends_on: [7]\n") }, ["tasks/01-a.md:4: depends on task 7"]],
  [
    "tasks in a circle",
    { "tasks/01-a.md": task(1, "depends_on: [2]\n"), "tasks/02-b.md": task(2, "depends_on: [1]\n") },
    ["tasks/01-a.md:4: is part of a dependency cycle of tasks: 1 → 2 → 1"]
  ],
  [
    "units in a circle, and one that is not there",
    {
      "tasks/a/IMPLEMENTATION_PLAN.md": "---\ndepends_on: [b]\n---\n",
      "tasks/a/01-a.md": task(1),
      "tasks/b/IMPLEMENTATION_PLAN.md": "---\ndepends_on: [a, c]\n---\n",
      "tasks/b/01-a.md": task(1)
    },
    [
      "tasks/a/IMPLEMENTATION_PLAN.md:2: is part of a dependency cycle of units: a → b → a",
      'tasks/b/IMPLEMENTATION_PLAN.md:2: depends on unit "c"'
    ]
  ],
  ["a unit without tasks", { "tasks/a/IMPLEMENTATION_PLAN.md": "" }, ["tasks/a: is a unit without tasks"]],
  ["a unit without a plan", { "tasks/a/01-a.md": task(1) }, ["tasks/a: contains tasks but no IMPLEMENTATION_PLAN.md"]],
  [
    "tasks and units side by side",
    { "tasks/01-a.md": task(1), "tasks/a/IMPLEMENTATION_PLAN.md": "", "tasks/a/01-a.md": task(1) },
    ["tasks: contains both task files and units"]
  ],
  [
    "wrong settings",
    { "tasks/01-a.md": task(1), "tasks/charlotte.yaml": "attempts: 0\nretries: 3\n" },
    ["tasks/charlotte.yaml:1: attempts must be", 'tasks/charlotte.yaml:2: has the unknown key "retries"']
  ],
  ["a file that is too large", { "tasks/01-a.md": task(1) + "x".repeat(2_000_000) }, ["tasks/01-a.md: "]]
]

describe("invalid plan", () => {
  for (const [what, files, found] of bad) {
    it.scoped(`for ${what} is refused with file and line, and nothing is left behind`, () =>
      Effect.gen(function* () {
        const world = yield* sandbox
        const top = yield* repository(world, files)
        const before = everything(world.root)
        const answer = yield* plan(world, "--repo", top, "tasks")
        expect([answer.code, answer.out]).toEqual([2, ""])
        const lines = answer.err.trimEnd().split("\n")
        expect(lines).toHaveLength(found.length)
        for (const [index, start] of found.entries()) expect(lines[index]?.slice(0, start.length)).toBe(start)

        const asJson = yield* plan(world, "--repo", top, "tasks", "--json")
        expect([asJson.code, asJson.out]).toEqual([2, ""])
        const error = JSON.parse(asJson.err)
        expect(error._tag).toBe("InvalidPlan")
        expect(error.problems).toHaveLength(found.length)
        expect(everything(world.root)).toEqual(before)
      })
    )
  }

  it.scoped("is reported for files that are missing, not regular, or outside", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* repository(world, { "tasks/01-a.md": task(1), "file.txt": "" })
      execFileSync("mkfifo", [`${top}/tasks/02-b.md`])
      symlinkSync("/dev/zero", `${top}/tasks/03-c.md`)
      const before = everything(world.root)
      const say = (tasksDir: string) =>
        Effect.map(plan(world, "--repo", top, tasksDir), ({ code, err }) => `${code} ${err}`)
      expect(yield* say("tasks")).toBe(
        "2 tasks/02-b.md: is a special file: replace it with a regular file\n" +
          "tasks/03-c.md: is a symbolic link: replace it with a regular file\n"
      )
      expect(yield* say("none")).toBe("2 none: does not exist: create it, or specify another directory\n")
      expect(yield* say("file.txt")).toBe("2 file.txt: is not a directory: specify one that contains tasks\n")
      expect(yield* say("..")).toBe(
        `2 ${world.root}: is outside the repository ${top}: specify a directory inside it\n`
      )
      expect(yield* say(".git")).toBe("2 .git: is inside .git: specify another directory\n")
      expect(everything(world.root)).toEqual(before)
    })
  )
})

describe("plan outside a repository", () => {
  it.scoped("is refused with one line", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const say = (repo: string) =>
        Effect.map(plan(world, "--repo", repo, "tasks"), ({ code, err }) => `${code} ${err}`)
      expect(yield* say(world.root)).toMatch(
        /^2 charlotte: \/.* is not the working tree of a git repository: .*; give the path of a checkout, or make one with: git init\n$/
      )
      expect(yield* say(`${world.root}/none`)).toMatch(
        /^2 charlotte: .*\/none is not the working tree .*: it does not exist; .*\n$/
      )
    })
  )
})
