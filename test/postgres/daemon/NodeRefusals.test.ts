/**
 * What a daemon that is to be a node of a cluster refuses: each is one sentence that says what to do.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { connect, createServer, type Server } from "node:net"
import { networkInterfaces } from "node:os"
import * as Hello from "../../../src/cluster/engine/Hello.js"
import { connection } from "../../../src/cli/run/followRemote.js"
import * as Daemon from "../../cli/process/Daemon.js"
import * as Tasks from "../../cli/process/Tasks.js"
import { adminOf } from "../database.js"
import * as OwnServer from "../ownServer.js"
import * as Charlotte from "../../cli/process/Charlotte.js"
import { command, configured, jobs, world as makeWorld } from "./daemon.js"
import { freeAddress, home, start, starting, until, whole } from "./nodes.js"

/** Another process has that port. */
const listening = (address: string) =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer()
      const { hostname: host, port } = new URL(`tcp://${address}`)
      server.listen({ host, port: Number(port) }, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )

const simple = () => Tasks.simple

/** An address of this machine that others can reach, if it has one. */
const reachable = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address

describe("charlotte daemon start --advertise", () => {
  it.scopedLive("says what to do about options and addresses that cannot be", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      const node = home(world, "a")
      const refused = (words: string, variables: Readonly<Record<string, string>> = {}) =>
        Effect.map(command(node, `daemon start ${words}`, variables), ({ code, err, out }) => {
          expect([code, out], err).toEqual([2, ""])
          expect(err.trimEnd().split("\n"), err).toHaveLength(1)
          return err.trimEnd()
        })
      for (const address of ["7440", "host:0", "host:70000", ":7440", "a b:7440"]) {
        expect(yield* refused(`--advertise '${address}'`)).toBe(
          `charlotte: invalid value "${address}" for --advertise: expected HOST:PORT, such as 10.0.0.5:7450 or [fd00::5]:7450, ` +
            "with a port of 1 to 65535; see: charlotte daemon start --help"
        )
      }
      const sqlite = { CHARLOTTE_DATABASE: "sqlite" }
      expect(yield* refused("--advertise 127.0.0.1:7440", sqlite)).toBe(
        "charlotte: a node of a cluster (--advertise 127.0.0.1:7440) needs a PostgreSQL database, and this home has a SQLite file; " +
          "add --database postgres://USER@HOST:PORT/DATABASE"
      )
      for (const words of ["--capacity 4", "--insecure-cluster", "--shared-repositories"]) {
        expect(yield* refused(words)).toBe(
          `charlotte: ${words.replace(/ .*/, "")} is about a node of a cluster; add --advertise HOST:PORT, where other nodes reach this one`
        )
      }
      for (const words of ["", "--insecure-cluster"]) {
        expect(yield* refused(`--advertise 0.0.0.0:7440 ${words}`)).toBe(
          'charlotte: cannot use the address "0.0.0.0:7440" for a cluster: other nodes cannot connect to it; name an address of this machine'
        )
      }
      expect(yield* refused("--advertise no.such.host.invalid:7440")).toContain(
        "no.such.host.invalid cannot be resolved"
      )
      if (reachable !== undefined) {
        expect(yield* refused(`--advertise ${reachable}:7440`)).toBe(
          `charlotte: cannot use the address "${reachable}:7440" for a cluster: other machines can reach it, so all nodes need one secret ` +
            "(for daemons: add --token-file FILE)"
        )
      }
      const address = yield* freeAddress
      yield* listening(address)
      expect(yield* refused(`--advertise ${address}`)).toContain(
        `cannot use the address "${address}" for a cluster: cannot listen: Error: listen EADDRINUSE`
      )
    })
  )

  it.scopedLive("refuses a pooler that shares connections between transactions", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      yield* adminOf(
        world.url,
        `CREATE SCHEMA pooled;
         CREATE FUNCTION pooled.pg_backend_pid() RETURNS integer LANGUAGE sql AS 'SELECT 1'`
      )
      const pooled = `${world.url}?options=-c%20search_path%3Dpooled,pg_catalog`
      const node = home(world, "a")
      const started = yield* command(node, `daemon start --advertise ${yield* freeAddress} --database '${pooled}'`)
      expect(started).toMatchObject({
        code: 1,
        out: "",
        err:
          "charlotte: store: join the cluster failed (other): a pooler in front of the server shares its connections between " +
          "transactions; set pool_mode = session for this database, or connect to the server itself; see: charlotte doctor\n"
      })
    })
  )

  it.scopedLive("does not use the token itself as the secret of the cluster", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      const token = "a-token-that-all-nodes-and-their-clients-share"
      const file = `${world.root}/token`
      yield* world.write(file, `${token}\n`)
      yield* Charlotte.run(world, `chmod 600 ${file}`)
      const { address } = yield* start(world, "a", `--token-file ${file}`)
      const { hostname, port } = new URL(`tcp://${address}`)
      const line = Hello.line(Redacted.make(token), { caller: "127.0.0.1:1", called: address })
      const ping = JSON.stringify({ _tag: "Ping" })
      const answer = yield* Effect.async<string>((resume) => {
        const socket = connect(Number(port), hostname)
        socket.on("error", () => {})
        socket.on("data", (data) => resume(Effect.succeed(data.toString())))
        socket.on("close", () => resume(Effect.succeed("closed")))
        socket.write(`${line}\n${ping}\n`)
      })
      expect(answer).toBe("closed")
    })
  )

  it.scopedLive("refuses a second node of one address, an owner beside nodes, and a node beside an owner", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      const a = yield* start(world, "a")
      const b = home(world, "b")
      const same = yield* command(b, `daemon start --advertise ${a.address}`)
      expect(same).toMatchObject({
        code: 2,
        out: "",
        err: expect.stringMatching(
          new RegExp(
            `^charlotte: the address ${a.address} is that of process ${a.pid} on machine .* counts as dead\n` +
              `charlotte: another node for jobs of kind "tasks" has the address ${a.address}; give each node its own\n$`
          )
        )
      })
      const owner = yield* command(b, "daemon start")
      expect(owner.code).toBe(75)
      expect(owner.err).toContain(
        `the node ${a.address} of a cluster; be another node with: charlotte daemon start --advertise HOST:PORT\n`
      )
      const other = yield* command(a, "daemon start --advertise 127.0.0.1:7440")
      expect(other.err).toContain(
        `is the node ${a.address} of a cluster; restart it with: charlotte daemon restart --advertise 127.0.0.1:7440\n`
      )
      const shown = yield* command(a, "daemon status")
      expect(shown.out).toContain(`  node ${a.address}\n`)
      // It stays what it was.
      const restarted = yield* command(a, "daemon restart --json")
      expect([restarted.code, restarted.err]).toEqual([0, ""])
      expect(restarted.out).toContain(`"node":"${a.address}"`)
      yield* Daemon.down(a)

      yield* Daemon.up(b)
      const beside = yield* command(a, `daemon start --advertise ${a.address}`)
      expect(beside.code).toBe(75)
      expect(beside.err).toContain('jobs of kind "tasks" are already managed by process')
      yield* Daemon.down(b)
    })
  )

  it.scopedLive("refuses jobs in a directory unless all nodes share the repositories", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      const node = yield* start(world, "a", "")
      const refused = yield* command(node, "start tasks")
      expect(refused.code).toBe(2)
      expect(refused.err).toContain("start each with --shared-repositories")
      expect(yield* jobs(node)).toEqual([])
      const restarted = yield* command(node, "daemon restart --shared-repositories")
      expect([restarted.code, restarted.err]).toEqual([0, ""])
      const ran = yield* command(node, "run tasks")
      expect([ran.code, ran.err]).toEqual([0, ""])
      yield* Daemon.down(node)
    })
  )

  it.scopedLive("takes its settings from the configuration and the environment as well", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      const address = yield* freeAddress
      const node = configured(world)
      yield* world.write(
        `${world.home}/config.yaml`,
        `advertise: 127.0.0.1:9\ncapacity: 7\ninsecureCluster: true\nsharedRepositories: true\ntokenFile: ${world.root}/token\n`
      )
      yield* world.write(`${world.root}/token`, `${"a token of all nodes ".replaceAll(" ", "-").repeat(2)}\n`)
      yield* Charlotte.run(world, `chmod 700 ${world.home}`)
      const variables = { CHARLOTTE_ADVERTISE: address, CHARLOTTE_CAPACITY: "3" }
      yield* Daemon.up(node, { variables })
      const status = yield* command(node, "cluster status")
      expect(status.out).toMatch(new RegExp(`\n${address} +alive +0/3 `))
      const ran = yield* command(node, "run tasks")
      expect([ran.code, ran.err]).toEqual([0, ""])
      yield* Daemon.down(node)
    })
  )
})

describe("a node whose PostgreSQL server is away", () => {
  it.scopedLive(
    "lets go of its job, says that it is not ready, and continues the job when it is back, without a gap in its events",
    () =>
      Effect.gen(function* () {
        const server = yield* OwnServer.make
        const world = yield* Charlotte.world(Tasks.waiting())
        const address = yield* freeAddress
        yield* Daemon.up(world, { script: `${starting(address)} --database ${server.url}` })
        const id = yield* Daemon.submit(world)
        yield* Tasks.reached(world)
        const watching = yield* Charlotte.start(world, `exec charlotte watch ${id} --json`)
        yield* server.stop
        const isReady = Effect.map(command(world, "daemon status"), ({ code }) => code === 0)
        yield* until(isReady, (ready) => !ready)
        yield* until(
          Effect.sync(() => Daemon.log(world).some(({ message }) => /lets go of its jobs/.test(String(message)))),
          (hasLetGo) => hasLetGo
        )
        yield* server.start
        yield* until(isReady, (ready) => ready)
        yield* Tasks.release(world)
        const { code, err, out } = yield* watching.ended
        expect(code).toBe(0)
        // Whether the daemon reads events while the server is away, which ends the connection, is a matter of time.
        expect(["", `${connection("daemon", "lost")}\n${connection("daemon", "back")}\n`]).toContain(err)
        whole(out)
        expect(yield* jobs(world)).toMatchObject([{ id, status: "completed", attempt: 2 }])
        yield* Daemon.down(world)
      }),
    300_000
  )
})
