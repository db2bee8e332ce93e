/** Why attempts fail, as it is recorded. */
import { describe, expect, it } from "@effect/vitest"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, task } from "../Jobs.js"
import { counting } from "./Scenes.js"

/** A stand-in for Claude Code, whose script has the number `n` of this call. */
const claude = (world: Repository.Sandbox, script: string) =>
  new Agents.Profile({
    name: "claude",
    command: [
      "sh",
      "-c",
      `cat > /dev/null
       ${counting(world, "claude")}
       n=$(wc -l < '${world.root}/count-claude')
       says() { printf '{"type":"assistant","message":{"model":"m","content":[{"type":"text","text":"%s"}]}}\\n' "$1"; }
       ends() { printf '{"type":"result","is_error":false,"usage":{"output_tokens":1},"result":"%s"}\\n' "$1"; }
       fails() { printf '{"type":"result","is_error":true,"usage":{"output_tokens":1},"result":"%s"}\\n' "$1"; exit 1; }
       ${script}`
    ],
    prompt: "stdin",
    format: "claude-stream-json",
    env: []
  })

const job = (gate: string, script: string, attempts: number) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const files = { "01-a.md": task(1, "true", gate), "charlotte.yaml": `attempts: ${attempts}\n` }
    const { config } = yield* repository(world, files)
    const layer = charlotte(world, { profiles: [claude(world, script)] })
    return yield* Effect.provide(run({ ...config, agent: "claude" }), layer)
  })

const said = "I have done it."

describe("the recorded reason of a task", () => {
  it.scopedLive("is the gate's last lines beside what the agent said last, and stays when a retry has worked", () =>
    Effect.gen(function* () {
      const gate = `echo '{"type":"system"}'; echo '1 failed'; echo; test -e done.txt`
      const { events, run, work } = yield* job(
        gate,
        `says "${said}"; test $n = 1 && touch tried.txt || touch done.txt`,
        2
      )
      expect(run.status).toBe("completed")
      const reason = "the gate exited with code 1: 1 failed"
      expect(work.tasks).toMatchObject([{ state: "completed", failures: 1, reason, said }])
      const payloads = (type: string) => events.filter((event) => event.type === type).map(({ payload }) => payload)
      expect(payloads("task.agent.ended")).toMatchObject([{ said }, { said }])
      expect(payloads("task.retry")).toMatchObject([{ reason }])
    })
  )

  it.scopedLive("is the message with which the agent itself reports its failure", () =>
    Effect.gen(function* () {
      const { run, work } = yield* job("true", `says "${said}"; fails "Prompt is too long"`, 1)
      const reason = "the agent failed: Prompt is too long"
      expect(work.tasks).toMatchObject([{ state: "failed", failures: 1, reason, said }])
      expect(run.error?.error).toMatchObject({ failures: [{ reason: `task 1 (Task 1) failed once: ${reason}` }] })
    })
  )

  it.scopedLive("names the branch that a turn has moved, with both commits, though the agent reports a success", () =>
    Effect.gen(function* () {
      const moves = "git commit -q --allow-empty -m own; git branch -f main HEAD"
      const { events, work } = yield* job("true", `${moves}; ends "All done!"`, 1)
      const reason = expect.stringMatching(/^the agent moved refs\/heads\/main from [0-9a-f]{40} to [0-9a-f]{40}$/)
      expect(work.tasks).toMatchObject([{ state: "failed", failures: 1, reason }])
      const ended = events.find(({ type }) => type === "task.agent.ended")
      expect(ended?.payload).toMatchObject({ reason: expect.stringMatching(/^moved refs\/heads\/main from/) })
    })
  )
})
