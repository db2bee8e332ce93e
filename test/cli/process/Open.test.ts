/** `charlotte open` as its user sees it, with a script for a browser, and what others on the machine see of it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule, Schema } from "effect"
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import * as requests from "../../http/requests.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"
import * as Tasks from "./Tasks.js"

/** Notes what it was to open, what is in that, and all command lines of the machine meanwhile. */
const browserIn = ({ root }: Charlotte.World): string => {
  const script = `${root}/browser`
  const note = `#!/bin/sh
echo "$@" > ${root}/argv
file="\${1#file://}"
stat -c %a "$file" > ${root}/mode
cat "$file" > ${root}/html
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' > ${root}/processes
mv ${root}/argv ${root}/opened
`
  writeFileSync(script, note)
  chmodSync(script, 0o755)
  return script
}

/** Several commands start a Node each, on machines that may be busy. */
const slow = 90_000

const openings = ({ home }: Charlotte.World) => readdirSync(home).filter((name) => name.startsWith("open-"))

const Session = Schema.parseJson(Schema.Struct({ id: Schema.String, token: Schema.String }))

/** Sends the code of an address, as the page does that is opened with it. */
const exchange = (address: string) => {
  const { hash, host, origin, port } = new URL(address)
  return requests.send(
    { port: Number(port) },
    {
      method: "POST",
      path: "/api/v1/session",
      body: JSON.stringify({ code: hash.replace("#code=", "") }),
      headers: { origin, host, "content-type": "application/json" }
    }
  )
}

const begin = (address: string) =>
  Effect.map(exchange(address), ({ status, text }) => {
    expect(status).toBe(201)
    const { token } = Schema.decodeSync(Session)(text)
    return { port: Number(new URL(address).port), token }
  })

/** The status of a list of jobs. */
const listing = ({ port, token }: { readonly port: number; readonly token: string }) =>
  requests.send(
    { port },
    { path: "/api/v1/jobs", headers: { host: `127.0.0.1:${port}`, authorization: `Bearer ${token}` } }
  )

const succeeds = (world: Charlotte.World, script: string, options?: Charlotte.Options) =>
  Effect.map(Charlotte.run(world, script, options), ({ code, err, out }) => {
    expect([code, err]).toEqual([0, ""])
    return out.trim()
  })

/** The address that `open --print` prints; the daemon that it may start ends with the test. */
const printed = (world: Charlotte.World) =>
  Effect.gen(function* () {
    const address = yield* succeeds(world, "exec charlotte open --print")
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{22}$/)
    return address
  })

/** A program that has the port. */
const occupy = (port: number) =>
  Effect.acquireRelease(
    Effect.async<ReturnType<typeof createServer>>((resume) => {
      const server = createServer((socket) => socket.destroy()).listen(port, "127.0.0.1", () =>
        resume(Effect.succeed(server))
      )
    }),
    (server) => Effect.sync(() => void server.close())
  )

describe("charlotte open", () => {
  it.scopedLive("opens a private file that leads to the page, and the code stands in no process list", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      const variables = { BROWSER: browserIn(world) }
      yield* Daemon.up(world)
      const id = yield* Daemon.submit(world)
      const out = yield* succeeds(world, `exec charlotte open ${id}`, { variables })
      const [, address = ""] = /^✓ opened (http:\/\/127\.0\.0\.1:\d+\/jobs\/\w{26})$/.exec(out) ?? []
      const read = (name: string) => readFileSync(`${world.root}/${name}`, "utf8").trim()
      const [, href = ""] = /href="([^"]+)"/.exec(read("html")) ?? []
      const code = href.replace(`${address}#code=`, "")
      expect(address).toContain(id)
      expect(code).toMatch(/^[\w-]{22}$/)
      expect(read("opened")).toMatch(/^file:\/\/\S+\/open-[\w-]+\.html$/)
      expect(read("mode")).toBe("600")
      expect(`${read("processes")} `).toContain(` open ${id} `)
      expect(read("processes")).toContain(read("opened"))
      expect(read("processes")).not.toContain(code)
      expect(openings(world).length).toBe(1)
      const session = yield* begin(href)
      expect(openings(world)).toEqual([])
      expect((yield* listing(session)).status).toBe(200)
      // Neither is in any log.
      for (const log of ["daemon.log", "daemon.err"]) {
        const text = readFileSync(`${world.home}/logs/${log}`, "utf8")
        expect([text.includes(code), text.includes(session.token)]).toEqual([false, false])
      }
      yield* Daemon.down(world)
    })
  )

  it.scopedLive(
    "starts the daemon if none runs, and opens a port on loopback only",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => Tasks.simple)
        // Whatever is left of the daemon at the end is killed.
        yield* Daemon.up(world, { script: "charlotte open --print > address; exec charlotte daemon start" })
        const address = yield* succeeds(world, "cat address")
        const { hostname } = new URL(address)
        expect(hostname).toBe("127.0.0.1")
        expect((yield* listing(yield* begin(address))).status).toBe(200)
        yield* Daemon.down(world)
      }),
    slow
  )

  it.scopedLive("leaves no file behind when there is no browser, and says what to do instead", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      yield* Daemon.up(world)
      const fails = (browser: string) =>
        Effect.map(
          Charlotte.run(world, "exec charlotte open", { variables: { BROWSER: browser } }),
          ({ code, err }) => [code, err.replace("charlotte: no browser was opened: ", "")]
        )
      const hint = "print the address of the page with: charlotte open --print\n"
      expect(yield* fails("false")).toEqual([1, `false exited with 1; ${hint}`])
      expect(yield* fails("no-such-browser %s:false")).toEqual([
        1,
        `spawn no-such-browser ENOENT; false exited with 1; ${hint}`
      ])
      expect(openings(world)).toEqual([])
      yield* Daemon.down(world)
    })
  )

  it.scopedLive(
    "keeps session and port over kill -9 and a restart, and ends them with the daemon's stop",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => Tasks.simple)
        const { pid } = yield* Daemon.up(world)
        const [address, unused] = [yield* printed(world), yield* printed(world)]
        const session = yield* begin(address)
        expect(lstatSync(`${world.home}/sessions.json`).mode & 0o777).toBe(0o600)
        yield* Daemon.kill(pid, "SIGKILL")
        yield* Daemon.gone(pid)
        yield* Daemon.up(world)
        expect((yield* listing(session)).status).toBe(200)
        expect(yield* succeeds(world, "exec charlotte daemon status")).toContain(
          `page on http://127.0.0.1:${session.port}\n`
        )
        expect(yield* exchange(unused)).toMatchObject({ status: 403, json: { _tag: "InvalidCode" } })
        yield* succeeds(world, "exec charlotte daemon restart")
        expect((yield* listing(session)).status).toBe(200)
        yield* Daemon.down(world)

        yield* Daemon.up(world)
        // Nobody waits for the page, so its port is closed.
        yield* Effect.scoped(occupy(session.port))
        expect(new URL(yield* printed(world)).port).toBe(String(session.port))
        expect((yield* listing(session)).status).toBe(401)
        yield* Daemon.down(world)
      }),
    slow
  )

  it.scopedLive(
    "says that another program has taken the port, and takes no other",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => Tasks.simple)
        const { pid } = yield* Daemon.up(world)
        const session = yield* Effect.flatMap(printed(world), begin)
        yield* Daemon.kill(pid, "SIGKILL")
        yield* Daemon.gone(pid)
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* occupy(session.port)
            const next = yield* Charlotte.run(world, "exec charlotte daemon start")
            const problem = `the page cannot be served on 127.0.0.1:${session.port}: listen EADDRINUSE`
            expect([next.code, next.out]).toEqual([0, expect.stringContaining(`! ${problem}`)])
            yield* Daemon.up(world)
            const refused = yield* Charlotte.run(world, "exec charlotte open --print")
            expect([refused.code, refused.out, refused.err]).toEqual([75, "", expect.stringContaining(problem)])
            expect(refused.err).toContain("charlotte daemon restart --listen 127.0.0.1:0")
            expect(yield* succeeds(world, "exec charlotte daemon status")).toMatch(/! the page cannot[^]*\n {2}ready$/)
          })
        )
        expect(new URL(yield* printed(world)).port).toBe(String(session.port))
        expect((yield* listing(session)).status).toBe(200)
        // As the message says.
        yield* succeeds(world, "exec charlotte daemon restart --listen 127.0.0.1:0")
        expect(new URL(yield* printed(world)).port).not.toBe(String(session.port))
        yield* Daemon.down(world)
      }),
    slow
  )

  it.scopedLive(
    "--revoke ends all sessions, with a daemon and without",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => Tasks.simple)
        const { pid } = yield* Daemon.up(world)
        const sessions = [yield* Effect.flatMap(printed(world), begin), yield* Effect.flatMap(printed(world), begin)]
        expect(yield* succeeds(world, "exec charlotte open --revoke")).toBe("2 sessions ended")
        for (const session of sessions) expect((yield* listing(session)).status).toBe(401)
        expect(yield* succeeds(world, "exec charlotte open --revoke")).toBe("no browser had a session")
        const session = yield* Effect.flatMap(printed(world), begin)
        yield* Daemon.kill(pid, "SIGKILL")
        yield* Daemon.gone(pid)
        expect(yield* succeeds(world, "exec charlotte open --revoke --json")).toBe('{"page":{"ended":1}}')
        yield* Daemon.up(world)
        yield* printed(world)
        expect((yield* listing(session)).status).toBe(401)
        yield* Daemon.down(world)
      }),
    slow
  )
})

describe("charlotte run --open", () => {
  it.scopedLive("opens the page of its job, which it serves itself, until it ends", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(Tasks.waiting())
      const variables = { BROWSER: browserIn(world) }
      const running = yield* Charlotte.start(world, "exec charlotte run tasks --open", { variables })
      yield* Tasks.reached(world)
      yield* Effect.sync(() => existsSync(`${world.root}/opened`)).pipe(
        Effect.repeat({ until: (isThere) => isThere, schedule: Schedule.spaced("20 millis") })
      )
      const html = readFileSync(`${world.root}/html`, "utf8")
      const [, href = ""] = /href="([^"]+)"/.exec(html) ?? []
      expect(href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/jobs\/\w{26}#code=/)
      const session = yield* begin(href)
      expect((yield* listing(session)).text).toContain(new URL(href).pathname.replace("/jobs/", ""))
      yield* Tasks.release(world)
      expect((yield* running.ended).code).toBe(0)
      expect(openings(world)).toEqual([])
    })
  )
})
