/** Notices of daemons that are nodes of a cluster. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { existsSync, readFileSync } from "node:fs"
import * as Daemon from "../../cli/process/Daemon.js"
import { task, unit } from "../../tasks/Jobs.js"
import { command, world as makeWorld } from "./daemon.js"
import { home, start, until } from "./nodes.js"

const files = () => ({
  "charlotte.yaml": "agent: script\nattempts: 1\n",
  "api/IMPLEMENTATION_PLAN.md": unit(),
  "api/01-one.md": task(1, "true", "false")
})

/** Appends its name and the notice to a file. */
const notify = (root: string, name: string, more = "") =>
  `notify:\n  phone: { run: [sh, -c, 'printf "%s " "$0" >> "$1"; cat >> "$1"', ${name}, ${root}/sent]${more} }\n`

const Sent = Schema.parseJson(Schema.Struct({ job: Schema.String, status: Schema.String }))

const sent = (file: string): ReadonlyArray<{ readonly by: string; readonly job: string; readonly status: string }> =>
  (existsSync(file) ? readFileSync(file, "utf8") : "")
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => {
      const [by = "", json] = /^(\w+) (.*)$/.exec(line)?.slice(1) ?? []
      return { by, ...Schema.decodeUnknownSync(Sent)(json) }
    })

describe("notices of the nodes of a cluster", () => {
  it.scopedLive(
    "are sent once, by one of the nodes that have the name, and by another one after that was killed",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld(files)
        const file = `${world.root}/sent`
        const doctor = (node: typeof world) => Effect.map(command(node, "doctor"), ({ out }) => out)
        for (const name of ["b", "c"])
          yield* world.write(`${home(world, name).home}/config.yaml`, notify(world.root, name))
        const without = yield* start(world, "a")
        const b = yield* start(world, "b")
        const c = yield* start(world, "c")
        const first = yield* Daemon.submit(without)
        yield* until(
          Effect.sync(() => sent(file)),
          ({ length }) => length > 0
        )
        // The lease of the first one is renewed for as long as it lives.
        expect(sent(file)).toEqual([{ by: "b", job: first, status: "failed" }])
        expect(yield* doctor(without)).toContain(
          `notify.phone is defined in 2 ways: by ${b.address}, and by ${c.address}`
        )

        yield* Daemon.kill(b.pid, "SIGKILL")
        yield* Daemon.gone(b.pid)
        const second = yield* Daemon.submit(without)
        yield* until(
          Effect.sync(() => sent(file)),
          (all) => all.some(({ job }) => job === second)
        )
        // What was sent is sent again if the cursor was not saved before the kill.
        expect(sent(file).at(-1)).toEqual({ by: "c", job: second, status: "failed" })
        expect(sent(file).filter(({ by, job }) => by === "c" && job === second)).toHaveLength(1)
        yield* until(doctor(without), (out) => !out.includes("notify.phone is defined"))
        expect((yield* command(c, "daemon stop")).code).toBe(0)
        yield* Daemon.down(without)
      }),
    300_000
  )
})
