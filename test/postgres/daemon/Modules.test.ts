/**
 * What a daemon loads: the client of PostgreSQL with that database only, and the packages of a cluster on a node only.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as Charlotte from "../../cli/process/Charlotte.js"
import { world as makeWorld } from "./daemon.js"
import { freeAddress } from "./nodes.js"

/** Texts of `@effect/sql-pg` and of `pg`. */
const clients = ["PgClient: Failed to connect", "SCRAM-SERVER-FIRST-MESSAGE"]

/** Of `@effect/cluster` and `@effect/rpc`. */
const cluster = ["@effect/cluster/Sharding", "@effect/rpc/RpcClientError"]

/** Lists the files that a process has loaded when it exits. */
const hook = (list: string) => `
  process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(list)}, Object.keys(require.cache).join("\\n")))
`

/** Which of them a daemon has loaded that runs a job, with these options. */
const loaded = (world: Charlotte.World, options: string) =>
  Effect.gen(function* () {
    const [list, hooked] = [`${world.root}/loaded`, `${world.root}/hook.cjs`]
    yield* world.write(hooked, hook(list))
    const daemon = yield* Charlotte.start(world, `exec charlotte daemon start --foreground ${options}`, {
      variables: { NODE_OPTIONS: `--require ${hooked}` }
    })
    yield* daemon.says(/is ready/)
    const ran = yield* Charlotte.run(world, "exec charlotte run tasks")
    expect([ran.code, ran.err]).toEqual([0, ""])
    yield* daemon.kill("SIGTERM")
    expect((yield* daemon.ended).code).toBe(0)
    const text = readFileSync(list, "utf8")
      .split("\n")
      .map((file) => readFileSync(file, "utf8"))
      .join("\n")
    expect(text).toContain("charlotte_runs")
    return [...clients, ...cluster].filter((found) => text.includes(found))
  })

describe("a daemon", () => {
  it.scopedLive(
    "loads no client of PostgreSQL without that database, and no package of a cluster unless it is a node",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld(() => ({
          "charlotte.yaml": "agent: script\n",
          "01-one.md":
            "---\ntask: 1\nstatus: pending\nbackpressure: test -e one\n---\n\n# One\n\n```sh\ntouch one\n```\n"
        }))
        expect(yield* loaded(world, "")).toEqual([])
        yield* Charlotte.run(world, "git reset --quiet --hard HEAD~1")
        expect(yield* loaded(world, `--database ${world.url}`)).toEqual(clients)
        yield* Charlotte.run(world, "git reset --quiet --hard HEAD~1")
        const node = `--advertise ${yield* freeAddress} --shared-repositories`
        expect(yield* loaded(world, `--database ${world.url} ${node}`)).toEqual([...clients, ...cluster])
      })
  )
})
