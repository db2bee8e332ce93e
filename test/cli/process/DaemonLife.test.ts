/** A daemon from its start to its end, as its user sees it. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { existsSync, lstatSync, readdirSync, rmSync, statSync } from "node:fs"
import { figures } from "../../support/figures.js"
import { isLong } from "../../support/long.js"
import { task } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"
import * as Tasks from "./Tasks.js"

/** How often it is started, and by how many at once. */
const [rounds, starters] = isLong ? [20, 100] : [2, 4]

const mode = (path: string) => lstatSync(path).mode & 0o777

/** Everything below a directory but for what lies in worktrees, with its mode; sockets are as the kernel made them. */
const modesIn = (directory: string): ReadonlyArray<readonly [string, number]> =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`
    if (!entry.isDirectory()) return [[path, mode(path)]]
    return entry.name === "worktrees" ? [] : [[path, mode(path)], ...modesIn(path)]
  })

describe("charlotte daemon", () => {
  it.scopedLive(
    "runs jobs until shutdown and logs them with their ids",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => Tasks.simple)
        const first = yield* Daemon.up(world)
        expect(first.started).toBe(true)
        const second = yield* Daemon.up(world)
        expect(second).toEqual({ pid: first.pid, started: false })
        const again = yield* Charlotte.run(world, "exec charlotte daemon start")
        expect(again.out).toMatch(
          /^charlotte daemon is already running \(pid \d+, version \S+\)\n {2}on \S+\/socket\n$/
        )
        const id = yield* Daemon.submit(world)
        expect((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).code).toBe(0)
        const status = yield* Charlotte.run(world, "exec charlotte daemon status")
        expect([status.code, status.out]).toEqual([0, expect.stringMatching(/^charlotte daemon [^]*\n {2}ready\n$/)])

        yield* Daemon.down(world)
        const log = Daemon.log(world)
        expect(log.map(({ jobId, message }) => [message, jobId].filter(Boolean).join(" "))).toEqual([
          "starting",
          "ready",
          `job.started ${id}`,
          `job.completed ${id}`,
          "shutting down: requested by client",
          "stopped"
        ])
        const after = yield* Charlotte.run(world, "exec charlotte daemon status")
        expect([after.code, after.out]).toEqual([69, "no daemon is running; start it with: charlotte daemon start\n"])
        const none = yield* Charlotte.run(world, "exec charlotte daemon stop")
        expect([none.code, none.out]).toEqual([0, "no daemon is running\n"])
      }),
    300_000
  )

  it.scopedLive("replaces the socket and lock note of a killed daemon and resumes its job", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(Tasks.waiting())
      const { pid } = yield* Daemon.up(world)
      const id = yield* Daemon.submit(world)
      yield* Tasks.reached(world)
      const [agent = ""] = Charlotte.processes(world).filter((line) => !line.startsWith(`${pid} `))
      yield* Daemon.kill(pid, "SIGKILL")
      yield* Daemon.gone(pid)
      expect([existsSync(`${world.home}/socket`), existsSync(`${world.home}/lock.json`)]).toEqual([true, true])
      const status = yield* Charlotte.run(world, "exec charlotte daemon status")
      expect([status.code, status.out]).toEqual([69, "no daemon is running; start it with: charlotte daemon start\n"])
      rmSync(`${world.root}/reached`)

      const next = yield* Daemon.up(world)
      expect(next.started).toBe(true)
      yield* Tasks.reached(world)
      expect(Charlotte.processes(world)).not.toContain(agent)
      yield* Tasks.release(world)
      expect((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).code).toBe(0)
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
      yield* Daemon.down(world)
      expect(
        Daemon.log(world).flatMap(({ jobId, message }) =>
          jobId === id && String(message).startsWith("job.") ? [message] : []
        )
      ).toEqual(["job.started", "job.interrupted", "job.resumed", "job.completed"])
    })
  )

  it.scopedLive(
    `has one winner of ${starters} concurrent starts, ${rounds} times, which all others name`,
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => ({}))
        const times: Array<number> = []
        for (let round = 1; round <= rounds; round++) {
          const begun = yield* Clock.currentTimeMillis
          const all = yield* Effect.all(
            Array.from({ length: starters }, () => Daemon.up(world)),
            { concurrency: "unbounded" }
          )
          times.push((yield* Clock.currentTimeMillis) - begun)
          const [{ pid } = { pid: 0 }] = all
          expect(all.filter(({ started }) => started)).toHaveLength(1)
          expect(all.map(({ pid }) => pid)).toEqual(all.map(() => pid))
          expect(Charlotte.processes(world).map((line) => line.split(" ")[0])).toEqual([String(pid)])
          expect(readdirSync(`${world.home}/logs`).sort()).toEqual(["daemon.err", "daemon.log"])
          const late = yield* Charlotte.run(world, "exec charlotte daemon start --foreground")
          expect([late.code, late.out]).toEqual([75, ""])
          expect(late.err).toContain(`is in use by charlotte daemon (pid ${pid}, version `)
          // The next ones find what a crash leaves, and what an end does.
          if (round % 2 === 1) {
            yield* Daemon.kill(pid, "SIGKILL")
            yield* Daemon.gone(pid)
          } else yield* Daemon.down(world)
        }
        figures(
          `${rounds} × ${starters} simultaneous starts: one winner each time; until all had answered it took ` +
            `${Math.min(...times)} to ${Math.max(...times)} ms`
        )
      }),
    isLong ? 3_600_000 : 60_000
  )

  it.scopedLive("creates private files whatever the umask is, and passes the user's umask on to agents", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world((root) => ({
        ...Tasks.simple,
        "a/01-one.md": task(1, "echo one > one; mkdir d; echo > d/f", `cp one '${root}/by-gate'`),
        "b/01-three.md": task(1, "echo three > three; git gc --quiet", "true")
      }))
      yield* Daemon.up(world, { script: "umask 000; exec charlotte daemon start --listen 127.0.0.1:0" })
      const id = yield* Daemon.submit(world)
      expect((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).code).toBe(0)
      expect(mode(world.home)).toBe(0o700)
      const modes = modesIn(world.home)
      expect(modes.map(([path]) => path)).toEqual(
        expect.arrayContaining(
          [
            "charlotte.db",
            "socket",
            "token",
            "lock.json",
            "logs/daemon.log",
            `logs/${id}/a/01-attempt-1.1.gate.log`
          ].map((name) => `${world.home}/${name}`)
        )
      )
      for (const [path, mode] of modes)
        expect([path, mode]).toEqual([path, statSync(path).isDirectory() ? 0o700 : 0o600])
      expect(
        ["by-gate", "repository/one", "repository/d", "repository/d/f"].map((name) => mode(`${world.root}/${name}`))
      ).toEqual([0o666, 0o666, 0o777, 0o666])
      yield* Daemon.down(world)
    })
  )

  it.scopedLive("in the foreground logs plain lines and exits with 0 on Ctrl-C", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      const running = yield* Charlotte.start(world, "exec charlotte daemon start --foreground")
      yield* running.says(/charlotte daemon is ready/)
      const id = yield* Daemon.submit(world)
      yield* running.says(new RegExp(`INFO {2}job\\.completed .*jobId=${id}`))
      yield* running.kill("SIGINT")
      const { code, err } = yield* running.ended
      expect(code).toBe(0)
      expect(err).toMatch(/ INFO {2}shutting down: received a signal\n.* INFO {2}stopped\n$/)
      expect(err.split("\n")).toHaveLength(Daemon.log(world).length + 1)
      expect(err).not.toContain("\x1b")
    })
  )
})
