/**
 * A whole night with real processes and real git: a usage limit in the middle of turns, a daemon that is killed, a machine that
 * sleeps, and a full disk. In the morning everything has landed.
 */
import { describe, expect, it } from "@effect/vitest"
import { JobEvent } from "charlotte"
import { Clock, Effect, Schedule, Schema } from "effect"
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { isLong } from "../../support/long.js"
import * as Repository from "../../support/Repository.js"
import * as SmallDisk from "../../support/SmallDisk.js"
import { unit } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"

/** How long the machine sleeps, and how long the disk is full, in seconds. */
const pause = isLong ? 30 : 5

const task = (number: number, title: string, ...steps: ReadonlyArray<string>) => {
  const written = steps.flatMap((step) => /^write (\S+)$/.exec(step)?.slice(1) ?? [])
  const gate = written.map((file) => `test -s ${file}`).join(" && ")
  const dependsOn = number === 1 ? [] : [number - 1]
  const lines = steps.map((step) => `- ${step}\n`).join("")
  return `---\ntask: ${number}\nstatus: pending\nbackpressure: ${gate}\ndepends_on: ${JSON.stringify(dependsOn)}\n---\n\n# ${title}\n\n${lines}`
}

/** The steps are those of `night/claude.mjs`. */
const tasks = {
  "charlotte.yaml": "agent: claude\n",
  "api/IMPLEMENTATION_PLAN.md": unit(),
  "api/01-read.md": task(1, "Read settings", "write api-1", "await killed", "write api-2"),
  "api/02-check.md": task(2, "Check settings", "write api-3", "await woken", "write api-4", "await full"),
  "web/IMPLEMENTATION_PLAN.md": unit(),
  "web/01-form.md": task(1, "Show a form", "write web-1", "await killed", "write web-2"),
  "web/02-errors.md": task(2, "Show errors", "write web-3", "await woken", "await space", "write web-4"),
  "docs/IMPLEMENTATION_PLAN.md": unit(["api", "web"]),
  "docs/01-settings.md": task(1, "Describe settings", "write docs-1"),
  "docs/02-errors.md": task(2, "Describe errors", "write docs-2")
}

const titles = ["check-settings", "describe-errors", "describe-settings", "read-settings", "show-a-form", "show-errors"]

/** How many files they write. */
const files = 10

const scene = Effect.gen(function* () {
  const outside = yield* Repository.sandbox
  const disk = yield* SmallDisk.within(outside, "48m")
  const inside = yield* Charlotte.within(disk, () => tasks)
  const account = `${outside.root}/claude`
  const bin = `${outside.root}/bin`
  mkdirSync(account)
  mkdirSync(bin)
  copyFileSync(fileURLToPath(new URL("night/claude.mjs", import.meta.url)), `${bin}/claude`)
  const PATH = `${bin}:${inside.variables["PATH"]}`
  const world: Charlotte.World = { ...inside, variables: { ...inside.variables, PATH, CLAUDE_CONFIG_DIR: account } }
  return {
    world,
    account,
    /** Also those of agents, whose environment need not name the disk. */
    processes: () => Charlotte.processes(outside),
    charlotte: (words: string) => Charlotte.run(world, `exec charlotte ${words}`),
    /** Lets the agents that wait for it go on. */
    allow: (name: string) => writeFileSync(`${account}/${name}`, ""),
    /** Waits until so many turns wait for this. */
    reached: (name: string, turns: number) => {
      const files = () =>
        readdirSync(account).filter((file) => file.startsWith("reached-") && file.endsWith(`-${name}`))
      return Effect.map(
        until(() => files().length >= turns),
        () => {
          for (const file of files()) rmSync(`${account}/${file}`)
        }
      )
    },
    noted: (file: string) =>
      existsSync(`${account}/${file}`) ? readFileSync(`${account}/${file}`, "utf8").trimEnd().split("\n") : []
  }
})

const until = (condition: () => boolean) =>
  Effect.sync(condition).pipe(Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("20 millis") }))

/** Suspends all processes for the pause, as a machine that sleeps. */
const sleep = (processes: () => ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const stopped = new Set<number>()
    const suspend = () => {
      const others = processes().flatMap((line) => {
        const pid = Number.parseInt(line)
        return stopped.has(pid) ? [] : [pid]
      })
      for (const pid of others) {
        stopped.add(pid)
        if (Daemon.isAlive(pid)) process.kill(pid, "SIGSTOP")
      }
      return others.length === 0
    }
    yield* until(suspend)
    yield* Effect.sleep(pause * 1_000)
    for (const pid of stopped) if (Daemon.isAlive(pid)) process.kill(pid, "SIGCONT")
  })

const Shown = Schema.parseJson(
  Schema.Struct({
    tasks: Schema.Array(Schema.Struct({ failures: Schema.Int, notes: Schema.Array(Schema.Unknown) }))
  })
)

const seqOf = Schema.decodeSync(Schema.parseJson(Schema.pluck(JobEvent.JobEvent, "seq")))

describe("a night", () => {
  it.scopedLive.skipIf(!SmallDisk.canMount)(
    `lands over a usage limit, kill -9 of the daemon, ${pause} s of sleep and ${pause} s of a full disk`,
    () =>
      Effect.gen(function* () {
        const { account, allow, charlotte, noted, processes, reached, world } = yield* scene
        const { pid } = yield* Daemon.up(world)
        const id = yield* Daemon.submit(world)
        const follower = yield* Charlotte.start(world, `exec charlotte watch ${id} --json`)

        // The limit comes in the middle of both turns. After the reset, one of them shows that it is over.
        yield* reached("killed", 2)
        const now = yield* Clock.currentTimeMillis
        writeFileSync(`${account}/limit`, String(Math.ceil(now / 1_000) + 15))
        yield* follower.says(/"type":"job.parked"/)
        yield* reached("killed", 1)

        yield* Daemon.kill(pid, "SIGKILL")
        yield* Daemon.gone(pid)
        yield* Daemon.up(world)
        yield* reached("killed", 1)
        allow("killed")

        yield* reached("woken", 2)
        yield* sleep(processes)
        allow("woken")

        // One turn ends while the disk is full, and the other one goes on with printing.
        yield* reached("full", 1)
        yield* reached("space", 1)
        yield* world.shell(
          world.root,
          "for size in 1M 4k; do dd if=/dev/zero of=filler-$size bs=$size 2> /dev/null || true; done"
        )
        yield* Effect.repeat(charlotte("daemon status"), { until: ({ out }) => out.includes(" is full") })
        allow("full")
        yield* Effect.sleep(pause * 1_000)
        yield* world.shell(world.root, "rm filler-*")
        allow("space")

        const { code, err, out } = yield* follower.ended
        expect([code, err]).toEqual([0, expect.stringContaining("reconnected")])
        const events = out.split("\n").filter((line) => line.startsWith('{"jobId"'))
        expect(events.map((line) => seqOf(line))).toEqual(events.map((_, index) => index + 1))
        expect((yield* charlotte(`watch ${id} --json`)).out).toBe(out)
        const shown = Schema.decodeSync(Shown)((yield* charlotte(`show ${id} --json`)).out)
        expect(shown.tasks).toEqual(shown.tasks.map(() => ({ failures: 0, notes: [] })))
        expect((yield* charlotte("doctor --audit")).out).toMatch(/\n✓ audit +1 job and \d+ events are consistent\n/)

        // Turns that were cut off found their sessions and files again.
        expect(noted("lost")).toEqual([])
        expect(noted("began").sort()).toEqual(titles)
        yield* Daemon.down(world)
        expect(processes()).toEqual([])
        expect(yield* world.git(world.repository, "status", "--porcelain")).toBe("")
        yield* world.shell(
          world.repository,
          `git fsck --no-dangling --no-progress; sha256sum --check '${account}/sums'`
        )
        expect(noted("sums")).toHaveLength(files)
      }),
    1_800_000
  )
})
