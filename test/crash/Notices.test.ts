/** A manager that sends notices, and is killed while its command is at work. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Exit, Layer, Schema, Scope } from "effect"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { poll } from "../../src/internal/RealClock.js"
import { bundle } from "../support/bundle.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Killed from "./killedProcess.js"

const jobs = 100

/** The jobs that have failed, in order. */
const failed = (home: string) =>
  Effect.flatMap(RunStore.RunStore, ({ subscribers }) =>
    subscribers.deliveries({ types: ["job.failed"], after: 0, limit: 2 * jobs })
  ).pipe(
    Effect.map(({ deliveries }) => deliveries.map(({ event }): string => event.jobId)),
    Effect.provide(Layer.provide(RunStore.layer, Database.layer({ filename: `${home}/charlotte.db` })))
  )

/** Fails while there is a file, and otherwise writes the notice down. */
const sender = `cat > "$0/tried"; [ ! -e "$0/down" ] && cat "$0/tried" >> "$0/sent"`

const Notice = Schema.parseJson(Schema.Struct({ id: Schema.String, job: Schema.String, status: Schema.String }))

describe("notices of a process that is killed", () => {
  it.scopedLive(
    "of 100 jobs arrive at least once and in order, though the command fails first, and no job waits",
    () =>
      Effect.gen(function* () {
        const root = yield* TemporaryDirectory.make
        const home = yield* TemporaryDirectory.make
        const program = yield* bundle(root, fileURLToPath(new URL("notices/main.ts", import.meta.url)))
        writeFileSync(`${home}/config.yaml`, `notify: { phone: { run: [sh, -c, '${sender}', ${root}] } }\n`)
        writeFileSync(`${root}/down`, "")
        let ended = 0
        const wrong: Array<string> = []
        const live = (count: number) =>
          Killed.live(program, [home, String(count)], {
            wrong: (problem) => void wrong.push(problem),
            hear: () => void ended++
          })
        const sent = () =>
          (existsSync(`${root}/sent`) ? readFileSync(`${root}/sent`, "utf8") : "")
            .split("\n")
            .slice(0, -1)
            .map((line) => Schema.decodeSync(Notice)(line))
        const until = (isSo: () => boolean) =>
          poll(
            Effect.sync(() => isSo() || wrong.length > 0),
            { until: (so) => so, pause: 5, atMost: "10 minutes" }
          )

        const first = yield* Scope.make()
        yield* Effect.addFinalizer(() => Scope.close(first, Exit.void))
        yield* Scope.extend(live(jobs), first)
        yield* until(() => ended === jobs && existsSync(`${root}/tried`))
        // All jobs have ended while no notice could be sent.
        expect([wrong, ended, sent()]).toEqual([[], jobs, []])
        rmSync(`${root}/down`)
        yield* until(() => sent().length >= jobs / 3)
        yield* Scope.close(first, Exit.void)
        expect(sent().length).toBeLessThan(jobs)

        const ofJobs = yield* failed(home)
        yield* live(0)
        yield* until(() => sent().at(-1)?.job === ofJobs.at(-1))
        expect(wrong).toEqual([])
        const all = sent()
        const order = all.map(({ job }) => ofJobs.indexOf(job))
        const steps = order.map((n, i) => n - (order[i - 1] ?? -1))
        // What was sent shortly before the kill may be sent again after it, with the same id.
        expect(steps.filter((step) => step !== 1)).toHaveLength(steps.some((step) => step < 1) ? 1 : 0)
        expect(new Set(all.map(({ id }) => id)).size).toBe(jobs)
        expect(new Set(all.map(({ status }) => status))).toEqual(new Set(["failed"]))
      }),
    900_000
  )
})
