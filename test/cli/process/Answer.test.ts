/** A question of an agent, from the command line, with a daemon that is killed. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { cookieName } from "../../../src/process/ChildEnvironment.js"
import { task, unit } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"

const files = () => ({
  "charlotte.yaml": "agent: asker\n",
  "api/IMPLEMENTATION_PLAN.md": unit(),
  "api/01-one.md": task(1, "true", "grep 8080 api.txt"),
  "web/IMPLEMENTATION_PLAN.md": unit(),
  "web/01-one.md": task(1, "true", "grep 8081 web.txt")
})

/** Asks until the prompt has an answer, and then does what that says. */
const asker = `
  prompt=$(cat); unit=\${PWD##*/}
  say() { printf '{"type":"assistant","message":{"content":[{"type":"text","text":"%s"}]}}\\n' "$1"; }
  case $prompt in
    *"Use 80"*) echo "$prompt" | grep -o 'Use 80..' > $unit.txt; say done ;;
    *) say "QUESTION: Which port for $unit?" ;;
  esac`

const config = (root: string) =>
  `agents:\n  asker:\n    command: [sh, ${root}/asker.sh]\n    format: claude-stream-json\n`

const json = (world: Charlotte.World, command: string) =>
  Effect.map(Charlotte.run(world, `exec charlotte ${command} --json`), ({ out }) => JSON.parse(out))

const becomes = (world: Charlotte.World, id: string, status: string) =>
  Effect.repeat(Effect.zipRight(Effect.sleep("100 millis"), json(world, `show ${id}`)), {
    until: (job) => job.status === status
  })

describe("charlotte answer", () => {
  it.scopedLive(
    "lets agents go on that asked before the daemon was killed, each with its answer, and not from inside of a job",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(files)
        yield* world.write(`${world.root}/asker.sh`, asker)
        yield* world.write(`${world.home}/config.yaml`, config(world.root))
        const { pid } = yield* Daemon.up(world)
        const id = yield* Daemon.submit(world)
        yield* becomes(world, id, "parked")
        yield* Daemon.kill(pid, "SIGKILL")
        yield* Daemon.gone(pid)

        // Without a daemon, the answer is recorded.
        const answer = (words: string, variables = {}) =>
          Charlotte.run(world, `exec charlotte answer ${words}`, { variables })
        const inside = yield* answer("latest 'Use 8080.'", { [cookieName]: "a-cookie" })
        expect([inside.code, inside.err]).toEqual([
          2,
          "charlotte: this command runs inside a job, and is for a person in a shell outside of it\n"
        ])
        const unnamed = yield* answer("latest 'Use 8080.'")
        expect(unnamed.code).toBe(2)
        expect(unnamed.err).toContain(`several units of job ${id} wait for an answer, so name one of them: api, web`)
        const first = yield* answer("latest api 'Use 8080.'")
        expect([first.err, first.out]).toEqual([
          "",
          `✓ api 1 of job ${id} has the answer to: Which port for api?; it resumes when a daemon runs: charlotte daemon start\n`
        ])

        yield* Daemon.up(world)
        const second = yield* Effect.repeat(becomes(world, id, "parked"), {
          until: (job) => job.units[0].state !== "needs-answer" && job.parked.questions === 1
        })
        expect(second.units).toMatchObject([{ unit: "api" }, { unit: "web", state: "needs-answer" }])
        const { out } = yield* Charlotte.run(world, `exec charlotte show ${id}`)
        expect(out).toContain("Which port for web?")
        expect(out).toContain(`charlotte answer ${id} web "…"`)
        const [needed] = (yield* json(world, "summary")).needs
        expect(needed).toMatchObject({
          id,
          reason: "web asks: Which port for web?",
          command: `charlotte answer ${id} "…"`
        })
        expect((yield* answer("latest 'Use 8081.'")).out).toBe(
          `✓ web 1 of job ${id} has the answer to: Which port for web?\n`
        )
        yield* becomes(world, id, "completed")
        expect(yield* world.git(world.repository, "show", "main:api.txt", "main:web.txt")).toBe("Use 8080\nUse 8081\n")
        yield* Daemon.down(world)
      })
  )
})
