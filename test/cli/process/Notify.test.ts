/** Notices about jobs, with a real daemon that is killed, and without one. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { task, unit } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"

const token = "the-token-of-my-phone"

/** What agent and gate find in their environment is in the result. */
const files = () => ({
  "charlotte.yaml": "agent: asker\n",
  "api/IMPLEMENTATION_PLAN.md": unit(),
  "api/01-one.md": task(1, "true", "env > $TMPDIR/gate.env; grep 8080 api.txt")
})

const asker = `
  prompt=$(cat); env > $TMPDIR/agent.env
  say() { printf '{"type":"assistant","message":{"content":[{"type":"text","text":"%s"}]}}\\n' "$1"; }
  case $prompt in
    *"Use 8080"*) echo "Use 8080" > api.txt; say done ;;
    *) say "QUESTION: Which port?" ;;
  esac`

/** Writes down each notice, and then hangs while there is a file. */
const sender = `
  cat >> "$1/begun"; printf '%s' "$MY_TOKEN" > "$1/token"
  [ -e "$1/hang" ] && exec sleep 1000
  tail -n 1 "$1/begun" >> "$1/sent"`

const notify = (root: string, more = "") => `
notify:
  phone: { run: [sh, ${root}/sender.sh, ${root}], env: [MY_TOKEN], reason: true${more} }
`

const config = (root: string) => `
agents:
  asker: { command: [sh, ${root}/asker.sh], format: claude-stream-json }
`

const made = Effect.gen(function* () {
  const world = yield* Charlotte.world(files)
  yield* world.write(`${world.root}/asker.sh`, asker)
  yield* world.write(`${world.root}/sender.sh`, sender)
  return { ...world, variables: { ...world.variables, MY_TOKEN: token } }
})

const linesOf = (file: string): ReadonlyArray<Record<string, unknown>> =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line))
    : []

/** Waits until so many notices are in a file. */
const until = (file: string, count: number) =>
  Effect.sync(() => linesOf(file)).pipe(
    Effect.repeat({ until: ({ length }) => length >= count, schedule: Schedule.spaced("20 millis") }),
    Effect.map(() => linesOf(file))
  )

describe("notices", () => {
  it.scopedLive("are sent by a daemon, again after it was killed, with a token that neither agent nor gate gets", () =>
    Effect.gen(function* () {
      const world = yield* made
      const { root } = world
      yield* world.write(`${world.home}/config.yaml`, config(root) + notify(root))
      yield* world.write(`${root}/hang`, "")
      const { pid } = yield* Daemon.up(world)
      const id = yield* Daemon.submit(world)
      const [asked] = yield* until(`${root}/begun`, 1)
      expect(asked).toMatchObject({
        kind: "tasks",
        job: id,
        status: "needs-answer",
        title: "repository: api",
        command: `charlotte answer ${id} "…"`,
        reason: "api asks: Which port?"
      })
      yield* Daemon.kill(pid, "SIGKILL")
      yield* Daemon.gone(pid)
      yield* world.shell(root, "rm hang")

      yield* Daemon.up(world)
      // The same notice, with the same id; what was left of its command is gone.
      expect(yield* until(`${root}/sent`, 1)).toEqual([asked])
      expect(Charlotte.processes(world).filter((line) => line.includes("sleep 1000"))).toEqual([])
      expect((yield* Charlotte.run(world, "exec charlotte answer latest 'Use 8080.'")).code).toBe(0)
      const sent = yield* until(`${root}/sent`, 2)
      expect(sent.map(({ status }) => status)).toEqual(["needs-answer", "completed"])
      expect(sent[1]).not.toHaveProperty("reason")
      expect(readFileSync(`${root}/token`, "utf8")).toBe(token)
      for (const name of ["agent", "gate"]) {
        const found = readFileSync(`${root}/tmp/${name}.env`, "utf8")
        expect(found).toContain("RUN_BY_CHARLOTTE=")
        expect(found).not.toContain(token)
      }
      yield* Daemon.down(world)
    })
  )

  it.scopedLive("of a job without a daemon are sent before charlotte run ends", () =>
    Effect.gen(function* () {
      const world = yield* made
      const { root } = world
      yield* world.write(`${world.home}/config.yaml`, config(root) + notify(root))
      const run = yield* Charlotte.start(world, "exec charlotte run tasks")
      yield* until(`${root}/sent`, 1)
      expect((yield* Charlotte.run(world, "exec charlotte answer latest 'Use 8080.'")).code).toBe(0)
      expect((yield* run.ended).code).toBe(0)
      expect(linesOf(`${root}/sent`).map(({ status }) => status)).toEqual(["needs-answer", "completed"])
    })
  )

  it.scopedLive("can be tried, and what fails or is not set is said", () =>
    Effect.gen(function* () {
      const world = yield* made
      const { root } = world
      const test = (words = "") => Charlotte.run(world, `exec charlotte notify test ${words}`)
      const none = yield* test()
      expect([none.code, none.err]).toEqual([
        2,
        `charlotte: ${world.home}/config.yaml has no notify:; add a command, such as notify: { phone: { run: [ntfy-send] } }\n`
      ])
      yield* world.write(
        `${world.home}/config.yaml`,
        `${notify(root)}  broken: { run: [sh, -c, "echo no such host >&2; exit 7"], env: [NOT_SET] }\n`
      )
      const all = yield* test()
      expect([all.code, all.err, all.out]).toEqual([
        1,
        "",
        "✓ phone has sent a test notice\n✗ broken: sh exited with code 7: no such host\nNOT_SET is not set in this shell\n"
      ])
      expect(linesOf(`${root}/sent`)).toMatchObject([{ status: "test", command: "charlotte summary" }])
      expect((yield* test("phone --json")).out).toBe('[{"name":"phone","sent":true,"unset":[]}]\n')
      expect((yield* test("other")).code).toBe(2)
    })
  )
})
