import { describe, expect, it } from "@effect/vitest"
import { Agents } from "charlotte/tasks"
import { Effect, Exit } from "effect"
import { readFileSync } from "node:fs"
import * as Repository from "../../support/Repository.js"
import { charlotte, ended, run, show, task, unit } from "../Jobs.js"
import * as Life from "./Life.js"
import * as ways from "./protectionWays.js"
import * as Witness from "./Witness.js"

type Ended = Effect.Effect.Success<ReturnType<typeof run>>

/** A repository with a project and tasks, and the config of a job. */
const projectOf = (world: Repository.Sandbox, files: Readonly<Record<string, string>>, executable = ways.executable) =>
  Effect.gen(function* () {
    const top = `${world.root}/repository`
    for (const [file, content] of Object.entries(files))
      yield* world.write(`${top}/${file}`, content, file === executable ? 0o755 : 0o644)
    yield* world.shell(top, "git init -q; git add .; git commit -qm first")
    return { top, config: { repoPath: top, tasksDir: "tasks", targetBranch: "main", agent: "script", concurrency: 4 } }
  })

const manager = (world: Repository.Sandbox, profiles: ReadonlyArray<Agents.Profile> = []) =>
  charlotte(world, { profiles: [...profiles], around: world.environment.variables })

/** The notes of a task about files that were put back. */
const putBack = ({ work }: Pick<Ended, "work">, unit: string, number = 1) =>
  (work.tasks.find((record) => record.unit === unit && record.task === number)?.notes ?? []).flatMap((note) =>
    typeof note !== "string" && note._tag === "protected" ? [note] : []
  )

describe("an agent that makes the tests pass by changing them", () => {
  const names = Object.keys(ways.ways)

  it.scopedLive("gets through in none of its ways where they are protected, and what it did is kept as a patch", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const tasks = Object.entries(ways.ways).flatMap(([name, script]) => [
        [`tasks/${name}/IMPLEMENTATION_PLAN.md`, unit()] as const,
        [`tasks/${name}/01-add.md`, task(1, script, ways.gate)] as const
      ])
      const { config, top } = yield* projectOf(world, {
        ...ways.project,
        "tasks/charlotte.yaml": ways.settings,
        ...Object.fromEntries(tasks)
      })
      const main = yield* world.git(top, "rev-parse", "main")
      const job = yield* run(config).pipe(Effect.provide(manager(world)))
      expect(names.length).toBeGreaterThanOrEqual(40)
      expect(job.work.tasks.filter(({ state }) => state !== "failed").map(({ unit }) => unit)).toEqual([])
      for (const name of names) {
        const [note, ...more] = putBack(job, name)
        expect([name, more]).toEqual([name, []])
        expect([name, note && readFileSync(note.patch, "utf8")]).toEqual([name, expect.stringMatching(/^diff --git /)])
        const { reason } = job.work.tasks.find(({ unit }) => unit === name) ?? {}
        expect([name, reason]).toEqual([name, expect.stringContaining("protected files had been put back")])
      }
      expect(yield* world.git(top, "rev-parse", "main")).toBe(main)
    })
  )

  it.scopedLive("gets through in each of its ways where nothing protects them", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { top } = yield* projectOf(world, ways.project)
      expect(Exit.isSuccess(yield* Effect.exit(world.shell(top, ways.gate)))).toBe(false)
      for (const [name, script] of Object.entries(ways.ways)) {
        yield* world.git(world.root, "clone", "--quiet", top, name)
        yield* world.shell(`${world.root}/${name}`, script)
        expect([name, Exit.isSuccess(yield* Effect.exit(world.shell(`${world.root}/${name}`, ways.gate)))]).toEqual([
          name,
          true
        ])
      }
    })
  )
})

/** An agent that saves its prompts, and does the work in its second turn. */
const changesTestsFirst = ({ root }: Repository.Sandbox, first: string) =>
  new Agents.Profile({
    name: "mine",
    command: [
      "sh",
      "-c",
      `n=$(ls '${root}' | grep -c ^prompt-); cat > '${root}'/prompt-$n
if test "$n" = 0; then ${first}; else echo 'echo $(($1 + $2))' > src/add.sh; fi`
    ],
    prompt: "stdin",
    env: []
  })

const oneTask = (gate = ways.gate, keys = "") => ({
  "tasks/01-add.md": task(1, "true", gate).replace("---\n\n# ", `${keys}---\n\n# `)
})

describe("files that are protected", () => {
  it.scopedLive("are named in the prompts, with the patch of what was done to them, and land as they were", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* projectOf(world, {
        ...ways.project,
        "tasks/charlotte.yaml": ways.settings.replace("attempts: 1", "attempts: 2"),
        ...oneTask()
      })
      const profile = changesTestsFirst(world, "echo 'exit 0' > test/run.sh; echo 'echo 3' > test/more.sh")
      const job = yield* run({ ...config, agent: "mine" }).pipe(Effect.provide(manager(world, [profile])))
      expect(job.run.error).toBeUndefined()
      const prompt = (n: number) => readFileSync(`${world.root}/prompt-${n}`, "utf8")
      for (const n of [0, 1]) expect(prompt(n)).toContain("\n- test/**\n- Makefile\n- package.json#scripts\n")
      const [note, ...more] = putBack(job, "tasks")
      expect(more).toEqual([])
      expect(note?.files).toEqual(["test/run.sh"])
      expect(prompt(1)).toContain(
        `protected files had been put back to what they were when the task began: test/run.sh (the changes are in ${note?.patch})`
      )
      expect(readFileSync(note?.patch ?? "", "utf8")).toContain("\n+exit 0\n")
      expect(yield* show(world, top, "main:test/run.sh")).toBe(ways.project["test/run.sh"])
      expect(yield* show(world, top, "main:src/add.sh")).toBe("echo $(($1 + $2))\n")
      expect(job.work.tasks[0]?.notes).toContainEqual({ _tag: "testsAdded", files: ["test/more.sh"] })
    })
  )

  it.scopedLive("may be changed by a task that protects nothing, and the next task is protected from there", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* projectOf(world, {
        ...ways.project,
        "tasks/charlotte.yaml": ways.settings,
        "tasks/01-test.md": task(
          1,
          "echo 'expect \"$(sh src/add.sh 5 5)\" 10' > test/cases/add.sh",
          "grep -q 10 test/cases/add.sh"
        ).replace("---\n\n# ", "protect: []\n---\n\n# "),
        "tasks/02-add.md": task(
          2,
          "git checkout -q HEAD~ -- test; echo 'echo $(($1 + $2))' > src/add.sh",
          "sh test/run.sh && grep -q 10 test/cases/add.sh",
          [1]
        )
      })
      const job = yield* run(config).pipe(Effect.provide(manager(world)))
      expect(job.run.error).toBeUndefined()
      expect(putBack(job, "tasks", 1)).toEqual([])
      expect(putBack(job, "tasks", 2)).toMatchObject([{ files: ["test/cases/add.sh"] }])
      expect(yield* show(world, top, "main:test/cases/add.sh")).toContain(" 10\n")
    })
  )

  it.scopedLive("are committed as they were if the gate itself changes them, and a note says so", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* projectOf(world, {
        ...ways.project,
        "tasks/charlotte.yaml": `${ways.settings}  - tasks/**\n`,
        "tasks/01-add.md": task(
          1,
          "echo mine >> tasks/01-add.md; echo 'echo : > test/cases/add.sh; echo $(($1 + $2))' > src/add.sh",
          "sh src/add.sh 1 2 > /dev/null; echo : > test/cases/add.sh"
        )
      })
      const job = yield* run(config).pipe(Effect.provide(manager(world)))
      expect(job.run.error).toBeUndefined()
      expect(job.work.tasks[0]?.notes).toContainEqual(
        "protected files were changed while the gate ran, and are committed as they were: test/cases/add.sh"
      )
      // Plan files have a note of their own.
      expect(job.work.tasks[0]?.notes).toContainEqual("the agent changed tasks/01-add.md: plan files were restored")
      expect(putBack(job, "tasks")).toEqual([])
      expect(yield* show(world, top, "main:test/cases/add.sh")).toBe(ways.project["test/cases/add.sh"])
    })
  )
})

describe("putting protected files back", () => {
  it.scopedLive("comes to the same result wherever the manager is killed", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const program = yield* Life.program
      const agent = `STEP=agent; . "$WITNESS/step"\necho 'exit 0' > test/run.sh; echo 'echo $(($1 + $2))' > src/add.sh`
      const { config, top } = yield* projectOf(world, {
        ...ways.project,
        "tasks/charlotte.yaml": ways.settings,
        "tasks/01-add.md": task(1, agent, `STEP=gate; . "$WITNESS/step"\n${ways.gate}`)
      })
      for (const [point, given] of [
        [["before", "checkout-index *--prefix=*"], config],
        [["before", "diff --no-index *"], undefined],
        [["after", "diff --no-index *"], undefined],
        [["step", "gate"], undefined],
        [["before", "commit-tree *"], undefined]
      ] as const) {
        yield* Witness.holdAt(world, point)
        const life = yield* Life.begin(program, world, given)
        yield* life.until(Witness.reached(world, point))
        yield* life.kill
      }
      const job = yield* Effect.flatMap(Witness.latest, ({ id }) => ended(id)).pipe(
        Effect.provide(Witness.manager(world))
      )
      expect(job.run).toMatchObject({ status: "completed", attempt: 6 })
      expect(job.work.tasks).toMatchObject([{ state: "completed", failures: 0 }])
      expect(yield* show(world, top, "main:test/run.sh")).toBe(ways.project["test/run.sh"])
      expect(yield* show(world, top, "main:src/add.sh")).toBe("echo $(($1 + $2))\n")
      for (const { files, patch } of putBack(job, "tasks")) {
        expect(files).toEqual(["test/run.sh"])
        expect(readFileSync(patch, "utf8")).toContain("\n+exit 0\n")
      }
      expect(putBack(job, "tasks").length).toBeGreaterThan(0)
    })
  )
})
