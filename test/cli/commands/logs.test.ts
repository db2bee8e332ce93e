import { expect, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { readFileSync } from "node:fs"
import { unknownId } from "../../support/jobs.js"
import { forbidden } from "../hostile.js"
import { Here, layer as daemon, tasks } from "./Here.js"

const Piece = Schema.parseJson(
  Schema.Struct({
    unit: Schema.String,
    task: Schema.Int,
    attempt: Schema.String,
    what: Schema.String,
    file: Schema.String,
    text: Schema.String
  })
)

/** As `tasks` prints it. */
const printed = (word: string) => `\x1b[2J\x1b]0;title\x07\x1b[31mred\x1b[0m ${word}\n`

layer(daemon(tasks), { excludeTestServices: true, timeout: "5 minutes" })("charlotte logs", (it) => {
  it.scoped("prints output unchanged to a pipe, and without control sequences to a terminal", () =>
    Effect.gen(function* () {
      const { complete, onTerminal, run } = yield* Here
      yield* complete("good")
      expect(yield* run("logs", "latest")).toEqual({
        code: 0,
        out: `==> a 1, agent, attempt 1 <==\n${printed("agent")}\n==> a 1, gate, attempt 1 <==\n${printed("gate")}one\n`,
        err: ""
      })
      const terminal = yield* onTerminal(80, "logs", "latest")
      expect(terminal.out).toBe(
        "==> a 1, agent, attempt 1 <==\nred agent\n\n==> a 1, gate, attempt 1 <==\nred gate\none\n"
      )
      expect(terminal.out).not.toMatch(forbidden)
    })
  )

  it.scoped("filters by unit, task, agents or gates", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const agent = { code: 0, out: printed("agent"), err: "" }
      const gate = { code: 0, out: `${printed("gate")}one\n`, err: "" }
      expect(yield* run("logs", "latest", "--agent")).toEqual(agent)
      expect(yield* run("logs", "latest", "--gate")).toEqual(gate)
      expect(yield* run("logs", "latest", "--unit", "a", "--task", "1", "--gate")).toEqual(gate)
      expect((yield* run("logs", "latest", "--agent", "--gate")).out).toContain("==> a 1, gate")
    })
  )

  it.scoped("prints each piece with its source as a line of JSON with --json", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const { code, err, out } = yield* run("logs", "latest", "--json")
      expect([code, err]).toEqual([0, ""])
      const pieces = out
        .trimEnd()
        .split("\n")
        .map((line) => Schema.decodeSync(Piece)(line))
      expect(pieces.map(({ file: _, ...piece }) => piece)).toEqual([
        { unit: "a", task: 1, attempt: "1", what: "agent", text: printed("agent") },
        { unit: "a", task: 1, attempt: "1", what: "gate", text: `${printed("gate")}one\n` }
      ])
      for (const { file, text } of pieces) expect(readFileSync(file, "utf8")).toBe(text)
    })
  )

  it.scoped("follows a running job to its end, printing all output once", () =>
    Effect.gen(function* () {
      const { following, reached, release, run, submit } = yield* Here
      const id = yield* submit("waiting")
      yield* reached
      const follower = yield* following("logs", "-f", id)
      const ofTask = yield* following("logs", "--follow", id, "--unit", "a", "--task", "1", "--agent")
      // What is followed of one task ends with it, though the job goes on.
      const first = yield* ofTask.ended
      expect([first.code, first.out]).toEqual([0, `==> a 1, agent, attempt 1 <==\n${printed("first")}`])
      yield* follower.says("red\x1b[0m waits\n")
      yield* release
      const { code, err, out } = yield* follower.ended
      expect([code, err]).toEqual([0, ""])
      for (const word of ["first", "waits", "after"]) expect(out.split(printed(word))).toHaveLength(2)
      expect(out.indexOf("==> a 1, agent")).toBeLessThan(out.indexOf("==> a 2, agent"))
      // One that is over is shown, and not waited for.
      expect((yield* run("logs", "-f", id)).out).toContain("after")
    })
  )

  it.scoped("explains a missing log and usage errors", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const id = (yield* run("jobs", "--limit", "1")).out.split("\n")[1]?.slice(0, 26)
      const help = "see: charlotte logs --help\n"
      const none = (of: string) =>
        `charlotte: job ${id} has no log of ${of}; list its units and tasks with: charlotte show ${id}\n`
      const number = (text: string) =>
        `charlotte: invalid value "${text}" for --task: expected a whole number, 1 or more; ${help}`
      const table: ReadonlyArray<readonly [words: ReadonlyArray<string>, err: string]> = [
        [["latest", "--unit", "none"], none("unit none")],
        [["latest", "--unit", "../../../etc"], none("unit ../../../etc")],
        [["latest", "--unit", "a\x1b[2J"], none("unit a")],
        [["latest", "--task", "9", "--gate"], none("the gate of task 9")],
        [["latest", "--task", "-1"], number("-1")],
        [["latest", "--task", "0"], number("0")],
        [["latest", "--unit", ""], `charlotte: --unit needs a value: --unit UNIT; ${help}`],
        [[], `charlotte: missing argument <job>; ${help}`],
        [[unknownId], `charlotte: job ${unknownId} not found; list jobs with: charlotte jobs\n`]
      ]
      for (const [words, err] of table) expect(yield* run("logs", ...words)).toEqual({ code: 2, out: "", err })
      const json = yield* run("logs", "latest", "--unit", "none", "--json")
      expect([json.code, json.out, JSON.parse(json.err)]).toMatchObject([2, "", { _tag: "LogNotFound", jobId: id }])
    })
  )
})
