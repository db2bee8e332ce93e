import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Either, Option, Schema } from "effect"
import { charlotte } from "../../../src/cli/parser/commands.js"
import { json, submit } from "../../../src/cli/commands/parameters.js"
import * as ExitCode from "../../../src/cli/errors/ExitCode.js"
import { Output, OutputClosed } from "../../../src/cli/terminal/Output.js"
import * as CommandTree from "../../../src/cli/parser/CommandTree.js"
import * as Parameter from "../../../src/cli/parser/Parameter.js"
import { Problem } from "../../../src/daemon/Problem.js"
import * as errors from "../../../src/domain/errors.js"
import { DaemonNotRunning } from "../../../src/http/contract/errors.js"
import { InvalidPlan, Diagnostic } from "../../../src/yaml/Diagnostic.js"
import * as Capture from "../Capture.js"

const rest = Parameter.repeatedArgument("rest", { description: "", decode: Either.right<string> })

/** A command that ends as it is told, and one that shows what it was given. */
const program = (
  effect: Effect.Effect<void, unknown, Output> = Effect.void,
  seen: (given: unknown) => void = () => {}
): CommandTree.Group => {
  const end = CommandTree.command(
    { description: "", example: "", parameters: { json, rest } },
    async () => () => effect
  )
  const run = CommandTree.command(
    {
      description: "Run tasks. With care.",
      example: "charlotte run tasks",
      parameters: { ...submit, json }
    },
    async () => (given) => Effect.sync(() => seen(given))
  )
  return { description: "Do it.", children: { end, run } }
}

const end = (effect: Effect.Effect<void, unknown, Output>, ...more: ReadonlyArray<string>) =>
  Capture.run(program(effect), ["end", ...more])

describe("exit code and error of a command", () => {
  it.effect("are 0 and nothing for success", () =>
    Effect.map(end(Effect.void), (answer) => expect(answer).toEqual({ code: 0, out: "", err: "" }))
  )

  it.effect("are the code of an explicit exit, without output", () =>
    Effect.map(end(new ExitCode.Quit({ code: 130 })), (answer) =>
      expect(answer).toEqual({ code: 130, out: "", err: "" })
    )
  )

  it.effect("are one line on standard error, and the code for the kind of error", () =>
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
        [new DaemonNotRunning({ address: "/home/socket" }), 69],
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

  it.effect("list the problems of a plan as compilers do", () => {
    const invalid = InvalidPlan.of([
      new Diagnostic({ file: "tasks/b.md", message: "is not there" }),
      new Diagnostic({ file: "tasks/a.md", line: 3, message: "is \x1b[31mwrong\x1b[0m" })
    ])
    return Effect.map(end(invalid), (answer) =>
      expect(answer).toEqual({ code: 2, out: "", err: "tasks/a.md:3: is wrong\ntasks/b.md: is not there\n" })
    )
  })

  it.effect("list every issue of a refused config", () => {
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

  it.effect("are 141 and nothing if the output is closed", () =>
    Effect.gen(function* () {
      expect(yield* end(new OutputClosed())).toEqual({ code: 141, out: "", err: "" })
      const write = Effect.flatMap(Output, ({ write }) => write("x"))
      expect(yield* Capture.run(program(write), ["end"], { isClosed: true })).toEqual({ code: 141, out: "", err: "" })
    })
  )

  it.effect("contain no control sequences", () =>
    Effect.map(end(new errors.JobNotFound({ jobId: "a \x1b]0;title\x07\x1b[2Jb\n\x9b31mc\u202e" })), ({ err }) =>
      expect(err).toBe("charlotte: job a b\nc not found; list jobs with: charlotte jobs\n")
    )
  )

  it.effect("are 130 and nothing after an interruption", () =>
    Effect.map(end(Effect.interrupt), ({ code, err }) => expect([code, err]).toEqual([130, ""]))
  )

  it.effect("are 70 for a bug, with its stack trace only at log level debug", () =>
    Effect.gen(function* () {
      const bug = Effect.die(new TypeError("x is not a function"))
      expect(yield* end(bug)).toEqual({
        code: 70,
        out: "",
        err: "charlotte: internal error: x is not a function; for a stack trace, add --log-level debug\n"
      })
      const { code, err } = yield* end(bug, "--log-level", "debug")
      expect(code).toBe(70)
      expect(err).toMatch(/^charlotte: internal error: x is not a function\nTypeError: .*\n {4}at /)
      expect(JSON.parse((yield* end(bug, "--json")).err)).toEqual({
        _tag: "Defect",
        message: "internal error: x is not a function"
      })
    })
  )
})

describe("--json", () => {
  const errorOf = (error: unknown, ...argv: ReadonlyArray<string>) =>
    Effect.map(end(Effect.fail(error), "--json", ...argv), ({ code, err, out }) => {
      expect(out).toBe("")
      expect(err.endsWith("}\n") && err.indexOf("\n") === err.length - 1).toBe(true)
      return { code, error: Schema.decodeSync(Schema.parseJson())(err) }
    })

  it.effect("prints an error as one object, encoded by its schema", () =>
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

  it.effect("prints a problem under the name of its kind, with its details", () =>
    Effect.gen(function* () {
      const problem = { name: "StillUp", problem: "it is up", hint: "wait", exitCode: 1, details: { log: "/log" } }
      expect(yield* errorOf(new Problem(problem))).toEqual({
        code: 1,
        error: { _tag: "StillUp", message: "it is up; wait", log: "/log" }
      })
    })
  )

  it.effect("prints a usage error as one object, too", () =>
    Effect.gen(function* () {
      const { code, err } = yield* Capture.run(program(), ["run", "--json"])
      expect(code).toBe(2)
      expect(JSON.parse(err)).toEqual({
        _tag: "UsageError",
        message: "missing argument <tasksDir>; see: charlotte run --help",
        problem: "missing argument <tasksDir>",
        hint: "see: charlotte run --help"
      })
    })
  )
})

const given = (...argv: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const seen: Array<unknown> = []
    const { code, err } = yield* Capture.run(
      program(Effect.void, (given) => seen.push(given)),
      ["run", ...argv]
    )
    return seen[0] ?? `${code} ${err}`
  })

describe("the options of run", () => {
  it.effect("are read in any order", () =>
    Effect.gen(function* () {
      const words =
        "--repo ../r tasks --target main --agent claude --concurrency 2 --land done --no-land --conflicts agent --dry-run --json"
      expect(yield* given(...words.split(" "), "--label", "team=web", "--label", "why=a=b c")).toEqual({
        tasksDir: "tasks",
        unit: [],
        repo: Option.some("../r"),
        target: Option.some("main"),
        agent: Option.some("claude"),
        concurrency: Option.some(2),
        land: Option.some("done"),
        noLand: true,
        conflicts: Option.some("agent"),
        dryRun: true,
        json: true,
        labels: [
          ["team", "web"],
          ["why", "a=b c"]
        ]
      })
    })
  )

  it.effect("are refused in one line that says what is expected", () =>
    Effect.gen(function* () {
      for (const wrong of ["0", "x", "1.5", "-1", "9999999"]) {
        expect(yield* given("tasks", "--concurrency", wrong)).toBe(
          `2 charlotte: invalid value "${wrong}" for --concurrency: expected a whole number, 1 or more; see: charlotte run --help\n`
        )
      }
      expect(yield* given("tasks", "--land", "all")).toBe(
        '2 charlotte: invalid value "all" for --land: expected one of auto, done, ask, pull-request, never; see: charlotte run --help\n'
      )
      for (const wrong of ["team", "=web", "team="]) {
        expect(yield* given("tasks", "--label", wrong)).toBe(
          `2 charlotte: invalid value "${wrong}" for --label: expected KEY=VALUE, such as team=web; see: charlotte run --help\n`
        )
      }
    })
  )
})

describe("help", () => {
  const ofAll = `Do it.

Usage
  charlotte COMMAND

Commands
  end [<rest>...]
  run <tasksDir>   Run tasks.

Options of every command
  --help, -h           Show help for any command.
  --version            Show the version.
  --log-level LEVEL    Log to standard error at this level: debug, info, warning
                       or error.
  --server URL         Use the daemon at https://HOST:PORT, or http on a
                       loopback address, instead of that of the home (default:
                       $CHARLOTTE_SERVER).
  --token-file FILE    The file with the token of --server, or of a port of the
                       daemon (default: $CHARLOTTE_TOKEN_FILE).
  --completions SHELL  Print a completion script for bash, zsh or fish.

For help on a command: charlotte COMMAND --help
`

  it.effect("lists every command with the first sentence of its description", () =>
    Effect.map(Capture.run(program(), ["--help"]), (answer) => expect(answer).toEqual({ code: 0, err: "", out: ofAll }))
  )

  it.effect("is what a command line without a command shows", () =>
    Effect.gen(function* () {
      expect(yield* Capture.run(program(), [])).toEqual({ code: 0, err: "", out: ofAll })
      const daemon = yield* Capture.run(charlotte, ["daemon"])
      expect(daemon).toEqual(yield* Capture.run(charlotte, ["daemon", "--help"]))
      expect(daemon.out).toContain("\n  charlotte daemon COMMAND\n")
    })
  )

  it.effect("names the arguments and options of a command, with an example", () =>
    Effect.map(Capture.run(charlotte, ["run", "--help"], { columns: 200 }), ({ out }) =>
      expect(out)
        .toBe(`Run a directory of tasks in the foreground. Shows the progress. Ctrl-C interrupts the job, which can
then be resumed; a second Ctrl-C kills what is still running. If a daemon is running, the job is
submitted there instead, so it survives Ctrl-C and closing the terminal.

Usage
  charlotte run [options] <tasksDir>

Arguments
  <tasksDir>  The task directory, relative to the current directory or to --repo.

Options
  --unit UNIT...         Work only on this unit and what it depends on, as if the others were not in
                         the plan; can be repeated.
  --repo DIR             A directory in the git repository to use (default: the current directory).
  --target BRANCH        The branch that receives the result (default: the one that is checked out).
  --agent NAME           The agent that works on the tasks (default: the one in charlotte.yaml).
  --concurrency N        How many units to work on in parallel (default: 4).
  --land WHAT            What lands: auto, all units or nothing; done, the units that are done; ask,
                         all units once you approve; pull-request, a pull request with all units
                         instead; or never (default: as charlotte.yaml says, or auto).
  --no-land              Leave the result on its own branch and the target branch unchanged.
  --conflicts WHAT       What happens to a unit that conflicts with those merged before it: agent,
                         one turn of its agent resolves that; or fail (default: as charlotte.yaml
                         says, or fail).
  --dry-run              Show what would be done without doing it.
  --label KEY=VALUE...   A label to find jobs by; can be repeated.
  --queue                If all permits are in use, wait for one instead of failing.
  --priority N           Of the jobs that wait for a permit, higher numbers start first: -1000000 to
                         1000000 (default: 0).
  --delay DURATION       Start no earlier than so long from now, such as 30s, 10min, 2h or 3d.
  --key KEY              At most one job holds a key, from its start to its end; the branch that
                         receives the result is always one.
  --on-key ACTION        If another job holds the key: refuse (the default), attach to that job,
                         replace it (stop it, and start when it has ended), or queue behind it.
  --idempotency-key KEY  Make it safe to retry: the same key always means the same job.
  --open                 Open the page of the job in the browser.
  --json                 Print JSON, one document a line; errors too, on standard error.

Example: charlotte run tasks --target main --agent claude --concurrency 2 --label team=web
`)
    )
  )

  it.effect("and the version are plain text unless the terminal has colours", () =>
    Effect.gen(function* () {
      for (const argv of [["--help"], ["run", "--help"], ["--version"]]) {
        expect((yield* Capture.run(program(), argv, { isTerminal: true })).out).not.toContain("\x1b")
      }
      expect((yield* Capture.run(program(), ["--version"])).out).toBe("1.2.3\n")
      expect((yield* Capture.run(program(), ["--help"], { isTerminal: true, colours: true })).out).toContain(
        "\x1b[1mUsage\x1b[22m"
      )
    })
  )

  it.effect("has a line for each command in a terminal of 80 columns", () =>
    Effect.gen(function* () {
      for (const group of [[], ["daemon"], ["cluster"]]) {
        const { out } = yield* Capture.run(charlotte, [...group, "--help"], { columns: 80 })
        const [, commands = ""] = /^Commands\n((?: +.*\n)+)/m.exec(out) ?? []
        const lines = commands.trimEnd().split("\n")
        expect(lines.length).toBeGreaterThan(3)
        expect(lines.filter((line) => !/^ {2}[a-z].* {2,}[A-Z].*\.$/.test(line))).toEqual([])
      }
    })
  )

  it.effect("fits a narrow terminal", () =>
    Effect.map(Capture.run(charlotte, ["run", "--help"], { columns: 40 }), ({ out }) =>
      expect(out.split("\n").filter((line) => line.length > 40)).toEqual([])
    )
  )
})

describe("the log of a command", () => {
  const noisy = Effect.zipRight(Effect.logWarning("careful"), Effect.logDebug("details"))

  it.effect("is not shown by default", () => Effect.map(end(noisy), ({ err }) => expect(err).toBe("")))

  it.effect("goes to standard error from the chosen level on", () =>
    Effect.gen(function* () {
      const { err, out } = yield* end(noisy, "--log-level", "warning")
      expect(out).toBe("")
      expect(err).toMatch(/^timestamp=.* level=WARN .*message=careful\n$/)
      expect((yield* end(noisy, "--log-level=debug")).err).toMatch(/message=careful\n.*message=details\n$/)
    })
  )
})
