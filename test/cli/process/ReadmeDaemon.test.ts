/** What the README says of the daemon, word for word as it is printed there. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Charlotte from "./Charlotte.js"
import * as Tasks from "./Tasks.js"

const readme = readFileSync(fileURLToPath(new URL("../../../README.md", import.meta.url)), "utf8")

const [, chapter = ""] = /^## The daemon\n(.*?)^## /ms.exec(readme) ?? []

const [commands = "", requests = "", ...others] = [...chapter.matchAll(/^```sh\n(.*?)^```$/gms)].map(
  ([, text = ""]) => text
)

describe("the README, on the daemon", () => {
  it.scopedLive(
    "shows commands and requests that work as they are printed",
    () =>
      Effect.gen(function* () {
        expect(others).toEqual([])
        const world = yield* Charlotte.world(() => ({ ...Tasks.simple, "charlotte.yaml": "agent: script\n" }))
        const options = { variables: { CHARLOTTE_HOME: `${world.variables["HOME"]}/.charlotte` } }
        yield* Effect.addFinalizer(() => Charlotte.run(world, "charlotte daemon stop", options))
        const worked = yield* Charlotte.run(world, `set -e\n${commands}echo "JOB is $JOB"`, options)
        expect([worked.code, worked.err]).toEqual([0, ""])
        expect(worked.out).toMatch(/^charlotte daemon is ready [^]*\n✓ completed [^]* ready\nJOB is \w{26}\n$/)
        expect(yield* Tasks.done(world)).toEqual(Tasks.all)

        const [, job = ""] = /JOB is (\w+)/.exec(worked.out) ?? []
        const asked = yield* Charlotte.run(
          world,
          `set -e\nJOB=${job}\n${requests.replaceAll("curl -s", "curl -sf")}`,
          options
        )
        expect([asked.code, asked.err]).toEqual([0, ""])
        expect(asked.out).toMatch(/^\{"ready":true\}\{"jobs":\[\{"id":"\w{26}".*# HELP [^]*"mode":"alreadyEnded"/s)
        expect(asked.out).toMatch(/\{"id":"\w{26}"\}: charlotte\n[^]*\nid: 1\ndata: .*"job\.started"/)
        expect(asked.out).toMatch(/\ndata: .*"job\.completed".*\n\n$/)

        const first = "curl -sN --unix-socket ~/.charlotte/socket http://localhost/api/v1/events | head -n 1"
        expect((yield* Charlotte.run(world, first, options)).out).toBe(": charlotte\n")
      }),
    120_000
  )
})
