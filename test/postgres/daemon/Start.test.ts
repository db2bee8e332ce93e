/**
 * `charlotte daemon start --database`: a daemon whose jobs are in PostgreSQL, as the command is installed.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import * as Charlotte from "../../cli/process/Charlotte.js"
import * as Daemon from "../../cli/process/Daemon.js"
import * as Tasks from "../../cli/process/Tasks.js"
import { command, configured, jobs, world as makeWorld } from "./daemon.js"

const simple = () => Tasks.simple

const commandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")

describe("charlotte daemon start --database", () => {
  it.scopedLive(
    "works through tasks with its records in PostgreSQL, and commands read them there with and without it",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld(simple)
        yield* Daemon.up(world, { script: `exec charlotte daemon start --database ${world.url}` })
        const ran = yield* command(world, "run tasks")
        expect([ran.code, ran.err]).toEqual([0, ""])
        expect(yield* Tasks.done(world)).toEqual(Tasks.all)
        const listed = yield* jobs(world)
        expect(listed).toMatchObject([{ status: "completed", attempt: 1 }])
        expect(existsSync(`${world.home}/charlotte.db`)).toBe(false)
        for (const words of ["daemon start", "daemon status"]) {
          expect((yield* command(world, words)).out).toContain(`  database ${world.url}\n  on ${world.home}/socket\n`)
        }

        yield* Daemon.down(world)
        expect(yield* jobs(world)).toEqual(listed)
        expect(yield* command(world, "daemon status")).toEqual({
          code: 69,
          signal: null,
          out: `no daemon is running, and the jobs are in ${world.url}; start it with: charlotte daemon start\n`,
          err: ""
        })
        const doctor = yield* command(world, "doctor --audit")
        expect([doctor.code, doctor.err]).toEqual([0, ""])
        expect(doctor.out).toContain(`database       ${world.url}, version`)
        expect(doctor.out).toMatch(/audit {10}1 job and \d+ events are consistent/)
        expect((yield* command(world, "show latest")).out).toMatch(/^✓ completed /)
        expect((yield* command(world, "logs latest --unit a --task 1")).code).toBe(0)
        // No command goes back to the file of the home by itself.
        yield* Daemon.up(world)
        expect(yield* jobs(world)).toEqual(listed)
        yield* Daemon.down(world)
        yield* Daemon.up(world, { script: "exec charlotte daemon start --database sqlite" })
        expect(yield* jobs(world)).toEqual([])
        yield* Daemon.down(world)
        expect(yield* jobs(world)).toEqual([])
      })
  )

  it.scopedLive("may be left to a variable or the configuration, and needs no daemon", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      const ran = yield* command(configured(world), "run tasks")
      expect([ran.code, ran.err]).toEqual([0, ""])
      expect(yield* jobs(world)).toMatchObject([{ status: "completed" }])
      yield* world.write(`${world.home}/config.yaml`, `database: ${world.url}\n`)
      yield* Daemon.up(world)
      expect(yield* jobs(world)).toMatchObject([{ status: "completed" }])
      yield* Daemon.down(world)
    })
  )

  it.scopedLive("refuses a password there, and shows one of the environment nowhere", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(() => ({
        ...Tasks.simple,
        "a/01-one.md": Tasks.simple["a/01-one.md"].replace("echo one > one", "env; echo one > one")
      }))
      const secret = "pass%2Dword-1"
      const withPassword = world.url.replace("postgres@", `postgres:${secret}@`)
      for (const url of [withPassword, `${world.url}?password=${secret}`]) {
        const refused = yield* command(world, `daemon start --database '${url}'`)
        expect(refused).toMatchObject({
          code: 2,
          out: "",
          err:
            "charlotte: every user of this machine can read the password in --database; omit it there, and set " +
            "PGPASSWORD, or PGPASSFILE to a file with the line HOST:PORT:DATABASE:USER:PASSWORD\n"
        })
      }
      expect(existsSync(world.home)).toBe(false)

      const variables = { CHARLOTTE_DATABASE: withPassword, PGPASSWORD: "another-pass-word" }
      const { pid } = yield* Daemon.up(world, { variables })
      const ran = yield* command(world, "run tasks", variables)
      expect([ran.code, ran.err]).toEqual([0, ""])
      const doctor = yield* command(world, "doctor --audit", variables)
      expect([doctor.code, doctor.err]).toEqual([0, ""])
      const said = [
        commandLine(pid).join(" "),
        readFileSync(`${world.home}/logs/daemon.log`, "utf8"),
        readFileSync(`${world.home}/database.json`, "utf8"),
        readFileSync(`${world.home}/lock.json`, "utf8"),
        doctor.out,
        (yield* command(world, "daemon status --json")).out,
        (yield* command(world, "logs latest --unit a --task 1")).out,
        (yield* command(world, "export latest")).out
      ].join("\n")
      expect(said).toContain(world.url)
      expect(said).toContain("RUN_BY_CHARLOTTE=")
      expect(said).not.toMatch(/pass(%2D|-)word/)
      yield* Daemon.down(world)
    })
  )

  it.scopedLive("does not take another database while a daemon runs", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      yield* Daemon.up(world)
      const refused = yield* command(world, `daemon start --database ${world.url}`)
      expect(refused.code).toBe(1)
      expect(refused.err).toMatch(
        new RegExp(
          `^charlotte: charlotte daemon \\(.*\\) since \\S+ works on sqlite; restart it with: charlotte daemon restart --database ${world.url}\n$`
        )
      )
      const restarted = yield* command(world, `daemon restart --database ${world.url} --json`)
      expect([restarted.code, restarted.err]).toEqual([0, ""])
      expect(JSON.parse(restarted.out)).toMatchObject({ daemon: { database: world.url, started: true } })
      expect((yield* command(world, "daemon restart --json")).out).toContain(`"database":"${world.url}"`)
      yield* Daemon.down(world)
    })
  )

  it.scopedLive("continues a job after kill -9, as its next attempt", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(Tasks.waiting())
      const script = `exec charlotte daemon start --database ${world.url}`
      const first = yield* Daemon.up(world, { script })
      const id = yield* Daemon.submit(world)
      yield* Tasks.reached(world)
      yield* Daemon.kill(first.pid, "SIGKILL")
      yield* Daemon.gone(first.pid)
      expect(yield* jobs(world)).toMatchObject([{ id, status: "interrupted" }])
      yield* Tasks.release(world)
      yield* Daemon.up(world)
      const watched = yield* command(world, `watch ${id}`)
      expect([watched.code, watched.err]).toEqual([0, ""])
      expect(yield* jobs(world)).toMatchObject([{ id, status: "completed", attempt: 2 }])
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
      const audit = yield* command(world, "doctor --audit")
      expect([audit.code, audit.err]).toEqual([0, ""])
      yield* Daemon.down(world)
      expect(Charlotte.processes(world)).toEqual([])
    })
  )
})
