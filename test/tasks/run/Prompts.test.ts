import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, repository, run, task, untilClosed } from "../Jobs.js"

/** An agent that saves each prompt to a file, and then runs a script. */
const agent = ({ root }: Repository.Sandbox, script: string) =>
  new Agents.Profile({
    name: "mine",
    command: ["sh", "-c", `n=$(ls '${root}' | grep -c ^prompt-); cat > "${root}/prompt-$n"\n${script}`],
    prompt: "stdin",
    env: []
  })

const prompt = ({ root }: Repository.Sandbox, n: number) => readFileSync(`${root}/prompt-${n}`, "utf8")

const gate = "echo looking; test -e out.txt || { echo 'no out.txt'; exit 7; }"

describe("the prompt of an agent", () => {
  it.scopedLive("names the file of the task and its gate, and on a retry how the gate ended and what it printed", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, { "01-out.md": task(1, "true", gate) })
      const profile = agent(world, 'test "$n" = 0 || echo out > out.txt')
      const { run: record } = yield* run({ ...config, agent: "mine" }).pipe(
        Effect.provide(charlotte(world, { profiles: [profile] }))
      )
      expect(record.error).toBeUndefined()
      for (const n of [0, 1]) {
        expect(prompt(world, n)).toContain("This task is tasks/01-out.md.")
        expect(prompt(world, n)).toContain(`\n\`\`\`sh\n${gate}\n\`\`\`\n`)
      }
      expect(prompt(world, 0)).not.toContain("A previous attempt")
      expect(prompt(world, 1)).toContain(
        "A previous attempt at this task failed: the gate exited with code 7: looking / no out.txt."
      )
      expect(prompt(world, 1)).toContain("```text\nlooking\nno out.txt\n```\n")
    })
  )

  it.scopedLive("is the same after the job was interrupted", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, { "01-out.md": task(1, "true", gate) })
      const script = `case "$n" in 0) ;; 1) touch '${world.root}/second'; sleep 1000;; *) echo out > out.txt;; esac`
      const layer = charlotte(world, { profiles: [agent(world, script)] })
      const first = yield* untilClosed(layer)
      const id = yield* Effect.flatMap(JobManager.JobManager, (manager) =>
        manager.start({ ...config, agent: "mine" })
      ).pipe(Effect.provide(first.context))
      yield* appears(`${world.root}/second`)
      yield* first.close
      const { run: record } = yield* ended(id).pipe(Effect.provide(layer))
      expect(record.error).toBeUndefined()
      expect(prompt(world, 2)).toBe(prompt(world, 1))
    })
  )
})

describe("a gate that passes without changes", () => {
  it.scopedLive("is noted, unlike one that passes with changes", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, {
        "01-idle.md": task(1, "true", "true"),
        "02-out.md": task(2, "echo out > out.txt", "test -e out.txt", [1])
      })
      const { work } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(work.tasks).toMatchObject([
        {
          state: "completed",
          notes: ["the gate passed although no file was changed: it may pass even before the task is started"]
        },
        { state: "completed", notes: [] }
      ])
    })
  )
})
