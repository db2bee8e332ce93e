/** A daemon whose agent reaches its usage limit. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { task } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"

/** A stand-in for Claude Code whose first call is refused for some seconds. */
const config = (root: string) => `agents:
  claude:
    command:
      - sh
      - -c
      - |
        cat > /dev/null
        echo x >> '${root}/calls'
        if [ $(wc -l < '${root}/calls') = 1 ]; then
          text="Claude AI usage limit reached|$(($(date +%s) + 10))"
          printf '{"type":"result","subtype":"success","is_error":true,"result":"%s"}\\n' "$text"
          exit 1
        fi
        touch done
        echo '{"type":"result","subtype":"success","is_error":false,"result":"done"}'
`

describe("a daemon whose agent is at its usage limit", () => {
  it.scopedLive(
    "parks the job, also over kill -9, and calls the agent once at the reset",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => ({
          "charlotte.yaml": "agent: claude\nattempts: 1\n",
          "01-a.md": task(1, "true", "test -e done")
        }))
        yield* world.write(`${world.home}/config.yaml`, config(world.root))
        const { pid } = yield* Daemon.up(world)
        const id = yield* Daemon.submit(world)
        const show = Effect.map(Charlotte.run(world, `exec charlotte show ${id}`), ({ out }) => out)
        const parked = yield* Effect.repeat(show, { until: (out) => out.includes("parked") })
        expect(parked).toContain("claude is at its usage limit: Claude AI usage limit reached")
        expect(parked).toMatch(/until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/)
        yield* Daemon.kill(pid, "SIGKILL")
        yield* Daemon.gone(pid)

        const next = yield* Daemon.up(world)
        expect(next.started).toBe(true)
        const watched = yield* Charlotte.run(world, `exec charlotte watch ${id}`)
        expect([watched.code, watched.err]).toEqual([0, ""])
        expect(watched.out).toContain("landed on main")
        expect(watched.out).not.toContain("Task 1 (attempt 2)")
        expect(readFileSync(`${world.root}/calls`, "utf8")).toBe("x\nx\n")
        yield* Daemon.down(world)
      }),
    300_000
  )
})
