import { describe, expect, it } from "@effect/vitest"
import { type JobId, RunStore, Work } from "charlotte"
import * as Http from "charlotte/http"
import { Step } from "charlotte/testing"
import { Context, Effect, Fiber, Stream } from "effect"
import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { execFileSync } from "node:child_process"
import * as OutputFile from "../../../src/process/OutputFile.js"
import { config, unknownId } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as World from "../world.js"

const text = <E>(log: Stream.Stream<Uint8Array, E>) => Stream.mkString(Stream.decodeText(log))

const unit = "api"
const task = new Work.TaskRecord({
  unit,
  task: 1,
  position: 0,
  title: "Do it",
  state: "running",
  failures: 0,
  calls: 1,
  notes: []
})

/** A world with a directory of logs, and a job that has recorded a unit with one task. */
const make = Effect.gen(function* () {
  const logs = yield* TemporaryDirectory.make
  const world = yield* World.make({ logs })
  const { work } = Context.get(world.services, RunStore.RunStore)
  const id = yield* world.bySocket.start(config)
  const { send } = World.script(world)
  const units = [new Work.UnitRecord({ unit, position: 0, dependsOn: [], state: "running" })]
  yield* Effect.orDie(work.plan({ jobId: id, attempt: 1, work: new Work.Work({ units, tasks: [task] }) }))
  const directory = `${logs}/${id}`
  mkdirSync(directory)

  /** The job tells of a file. */
  const tell = (type: string, log: string | { readonly file: string }, of: number = task.task) =>
    Effect.gen(function* () {
      const before = yield* world.bySocket.events(id).pipe(Stream.take(1), Stream.runCount)
      yield* send(id, Step.emit({ type, unit, task: of, payload: { log, before } }), Step.flush)
      yield* world.bySocket.events(id).pipe(
        Stream.takeUntil((event) => event.type === type),
        Stream.runDrain
      )
    })
  const change = (state: Work.TaskState) =>
    Effect.orDie(work.task({ jobId: id, attempt: 1, task: new Work.TaskRecord({ ...task, state, commit: "a" }) }))
  const clients = [world.bySocket, world.byPort]
  return { ...world, logs, directory, id, tell, change, clients, client: world.bySocket }
})

describe("GET /jobs/:id/logs", () => {
  it.scopedLive("returns the requested range of the latest log of a task", () =>
    Effect.gen(function* () {
      const { clients, directory, id, tell } = yield* make
      writeFileSync(`${directory}/agent.log`, "0123456789")
      writeFileSync(`${directory}/gate.log`, "gate")
      writeFileSync(`${directory}/other.log`, "other")
      yield* tell("task.agent.started", `${directory}/agent.log`)
      yield* tell("other", `${directory}/other.log`, 2)
      const query = { unit, task: 1 }
      for (const client of clients) {
        expect(yield* text(client.log(id, query))).toBe("0123456789")
        expect(yield* text(client.log(id, { ...query, from: 3 }))).toBe("3456789")
        expect(yield* text(client.log(id, { ...query, from: 3, to: 5 }))).toBe("34")
        expect(yield* text(client.log(id, { ...query, from: 5, to: 5 }))).toBe("")
        expect(yield* text(client.log(id, { ...query, from: 100 }))).toBe("")
      }
      yield* tell("task.gate.failed", { file: `${directory}/gate.log` })
      for (const client of clients) {
        expect(yield* text(client.log(id, query))).toBe("gate")
        expect(yield* text(client.log(id, { file: `${directory}/agent.log`, from: 8 }))).toBe("89")
      }
    })
  )

  it.scopedLive("returns a large log completely", () =>
    Effect.gen(function* () {
      const { client, directory, id } = yield* make
      const content = Array.from({ length: 100_000 }, (_, n) => `line ${n}\n`).join("")
      writeFileSync(`${directory}/large.log`, content)
      expect(yield* text(client.log(id, { file: `${directory}/large.log` }))).toBe(content)
    })
  )

  it.scopedLive("follows a growing log until its task has ended", () =>
    Effect.gen(function* () {
      const { change, client, directory, id, tell } = yield* make
      const file = `${directory}/agent.log`
      writeFileSync(file, "one\n")
      yield* tell("task.agent.started", file)
      let seen = ""
      const following = yield* Effect.fork(
        Stream.runForEach(Stream.decodeText(client.log(id, { unit, task: 1, follow: true })), (piece) =>
          Effect.sync(() => (seen += piece))
        )
      )
      const until = (text: string) => Effect.repeat(Effect.sleep(5), { until: () => seen === text })
      yield* until("one\n")
      appendFileSync(file, "two\n")
      yield* until("one\ntwo\n")
      appendFileSync(file, "three\n")
      yield* change("completed")
      yield* Fiber.join(following)
      expect(seen).toBe("one\ntwo\nthree\n")
    })
  )

  /** Of 1000 bytes, the head holds 500, and each of two files behind it 186. */
  const capped = (file: string) =>
    Effect.map(
      Effect.promise(() => OutputFile.make(file, 1000)),
      (output) => ({
        append: (text: string) => Effect.promise(() => output.append(Buffer.from(text))),
        finish: Effect.promise(() => output.finish({ tail: 0 }))
      })
    )

  const letters = (length: number) =>
    Array.from({ length }, (_, n) => String.fromCharCode(97 + ((n * 7) % 26))).join("")

  it.scopedLive("follows a log beyond what its file holds, without a gap", () =>
    Effect.gen(function* () {
      const { change, client, directory, id, tell } = yield* make
      const file = `${directory}/agent.log`
      const output = yield* capped(file)
      const all = letters(1_450)
      yield* output.append(all.slice(0, 400))
      yield* tell("task.agent.started", file)
      let seen = ""
      const following = yield* Effect.fork(
        Stream.runForEach(Stream.decodeText(client.log(id, { unit, task: 1, follow: true })), (piece) =>
          Effect.sync(() => (seen += piece))
        )
      )
      for (let at = 400; at < all.length; at += 150) {
        yield* Effect.repeat(Effect.sleep(5), { until: () => seen.length >= at })
        yield* output.append(all.slice(at, at + 150))
      }
      yield* Effect.repeat(Effect.sleep(5), { until: () => seen.length >= all.length })
      yield* output.finish
      yield* change("completed")
      yield* Fiber.join(following)
      expect(seen).toBe(all)
    })
  )

  it.scopedLive(
    "returns what there is of a log that goes on beyond what its file holds, and how much was left out",
    () =>
      Effect.gen(function* () {
        const { client, directory, id } = yield* make
        const file = `${directory}/agent.log`
        const output = yield* capped(file)
        const all = letters(3_000)
        yield* output.append(all)
        const running = yield* text(client.log(id, { file }))
        expect(running).toMatch(/^[a-z]{500}\n\[charlotte: \d+ bytes of output are left out here\]\n[a-z]{187,372}$/)
        expect(running.startsWith(all.slice(0, 500))).toBe(true)
        expect(all.endsWith(running.split("\n").at(-1) ?? "?")).toBe(true)
        expect(yield* text(client.log(id, { file, from: 490, to: 500 }))).toBe(all.slice(490, 500))
        expect(yield* text(client.log(id, { file, from: 2_990 }))).toBe(all.slice(2_990))
        yield* output.finish
        expect(yield* text(client.log(id, { file }))).toBe(running)
      })
  )

  it.scopedLive("stops following when the job ends or the server shuts down", () =>
    Effect.gen(function* () {
      const { client, directory, id } = yield* make
      writeFileSync(`${directory}/agent.log`, "one\n")
      const following = yield* Effect.fork(text(client.log(id, { file: `${directory}/agent.log`, follow: true })))
      yield* client.stop(id)
      expect(yield* Fiber.join(following)).toBe("one\n")
    })
  )

  it.scopedLive("refuses everything but regular files below the log directory", () =>
    Effect.gen(function* () {
      const { client, directory, id, logs, send, tell } = yield* make
      const outside = yield* TemporaryDirectory.make
      writeFileSync(`${outside}/secret`, "secret")
      symlinkSync(`${outside}/secret`, `${directory}/link.log`)
      symlinkSync(outside, `${directory}/out`)
      execFileSync("mkfifo", [`${directory}/fifo.log`])
      // A directory whose name only begins alike.
      const beside = `${logs}-beside`
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          mkdirSync(beside)
          writeFileSync(`${beside}/secret`, "secret")
        }),
        () => Effect.sync(() => rmSync(beside, { recursive: true }))
      )
      const names = [
        `${outside}/secret`,
        `${directory}/link.log`,
        `${directory}/out/secret`,
        `${directory}/fifo.log`,
        `${beside}/secret`,
        `../${beside.split("/").at(-1)}/secret`,
        "../../etc/passwd",
        "/etc/passwd",
        "/proc/self/environ",
        directory,
        logs,
        "..",
        ".",
        "",
        "missing.log",
        "a\0b"
      ]
      for (const file of names) {
        const answer = yield* send({ path: `/api/v1/jobs/${id}/logs?${new URLSearchParams({ file }).toString()}` })
        expect({ file, status: answer.status, json: answer.json }).toMatchObject({
          file,
          status: 404,
          json: { _tag: "LogNotFound" }
        })
        expect(answer.text).not.toContain("secret\n")
      }
      // What an event names is looked at in the same way.
      yield* tell("task.agent.started", `${outside}/secret`)
      const error = yield* Effect.flip(text(client.log(id, { unit, task: 1 })))
      expect(error).toEqual(new Http.errors.LogNotFound({ jobId: id, log: "task 1 of unit api" }))
    })
  )

  it.scopedLive("fails without a log directory, job or task, and for an invalid query", () =>
    Effect.gen(function* () {
      const { client, id, send } = yield* make
      const asked = (id: JobId.JobId, query: string) =>
        Effect.map(send({ path: `/api/v1/jobs/${id}/logs?${query}` }), ({ json, status }) => ({ json, status }))
      expect(yield* asked(unknownId, "unit=api&task=1")).toMatchObject({ status: 404, json: { _tag: "JobNotFound" } })
      expect(yield* asked(id, "unit=api&task=9")).toMatchObject({ status: 404, json: { _tag: "LogNotFound" } })
      expect(yield* asked(id, "unit=api")).toMatchObject({
        status: 400,
        json: { _tag: "InvalidQuery", parameter: "unit" }
      })
      expect(yield* asked(id, "file=x&from=5&to=4")).toMatchObject({
        status: 400,
        json: { _tag: "InvalidQuery", parameter: "to" }
      })
      expect(yield* asked(id, "file=x&from=-1")).toMatchObject({ status: 400, json: { _tag: "HttpApiDecodeError" } })
      expect(yield* asked(id, "file=x&follow=yes")).toMatchObject({ status: 400, json: { _tag: "HttpApiDecodeError" } })
      expect(yield* Effect.flip(text(client.log(unknownId, { file: "x" })))).toMatchObject({ _tag: "JobNotFound" })

      const bare = yield* World.make()
      const other = yield* bare.bySocket.start(config)
      const error = yield* Effect.flip(text(bare.bySocket.log(other, { file: "package.json" })))
      expect(error).toBeInstanceOf(Http.errors.LogNotFound)
    })
  )
})
