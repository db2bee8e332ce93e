import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Option, Schema } from "effect"
import * as Commands from "../../../src/cli/parser/commands.js"
import * as parameters from "../../../src/cli/commands/parameters.js"
import * as ExitCode from "../../../src/cli/errors/ExitCode.js"
import { Output, OutputClosed } from "../../../src/cli/terminal/Output.js"
import * as CommandTree from "../../../src/cli/parser/CommandTree.js"
import * as errors from "../../../src/domain/errors.js"
import { InvalidPlan, Diagnostic } from "../../../src/yaml/Diagnostic.js"
import * as Capture from "../Capture.js"

const charlotte = await Commands.load([])

const { agent, concurrency, dryRun, json, labels, noLand, repo, target, tasksDir } = parameters
const all = { tasksDir, repo, target, agent, concurrency, noLand, dryRun, labels, json }

/** A command that ends as it is told, and one that shows what it was given. */
const program = (effect: Effect.Effect<void, unknown> = Effect.void, seen: (given: unknown) => void = () => {}) =>
  CommandTree.group("charlotte", "Does it.", [
    CommandTree.leaf(Command.make("end", { json, rest: Args.repeated(Args.text({ name: "rest" })) }, () => effect)),
    CommandTree.leaf(
      Command.make("run", all, (given) => Effect.sync(() => seen(given))).pipe(
        Command.withDescription(parameters.about("Works through tasks.", "charlotte run tasks"))
      )
    )
  ])

const end = (effect: Effect.Effect<void, unknown>, ...more: ReadonlyArray<string>) =>
  Capture.run(program(effect), ["end", ...more])

const given = (...argv: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const seen: Array<unknown> = []
    const { code, err } = yield* Capture.run(
      program(Effect.void, (given) => seen.push(given)),
      ["run", ...argv]
    )
    return seen[0] ?? `${code} ${err}`
  })

describe("a command that ends", () => {
  it.effect("answers 0 when it is done", () =>
    Effect.map(end(Effect.void), (answer) => expect(answer).toEqual({ code: 0, out: "", err: "" }))
  )

  it.effect("answers with the code that it asks for, when it has said all itself", () =>
    Effect.map(end(new ExitCode.Quit({ code: 130 })), (answer) =>
      expect(answer).toEqual({ code: 130, out: "", err: "" })
    )
  )

  it.effect("says what went wrong once, on the standard error, with the code for it", () =>
    Effect.gen(function* () {
      const table: ReadonlyArray<readonly [error: { readonly message: string }, code: number]> = [
        [new errors.MaxJobsReached({ maxJobs: 2 }), 75],
        [new errors.JobConflict({ jobId: "01A", key: "/repo" }), 75],
        [new errors.AlreadyManaged({ kind: "tasks", pid: 7 }), 75],
        [new errors.ShuttingDown(), 75],
        [new errors.StoreError({ operation: "open", reason: "busy", cause: new Error("locked") }), 75],
        [new errors.StoreError({ operation: "open", reason: "full", cause: new Error("full") }), 1],
        [new errors.StopTimedOut({ jobId: "01A", elapsed: Duration.seconds(1) }), 1],
        [new errors.JobNotFound({ jobId: "01A" }), 2],
        [new errors.NotResumable({ jobId: "01A", status: "failed" }), 2],
        [new Error("something else"), 1]
      ]
      for (const [error, code] of table) {
        const answer = yield* end(Effect.fail(error))
        expect(answer).toMatchObject({ code, out: "" })
        expect(answer.err).toMatch(/^charlotte: [^\n]+\n$/)
        expect(answer.err).toContain(error.message)
      }
    })
  )

  it.effect("lists the problems of a plan as compilers do", () => {
    const invalid = InvalidPlan.of([
      new Diagnostic({ file: "tasks/b.md", message: "is not there" }),
      new Diagnostic({ file: "tasks/a.md", line: 3, message: "is \x1b[31mwrong\x1b[0m" })
    ])
    return Effect.map(end(invalid), (answer) =>
      expect(answer).toEqual({ code: 2, out: "", err: "tasks/a.md:3: is wrong\ntasks/b.md: is not there\n" })
    )
  })

  it.effect("says of a job that was refused everything that is in the way", () => {
    const invalid = new errors.InvalidJobConfig({
      issues: [
        { path: ["tasksDir"], message: "tasks/a.md:3: is wrong" },
        { path: ["targetBranch"], message: "there is no branch x" }
      ]
    })
    return Effect.map(end(invalid), (answer) =>
      expect(answer).toEqual({
        code: 2,
        out: "",
        err: "tasks/a.md:3: is wrong\ncharlotte: targetBranch: there is no branch x\n"
      })
    )
  })

  it.effect("says nothing when nobody reads any more", () =>
    Effect.gen(function* () {
      expect(yield* end(new OutputClosed())).toEqual({ code: 141, out: "", err: "" })
      const write = Effect.flatMap(Output, ({ write }) => write("x"))
      const program = CommandTree.leaf(Command.make("charlotte", {}, () => write))
      expect(yield* Capture.run(program, [], { isClosed: true })).toEqual({ code: 141, out: "", err: "" })
    })
  )

  it.effect("takes what a terminal would obey out of an error", () =>
    Effect.map(end(new errors.JobNotFound({ jobId: "a \x1b]0;title\x07\x1b[2Jb\n\x9b31mc\u202e" })), ({ err }) =>
      expect(err).toBe("charlotte: job a b\nc not found; see the jobs with: charlotte jobs\n")
    )
  )

  it.effect("answers 130 when it is interrupted", () =>
    Effect.map(end(Effect.interrupt), ({ code, err }) => expect([code, err]).toEqual([130, ""]))
  )

  it.effect("answers 70 for a bug, and keeps the details for whoever asks for them", () =>
    Effect.gen(function* () {
      const bug = Effect.die(new TypeError("x is not a function"))
      expect(yield* end(bug)).toEqual({
        code: 70,
        out: "",
        err: "charlotte: this should not have happened: x is not a function; for the details run it again with: --log-level debug\n"
      })
      const { code, err } = yield* end(bug, "--log-level", "debug")
      expect(code).toBe(70)
      expect(err).toMatch(/^charlotte: this should not have happened: x is not a function\nTypeError: .*\n {4}at /)
      expect(JSON.parse((yield* end(bug, "--json")).err)).toEqual({
        _tag: "Defect",
        message: "this should not have happened: x is not a function"
      })
    })
  )
})

describe("an error for programs", () => {
  const errorOf = (error: unknown, ...argv: ReadonlyArray<string>) =>
    Effect.map(end(Effect.fail(error), "--json", ...argv), ({ code, err, out }) => {
      expect(out).toBe("")
      expect(err.endsWith("}\n") && err.indexOf("\n") === err.length - 1).toBe(true)
      return { code, error: Schema.decodeSync(Schema.parseJson())(err) }
    })

  it.effect("is one object, encoded as its schema says", () =>
    Effect.gen(function* () {
      expect(yield* errorOf(new errors.StopTimedOut({ jobId: "01A", elapsed: Duration.millis(1500) }))).toEqual({
        code: 1,
        error: {
          _tag: "StopTimedOut",
          message: "job 01A is still running 1s 500ms after the stop request",
          jobId: "01A",
          elapsed: 1500
        }
      })
      expect(
        yield* errorOf(InvalidPlan.of([new Diagnostic({ file: "a", line: 1, message: "is wrong" })]))
      ).toMatchObject({
        code: 2,
        error: { _tag: "InvalidPlan", problems: [{ file: "a", line: 1, message: "is wrong" }] }
      })
      expect(yield* errorOf(new Error("plain"))).toMatchObject({
        code: 1,
        error: { _tag: "Failure", message: "plain" }
      })
      expect(yield* errorOf("text")).toMatchObject({ code: 1, error: { _tag: "Failure", message: "text" } })
    })
  )

  it.effect("is one object for a command line that makes no sense, too", () =>
    Effect.gen(function* () {
      const { code, err } = yield* Capture.run(program(), ["run", "--json"])
      expect(code).toBe(2)
      expect(JSON.parse(err)).toEqual({
        _tag: "UsageError",
        message: "<tasksDir> is missing; see: charlotte run --help",
        problem: "<tasksDir> is missing",
        help: "charlotte run --help"
      })
    })
  )
})

describe("the options of run", () => {
  it.effect("are all read, in any order", () =>
    Effect.gen(function* () {
      const words = "--repo ../r tasks --target main --agent claude --concurrency 2 --no-land --dry-run --json"
      expect(yield* given(...words.split(" "), "--label", "team=web", "--label", "why=a=b c")).toEqual({
        tasksDir: "tasks",
        repo: Option.some("../r"),
        target: Option.some("main"),
        agent: Option.some("claude"),
        concurrency: Option.some(2),
        noLand: true,
        dryRun: true,
        json: true,
        labels: { team: "web", why: "a=b c" }
      })
      expect(yield* given("tasks")).toEqual({
        tasksDir: "tasks",
        repo: Option.none(),
        target: Option.none(),
        agent: Option.none(),
        concurrency: Option.none(),
        noLand: false,
        dryRun: false,
        json: false,
        labels: {}
      })
    })
  )

  it.effect("are refused in one line where a value is wrong", () =>
    Effect.gen(function* () {
      for (const wrong of ["0", "x", "1.5", "-1", "9999999"]) {
        expect(yield* given("tasks", "--concurrency", wrong)).toBe(
          `2 charlotte: --concurrency must be a whole number, 1 or more, and not "${wrong}"; see: charlotte run --help\n`
        )
      }
      for (const wrong of ["team", "=web", "team="]) {
        expect(yield* given("tasks", "--label", wrong)).toBe(
          `2 charlotte: --label must be KEY=VALUE, such as team=web, and not "${wrong}"; see: charlotte run --help\n`
        )
      }
    })
  )
})

describe("help", () => {
  it.effect("of all names every command, and what each has", () =>
    Effect.map(Capture.run(program(), ["--help"]), (answer) =>
      expect(answer).toEqual({
        code: 0,
        err: "",
        out: `Does it.

Usage
  charlotte COMMAND

Commands
  end [<rest>...]
  run <tasksDir>   Works through tasks.

Every command has
  --help, -h           Shows this help, of any command.
  --version            Shows the version.
  --log-level LEVEL    Shows what happens inside, on the standard error: debug,
                       info, warning or error.
  --completions SHELL  Writes a script that completes commands in bash, zsh or
                       fish.

More of each: charlotte COMMAND --help
`
      })
    )
  )

  it.effect("of a command names its arguments and options, with an example", () =>
    Effect.map(Capture.run(charlotte, ["run", "--help"], { columns: 200 }), ({ out }) =>
      expect(out).toBe(`Works through a directory of tasks, and shows how. Ctrl-C leaves the job interrupted; twice, it
forces the end. Where a daemon is up the job is the daemon's, and goes on after Ctrl-C.

Usage
  charlotte run [options] <tasksDir>

Arguments
  <tasksDir>  The directory of tasks, relative to the current directory, or to that of --repo.

Options
  --repo DIR            A directory in the git repository to work in; else the current directory.
  --target BRANCH       The branch that the result lands on; else the one that is checked out.
  --agent NAME          The agent that works on the tasks; else the one that charlotte.yaml names.
  --concurrency N       How many units are worked on at the same time; else 4.
  --no-land             Leaves the result on its own branch, and the target as it is.
  --dry-run             Looks at everything, and touches nothing.
  --label KEY=VALUE...  A label to find the job by; can be repeated.
  --json                Writes JSON, for programs; errors too, on the standard error.

Example: charlotte run tasks --target main --agent claude --concurrency 2 --label team=web
`)
    )
  )

  it.effect("and the version are plain unless there are colours", () =>
    Effect.gen(function* () {
      for (const argv of [["--help"], ["run", "--help"], ["--version"]]) {
        expect((yield* Capture.run(program(), argv, { isTerminal: true })).out).not.toContain("\x1b")
      }
      expect((yield* Capture.run(program(), ["--version"])).out).toBe("1.2.3\n")
      expect((yield* Capture.run(program(), ["--help"], { isTerminal: true, colours: true })).out).toContain(
        "\x1b[1mUsage\x1b[0m"
      )
    })
  )

  it.effect("fits a narrow terminal", () =>
    Effect.map(Capture.run(charlotte, ["run", "--help"], { columns: 40 }), ({ out }) =>
      expect(out.split("\n").filter((line) => line.length > 40)).toEqual([])
    )
  )
})

describe("completions", () => {
  it.effect("are there for three shells, of our own options alone", () =>
    Effect.gen(function* () {
      for (const shell of ["bash", "zsh", "fish"]) {
        const { code, out } = yield* Capture.run(program(), ["--completions", shell])
        expect(code).toBe(0)
        expect(out).toContain("concurrency")
        expect(out).not.toContain("wizard")
        expect(out).not.toContain("\x1b")
      }
    })
  )
})

describe("what happens inside", () => {
  const noisy = Effect.zipRight(Effect.logWarning("careful"), Effect.logDebug("details"))

  it.effect("is not shown", () => Effect.map(end(noisy), ({ err }) => expect(err).toBe("")))

  it.effect("is shown on the standard error when it is asked for, as much as is", () =>
    Effect.gen(function* () {
      const { err, out } = yield* end(noisy, "--log-level", "warning")
      expect(out).toBe("")
      expect(err).toMatch(/^timestamp=.* level=WARN .*message=careful\n$/)
      expect((yield* end(noisy, "--log-level=debug")).err).toMatch(/message=careful\n.*message=details\n$/)
    })
  )
})
