import { describe, expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as TestDatabase from "../database.js"
import { freePort } from "./nodes.js"

const example = fileURLToPath(new URL("../../../examples/cluster.ts", import.meta.url))

/** A process of the example. */
const node = (url: string) =>
  Effect.gen(function* () {
    const env = { ...process.env, DATABASE_URL: url, ADDRESS: `127.0.0.1:${yield* freePort}` }
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--import", "tsx", example], { env, stdio: ["ignore", "pipe", "inherit"] })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    return { child, lines: Stream.fromAsyncIterable(createInterface({ input: child.stdout }), String) }
  })

describe("the example of a cluster", () => {
  it.scopedLive(
    "runs a job of each node, answers both, and ends at SIGTERM",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const nodes = yield* Effect.replicateEffect(node(url), 2)
        // A job may run on the other node than the one that awaits it.
        const lines = Stream.mergeAll(
          nodes.map(({ lines }) => lines),
          { concurrency: 2 }
        )
        const said = yield* Stream.runCollect(Stream.take(lines, 4))
        expect([...said].toSorted()).toEqual(["completed", "completed", "report 1, attempt 1", "report 1, attempt 1"])
        const exits = nodes.map(({ child }) => once(child, "exit"))
        for (const { child } of nodes) child.kill("SIGTERM")
        yield* Effect.promise(() => Promise.all(exits))
      }),
    60_000
  )
})
