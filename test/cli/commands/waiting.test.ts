/** Jobs that wait, from `charlotte start` to their end. */
import { expect, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Here, layer as daemon, tasks } from "./Here.js"

const decode = Schema.decodeSync(Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown })))

/** One job at a time. */
layer(daemon(tasks, { CHARLOTTE_MAX_JOBS: "1" }), { excludeTestServices: true, timeout: "5 minutes" })(
  "a job that waits",
  (it) => {
    it.scoped("is queued by `charlotte start`, which says for what it waits", () =>
      Effect.gen(function* () {
        const { git, reached, release, repository, run } = yield* Here
        for (const branch of ["one", "two", "three"]) yield* git(repository, "branch", branch)
        const start = (branch: string, ...more: ReadonlyArray<string>) =>
          run("start", "tasks/waiting", "--repo", repository, "--target", branch, ...more)
        const first = (yield* start("one", "--key", "nightly")).out.trim()
        yield* reached

        const queued = yield* start("two", "--queue", "--priority", "5")
        const second = queued.out.trim()
        expect(queued).toEqual({
          code: 0,
          out: `${second}\n`,
          err: `job ${second} waits for a permit; see: charlotte show ${second}\n`
        })
        const delayed = yield* start("three", "--delay", "2h", "--json")
        expect([delayed.code, delayed.err]).toEqual([0, ""])
        const third = decode(delayed.out)
        expect(third).toMatchObject({ status: "pending", waitsFor: "time", isEarlier: false })
        const behind = (yield* start("two", "--key", "k", "--on-key", "queue", "--queue")).out.trim()

        // A key that is taken.
        const refused = yield* start("two", "--key", "nightly", "--queue")
        expect([refused.code, refused.err]).toEqual([
          75,
          `charlotte: job ${first} already works on nightly; watch it with: charlotte watch ${first}; to wait behind it, add --on-key queue\n`
        ])
        expect(yield* start("two", "--key", "nightly", "--on-key", "attach")).toEqual({
          code: 0,
          out: `${first}\n`,
          err: `no new job was started: job ${first}, which is running, has that key; see: charlotte show ${first}\n`
        })

        // What they wait for, in the order in which they begin, and by themselves.
        const rowsOf = (...more: ReadonlyArray<string>) =>
          Effect.map(run("jobs", "--status", "pending", ...more), ({ out }) =>
            out
              .trimEnd()
              .split("\n")
              .map((row) => row.trim().split(/ {2,}/).slice(0, 4))
          )
        const header = ["NO", "JOB", "STATUS", "WAITS FOR"]
        const rows = [
          ["1", second, "pending", "permit"],
          ["2", third["id"], "pending", "1 h"],
          ["3", behind, "pending", "key"]
        ]
        expect(yield* rowsOf()).toEqual([header, ...rows])
        expect(yield* rowsOf("--all", "--limit", "2")).toEqual([header, ...rows.slice(0, 2)])
        expect(yield* rowsOf("--all", "--before", second)).toEqual([header, ...rows.slice(1)])
        expect((yield* run("show", second)).out).toMatch(
          new RegExp(
            `^· pending for .* job ${second}\\n\\n(.*\\n)+ {2}waits {4}for a permit\\n {2}priority 5\\n(.*\\n)+ {2}watch it with {2}charlotte watch ${second}\\n {2}stop it with {3}charlotte stop ${second}\\n$`
          )
        )
        expect((yield* run("show", String(third["id"]))).out).toMatch(/\n {2}waits {4}until [\d-]+ [\d:]+ \(in 1 h\)\n/)
        expect((yield* run("show", behind)).out).toContain(
          `\n  waits    for its key\n  key      k\n  key      branch two of ${repository} (held by job ${second}, pending)\n`
        )

        expect((yield* run("stop", behind)).code).toBe(0)
        expect((yield* run("stop", String(third["id"]))).out).toMatch(/^✓ job \w{26} cancelled after /)
        yield* release
        expect((yield* run("watch", second)).code).toBe(0)
      })
    )

    it.scoped("takes the place of the job that holds its key with --on-key replace", () =>
      Effect.gen(function* () {
        const { fresh, git, reached, release, repository, run } = yield* Here
        yield* fresh
        for (const branch of ["four", "five"]) yield* git(repository, "branch", branch)
        const start = (branch: string, ...more: ReadonlyArray<string>) =>
          run("start", "tasks/waiting", "--repo", repository, "--target", branch, "--key", "deploy", ...more)
        const first = (yield* start("four")).out.trim()
        yield* reached
        const replaced = yield* start("five", "--on-key", "replace")
        expect(replaced.code).toBe(0)
        const second = replaced.out.trim()
        expect(second).not.toBe(first)
        yield* release
        expect((yield* run("watch", second)).out).toMatch(/^✓ completed in /m)
        expect((yield* run("show", first)).out).toMatch(/^! cancelled /)
      })
    )
  }
)
