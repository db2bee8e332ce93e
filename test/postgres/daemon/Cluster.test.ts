/**
 * `charlotte cluster`, and what probes and metrics of a node say.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Charlotte from "../../cli/process/Charlotte.js"
import * as Daemon from "../../cli/process/Daemon.js"
import * as Tasks from "../../cli/process/Tasks.js"
import * as TestDatabase from "../database.js"
import { command, jobs, world as makeWorld } from "./daemon.js"
import { home, start, status, two, until } from "./nodes.js"

const get = (world: Charlotte.World, path: string) =>
  Effect.map(
    Charlotte.run(world, `curl -s -i --max-time 20 --unix-socket ${world.home}/socket http://localhost${path}`),
    ({ out }) => {
      const [head = "", ...body] = out.split("\r\n\r\n")
      return { status: Number(/^HTTP\/1.1 (\d+)/.exec(head)?.[1]), body: body.join("") }
    }
  )

/** The value of a metric that has no labels. */
const metric = (text: string, name: string) => Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1])

describe("charlotte cluster", () => {
  it.scopedLive("drains a node: others begin all jobs, also those that wait, and it keeps those that it runs", () =>
    Effect.gen(function* () {
      const { a, b, world } = yield* two(Tasks.waiting())
      yield* world.git(world.repository, "branch", "second")
      yield* world.git(world.repository, "branch", "third")
      const first = yield* Daemon.submit(a)
      yield* Tasks.reached(world)
      const { nodes } = yield* status(a)
      const drained = nodes.find(({ running }) => running === 1)?.address ?? ""
      const [itself, other] = drained === a.address ? [a, b] : [b, a]

      const missing = yield* command(a, `cluster drain ${drained}0`)
      expect(missing.code).toBe(2)
      expect(missing.err).toContain(`charlotte: no node has the address "${drained}0": did you mean "`)
      const limited = yield* command(a, "cluster limit 1")
      expect([limited.code, limited.err, limited.out]).toEqual([0, "", "✓ the cluster runs at most 1 jobs at once\n"])
      const second = yield* Daemon.submit(a, "--target second --queue")
      const third = yield* Daemon.submit(b, "--target third --queue")
      const drain = yield* command(a, `cluster drain ${drained}`)
      expect(drain).toMatchObject({
        code: 0,
        err: "",
        out: `✓ ${drained} takes no new jobs; it runs 1 job; undo that with --undo\n`
      })
      yield* until(get(itself, "/metrics"), ({ body }) => metric(body, "charlotte_node_shards") === 0)
      expect((yield* get(itself, "/readyz")).status).toBe(200)
      const waiting = yield* Charlotte.start(a, `exec charlotte cluster drain ${drained} --wait --json`)
      yield* command(a, "cluster limit 10")
      yield* until(status(a), ({ active }) => active === 3)
      expect((yield* status(a)).nodes.find(({ address }) => address === drained)).toMatchObject({
        state: "draining",
        running: 1
      })
      yield* Tasks.release(world)
      expect(yield* waiting.ended).toMatchObject({
        code: 0,
        err: "",
        out: `{"node":"${drained}","draining":true,"running":0}\n`
      })
      for (const id of [first, second, third]) {
        const watched = yield* command(other, `watch ${id}`)
        expect([watched.code, watched.err]).toEqual([0, ""])
      }
      expect(yield* jobs(other)).toMatchObject([{ attempt: 1 }, { attempt: 1 }, { attempt: 1 }])
      const undone = yield* command(a, `cluster drain ${drained} --undo`)
      expect(undone.out).toBe(`✓ ${drained} takes jobs again\n`)
      expect((yield* status(a)).nodes).toMatchObject([{ state: "alive" }, { state: "alive" }])
    })
  )

  it.scopedLive("prints the SQL of a migration, which does what the migration does", () =>
    Effect.gen(function* () {
      const operator = home(yield* makeWorld(() => Tasks.simple), "operator")
      const { out } = yield* command(operator, "cluster migrate --dry-run")
      expect(out).toMatch(/^-- would migrate an empty database to version \d+\nBEGIN;\n/)
      expect(out).toContain("\n\n-- 0008_v0_2\nCREATE TABLE charlotte_runs (")
      expect(out).toContain("INSERT INTO charlotte_migrations (migration_id, name) VALUES (8, 'v0_2');\n")
      const json = yield* command(operator, "cluster migrate --dry-run --json")
      const migrations = [
        { version: 8, name: "v0_2", statements: expect.arrayContaining([expect.stringMatching(/^CREATE TABLE/)]) }
      ]
      expect(JSON.parse(json.out)).toMatchObject({ from: 0, dryRun: true, migrations })

      yield* TestDatabase.adminOf(operator.url, out)
      const again = yield* command(operator, "cluster migrate --dry-run")
      expect(again.out).toMatch(/^the database has version \d+: there is nothing to migrate\n$/)
      expect(yield* status(operator)).toMatchObject({ active: 0, nodes: [] })
    })
  )

  it.scopedLive("shows the nodes in a table, and exits with 69 without a live one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(() => Tasks.simple)
      const operator = home(world, "operator")
      const before = yield* command(operator, "cluster status")
      expect(before).toMatchObject({
        code: 1,
        out: "",
        err: expect.stringMatching(/schema version 0, .*; migrate it with: charlotte cluster migrate\n$/)
      })
      const migrated = yield* command(operator, "cluster migrate")
      expect(migrated.out).toMatch(/^migrated an empty database to version \d+\n$/)
      const again = yield* command(operator, "cluster migrate")
      expect(again.out).toMatch(/^the database has version \d+: there is nothing to migrate\n$/)
      const empty = yield* command(operator, "cluster status")
      expect(empty).toMatchObject({
        code: 69,
        err: "",
        out: "no nodes; start one with: charlotte daemon start --advertise HOST:PORT\n0 active\n"
      })
      const node = yield* start(world, "a", "--shared-repositories --capacity 3")
      const shown = yield* command(operator, "cluster status")
      expect([shown.code, shown.err]).toEqual([0, ""])
      expect(shown.out).toMatch(
        new RegExp(
          `^NODE +STATE +JOBS +VERSION +MACHINE +PID\n${node.address} +alive +0/3 +[0-9a-f]{12} +\\S+ +${node.pid}\n` +
            "0 active of at most 10; change that with: charlotte cluster limit N\n$"
        )
      )
      const limited = yield* command(operator, "cluster limit 20")
      expect(limited.out).toBe("✓ the cluster runs at most 20 jobs at once; its nodes have room for 3\n")
      for (const words of ["limit 0", "limit x", "limit", "drain", "drain --wait"]) {
        expect((yield* command(operator, `cluster ${words}`)).code, words).toBe(2)
      }
      yield* Daemon.down(node)
      expect((yield* command(operator, "cluster status")).code).toBe(69)
      const sqlite = yield* command(operator, "cluster status", { CHARLOTTE_DATABASE: "sqlite" })
      expect(sqlite.code).toBe(2)
      expect(sqlite.err).toContain("the nodes of a cluster share a PostgreSQL database")
    })
  )

  it.scopedLive("has a node say that it is ready, and what it has, in its metrics", () =>
    Effect.gen(function* () {
      const { a, b, world } = yield* two(Tasks.waiting(), "--shared-repositories --capacity 4")
      yield* Daemon.submit(a)
      yield* Tasks.reached(world)
      let [running, shards] = [0, 0]
      yield* until(get(b, "/metrics"), ({ body }) => metric(body, "charlotte_node_shards") < 300)
      for (const node of [a, b]) {
        expect((yield* get(node, "/readyz")).status).toBe(200)
        const { body } = yield* get(node, "/metrics")
        expect(metric(body, "charlotte_cluster_nodes")).toBe(2)
        expect(metric(body, "charlotte_node_capacity")).toBe(4)
        expect(metric(body, "charlotte_jobs_limit")).toBe(10)
        expect(metric(body, "charlotte_jobs_active")).toBe(1)
        expect(metric(body, "charlotte_node_lease_age_seconds")).toBeLessThan(5)
        running += metric(body, "charlotte_node_jobs_running")
        shards += metric(body, "charlotte_node_shards")
      }
      expect([running, shards]).toEqual([1, 300])
    })
  )
})
