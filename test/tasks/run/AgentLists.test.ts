/** Jobs whose tasks name their agents, and lists of agents of which one is at its limit or busy. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, type Run, RunStore } from "charlotte"
import { Agents } from "charlotte/tasks"
import { Effect, Schema } from "effect"
import { readFileSync } from "node:fs"
import { jumping } from "../../support/jumpingClock.js"
import * as Repository from "../../support/Repository.js"
import { charlotte, ended, repository, run, task, unit } from "../Jobs.js"
import { type Config, eventually, pausing, refusal } from "./Scenes.js"

/** A stand-in for an agent; its script has `limited SECONDS` and `worked`. The file `turns` has a line for each of its turns. */
const agent = (world: Repository.Sandbox, name: string, script: string, concurrency?: number) =>
  new Agents.Profile({
    name,
    command: [
      "sh",
      "-c",
      `cat > /dev/null
       echo "${name} \${PWD##*/} $*" >> '${world.root}/turns'
       limited() { printf '{"type":"result","subtype":"success","is_error":true,"result":"Claude AI usage limit reached|%s"}\\n' $(($(date +%s) + $1)); exit 1; }
       worked() { date +%N > "out-\${PWD##*/}-${name}.txt"; echo '{"type":"result","subtype":"success","is_error":false,"result":"done"}'; exit 0; }
       ${script}`,
      name
    ],
    model: ["--model", "{model}"],
    prompt: "stdin",
    format: "claude-stream-json",
    env: [],
    concurrency
  })

const turns = ({ root }: Repository.Sandbox) =>
  readFileSync(`${root}/turns`, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.trim())

/** A task whose frontmatter has another key. */
const named = (text: string, key: string) => text.replace("---\n", `---\n${key}\n`)

const becomes = (id: Run.Run["id"], status: Run.Run["status"]) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    return yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(id))), {
      until: (run) => run.status === status
    })
  })

const without = ({ agent: _, ...config }: Config & { readonly agent?: string }) => config

const agentOf = Schema.decodeUnknownSync(Schema.pluck(Schema.Struct({ agent: Schema.String }), "agent"))

describe("the agents of a job", () => {
  it.scopedLive(
    "are those of each task, its unit and charlotte.yaml, with their models, unless the job names one",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, {
          "charlotte.yaml": "agent: one\nmodel: small\n",
          "a/IMPLEMENTATION_PLAN.md": unit(),
          "a/01-a.md": task(1, "true", "true"),
          "a/02-b.md": named(task(2, "touch by-script", "true", [1]), "agent: script"),
          "b/IMPLEMENTATION_PLAN.md": named(unit(["a"]), "agent: two"),
          "b/01-a.md": task(1, "true", "true"),
          "b/02-b.md": named(task(2, "true", "true", [1]), "model: big")
        })
        const profiles = [agent(world, "one", "worked"), agent(world, "two", "worked")]
        const layer = charlotte(world, { profiles })
        const job = yield* Effect.provide(run({ ...without(config), land: false }), layer)
        expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
        expect(turns(world)).toEqual(["one a --model small", "two b", "two b --model big"])
        const began = job.events.filter(({ type }) => type === "task.agent.started")
        expect(began.map(({ payload }) => agentOf(payload))).toEqual(["one", "script", "two", "two"])
        expect(agentOf(job.events.find(({ type }) => type === "orch.started")?.payload)).toBe("one, script, two")

        yield* world.write(`${world.root}/turns`, "")
        const ofJob = yield* Effect.provide(run({ ...config, agent: "one", land: false }), layer)
        expect(ofJob.run.status).toBe("completed")
        expect(turns(world)).toEqual([
          "one a --model small",
          "one a --model small",
          "one b --model small",
          "one b --model small"
        ])
      })
  )

  it.scopedLive("are all checked before it is accepted, with the lines that name them", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, {
        "charlotte.yaml": "agent:\n  - one\n  - onee\n",
        "01-a.md": task(1, "true", "true"),
        "02-b.md": named(task(2, "true", "true"), "agent: script\nmodel: big")
      })
      const error = yield* Effect.flatMap(JobManager.JobManager, (manager) =>
        refusal(manager.start(without(config)))
      ).pipe(Effect.provide(charlotte(world, { profiles: [agent(world, "one", "worked")] })))
      expect(error.message).toContain('tasksDir: tasks/charlotte.yaml:3: unknown agent "onee": did you mean "one"?')
      expect(error.message).toContain("tasksDir: tasks/02-b.md:3: names a model for script")
    })
  )
})

describe("a list of agents", () => {
  it.scopedLive("continues a task with the next at a limit, without an attempt, and keeps the log of each turn", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, {
        "charlotte.yaml": "agent: [one, two]\nattempts: 1\n",
        "01-a.md": task(1, "true", "test -e started && ls out-*"),
        "02-b.md": task(2, "true", "true", [1])
      })
      const profiles = [agent(world, "one", "touch started; limited 3600"), agent(world, "two", "worked")]
      const job = yield* Effect.provide(run(without(config)), charlotte(world, { profiles }))
      expect([job.run.status, job.run.attempt, job.run.error]).toEqual(["completed", 1, undefined])
      expect(turns(world)).toEqual(["one tasks", "two tasks", "two tasks"])
      // What the first agent left in the worktree is there for the second.
      expect(job.work.tasks).toMatchObject([
        {
          failures: 0,
          calls: 1,
          notes: ["two continues: one is at its usage limit: Claude AI usage limit reached"]
        },
        { failures: 0, calls: 1, notes: [{ _tag: "greenBefore" }] }
      ])
    })
  )

  const tooLong = `printf '{"type":"result","subtype":"success","is_error":true,"result":"Prompt is too long"}\\n'; exit 1`

  it.scopedLive("continues a task with the next where its prompt is too long for the first", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, {
        "charlotte.yaml": "agent: [one, two]\nattempts: 1\n",
        "01-a.md": task(1, "true", "true")
      })
      const profiles = [agent(world, "one", tooLong), agent(world, "two", "worked")]
      const job = yield* Effect.provide(run(without(config)), charlotte(world, { profiles }))
      expect([job.run.status, job.run.attempt, job.run.error]).toEqual(["completed", 1, undefined])
      expect(turns(world)).toEqual(["one tasks", "two tasks"])
      expect(job.work.tasks).toMatchObject([
        {
          failures: 0,
          notes: [{ _tag: "greenBefore" }, "two continues: the prompt is too long for one: Prompt is too long"]
        }
      ])
    })
  )

  it.scopedLive("fails a task at once where its prompt is too long for all", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, {
        "charlotte.yaml": "agent: [one, two]\nattempts: 3\n",
        "01-a.md": task(1, "true", "true")
      })
      const profiles = [agent(world, "one", tooLong), agent(world, "two", tooLong)]
      const job = yield* Effect.provide(run(without(config)), charlotte(world, { profiles }))
      expect(job.run.status).toBe("failed")
      expect(turns(world)).toEqual(["one tasks", "two tasks"])
      expect(job.work.tasks).toMatchObject([
        {
          failures: 1,
          reason:
            "the prompt is too long for one: Prompt is too long; the prompt is too long for two: Prompt is too long"
        }
      ])
    })
  )

  it.scopedLive("parks its job only once all are away, for the earliest of them, and names each", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, {
        "charlotte.yaml": "agent: [one, two]\n",
        "01-a.md": task(1, "true", "true")
      })
      const profiles = [agent(world, "one", "limited 7200"), agent(world, "two", "limited 3600")]
      const { limit, parked } = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const store = yield* RunStore.RunStore
        const id = yield* manager.start(without(config))
        const { parked } = yield* becomes(id, "parked")
        return { limit: yield* Effect.flatten(store.agentLimits.get("two")), parked }
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect(parked?.reason).toBe(
        "one is at its usage limit: Claude AI usage limit reached; two is at its usage limit: Claude AI usage limit reached"
      )
      expect(parked?.until).toEqual(limit.until)
    })
  )

  it.scopedLive("goes on with the one that resets while a turn of another unit probes the other", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1\n",
        "a/IMPLEMENTATION_PLAN.md": named(unit(), "agent: one"),
        "a/01-a.md": task(1, "true", "true"),
        "b/IMPLEMENTATION_PLAN.md": named(unit(), "agent: [two, one]"),
        "b/01-b.md": task(1, "true", "true")
      })
      const file = (name: string) => `'${world.root}/${name}'`
      // The probe of \`one\` ends once \`two\` has worked; it fails before it would count as a success.
      const one = `if [ ! -e ${file("first")} ]; then touch ${file("first")}; limited 1; fi
        touch ${file("probes")}
        n=0; until [ -e ${file("worked")} ]; do n=$((n + 1)); [ $n -lt 1000 ] || exit 3; sleep 0.1; done
        worked`
      const two = `until [ -e ${file("probes")} ]; do sleep 0.05; done
        if [ ! -e ${file("limited")} ]; then touch ${file("limited")}; limited 3; fi
        touch ${file("worked")}
        worked`
      const profiles = [agent(world, "one", one), agent(world, "two", two)]
      const job = yield* Effect.provide(run(without(config)), charlotte(world, { profiles }))
      expect([job.run.status, job.run.attempt, job.run.error]).toEqual(["completed", 1, undefined])
      expect(turns(world).sort()).toEqual(["one a", "one a", "two b", "two b"])
    })
  )
})

describe("an agent that is away or busy", () => {
  const files = {
    "a/IMPLEMENTATION_PLAN.md": named(unit(), "agent: one"),
    "a/01-a.md": task(1, "true", "true"),
    "b/IMPLEMENTATION_PLAN.md": named(unit(), "agent: two"),
    "b/01-b.md": task(1, "true", "true")
  }

  it.scopedLive("at its limit keeps no unit of another agent from its work, even with one permit", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, files)
      const profiles = [agent(world, "one", "limited 3600"), agent(world, "two", "worked")]
      const work = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const store = yield* RunStore.RunStore
        const id = yield* manager.start({ ...without(config), concurrency: 1 })
        yield* becomes(id, "parked")
        return yield* store.work.of(id)
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect(work.tasks.map(({ state }) => state)).toEqual(["running", "completed"])
    })
  )

  it.scopedLive("with another job lets its unit wait without a permit, which shows, and does not park the job", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const busy = yield* repository(world, { "01-a.md": task(1, "true", "true") }, "busy")
      const { config } = yield* repository(world, files, "other")
      const slow = pausing(world, "worked").replaceAll("\n", "; ")
      const profiles = [agent(world, "one", slow, 1), agent(world, "two", "worked")]
      const { first, second } = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const one = yield* manager.start({ ...busy.config, agent: "one" })
        yield* eventually(one, "task.agent.started tasks 1")
        const two = yield* manager.start({ ...without(config), concurrency: 1 })
        // Unit a comes first, and waits; b is worked on nevertheless.
        yield* eventually(two, "unit.waiting a")
        yield* eventually(two, "unit.completed b")
        yield* world.write(`${world.root}/go`, "")
        return { first: yield* ended(one), second: yield* ended(two) }
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([first.run.status, second.run.status, second.run.error]).toEqual(["completed", "completed", undefined])
      expect(second.types).not.toContain("job.parked")
      expect(second.events.find(({ type }) => type === "unit.waiting")?.payload).toEqual({
        reason: "for a turn of one, 1 of 1 at work"
      })
    })
  )

  it.scopedLive("with another job does not use up the duration of the job that waits for it", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const busy = yield* repository(world, { "01-a.md": task(1, "true", "true") }, "busy")
        const { config } = yield* repository(
          world,
          { "01-a.md": task(1, "true", "true"), "charlotte.yaml": "limits: { duration: 5 minutes }\n" },
          "other"
        )
        const profiles = [agent(world, "one", pausing(world, "worked").replaceAll("\n", "; "), 1)]
        const waited = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const first = yield* manager.start({ ...busy.config, agent: "one" })
          yield* eventually(first, "task.agent.started tasks 1")
          const second = yield* manager.start({ ...config, agent: "one" })
          yield* eventually(second, "unit.waiting tasks")
          // The limit counts steps of at most 10 seconds.
          yield* Effect.repeatN(Effect.zipRight(jump("10 seconds"), Effect.sleep("20 millis")), 60)
          yield* world.write(`${world.root}/go`, "")
          return yield* ended(second)
        }).pipe(Effect.provide(charlotte(world, { profiles })))
        expect([waited.run.status, waited.run.error]).toEqual(["completed", undefined])
      })
    )
  )
})
