import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Layer, Option } from "effect"
import { charlotte } from "../../../src/cli/parser/commands.js"
import * as CommandTree from "../../../src/cli/parser/CommandTree.js"
import * as Parameter from "../../../src/cli/parser/Parameter.js"
import { parse } from "../../../src/cli/parser/parse.js"
import * as Capture from "../Capture.js"

const text = { description: "", decode: Either.right<string> }

const program = (seen: (given: unknown) => void = () => {}): CommandTree.Group => {
  const see = async () => (given: unknown) => Effect.sync(() => seen(given))
  const agent = Parameter.textOption("agent", { placeholder: "NAME", description: "" })
  const repo = Parameter.textOption("repo", { placeholder: "DIR", description: "" })
  const json = Parameter.flag("json", { description: "" })
  const follow = Parameter.flag("follow", { alias: "f", description: "" })
  const count = Parameter.option("count", { placeholder: "N", description: "" }, (text) =>
    /^\d+$/.test(text) ? Either.right(Number(text)) : Either.left("a number")
  )
  const label = Parameter.repeatedOption("label", { placeholder: "KEY", description: "" }, Either.right)
  const about = { description: "", example: "" }
  const tasks = Parameter.argument("tasks", text)
  const run = CommandTree.command({ ...about, parameters: { tasks, agent, repo, count, label, follow, json } }, see)
  const prune = CommandTree.command(
    { ...about, parameters: { jobs: Parameter.repeatedArgument("job", text), json } },
    see
  )
  const stop = CommandTree.command({ ...about, parameters: { job: Parameter.optionalArgument("job", text) } }, see)
  return {
    description: "",
    children: {
      run,
      prune,
      stop,
      daemon: { description: "", children: { prune } }
    },
    synonyms: { ls: ["prune"], status: ["daemon prune", "run"] }
  }
}

const services = Layer.merge(NodeContext.layer, Capture.make().layer)

/** What the command gets, or the error of the command line. */
const given = async (...argv: ReadonlyArray<string>): Promise<unknown> => {
  const seen: Array<unknown> = []
  const { effect } = parse(
    program((given) => seen.push(given)),
    argv
  )
  if (Either.isLeft(effect)) return effect.left.message
  if (effect.right !== undefined) {
    await Effect.runPromise(Effect.ignore(Effect.scoped(Effect.provide(effect.right, services))))
  }
  return seen[0]
}

describe("parse", () => {
  it("gives a command the values of its parameters, wherever the options stand", async () => {
    const nothing = {
      agent: Option.none(),
      repo: Option.none(),
      count: Option.none(),
      label: [],
      follow: false,
      json: false
    }
    for (const [argv, expected] of [
      [["run", "a"], {}],
      [["run", "a", "--json", "--agent", "claude"], { json: true, agent: Option.some("claude") }],
      [["run", "--agent=a=b", "a"], { agent: Option.some("a=b") }],
      [["run", "--json", "a"], { json: true }],
      [["run", "a", "--json", "--json"], { json: true }],
      [["run", "a", "-f"], { follow: true }],
      [["run", "-f", "a"], { follow: true }],
      [["run", "a", "--count", "3"], { count: Option.some(3) }],
      [["run", "a", "--label", "x", "--label", "y"], { label: ["x", "y"] }],
      [["run", "--", "a"], {}],
      [["run", "--", "--json"], { tasks: "--json" }],
      [["run", "--json", "--", "-x"], { tasks: "-x", json: true }],
      [["run", "run"], { tasks: "run" }],
      [["run", "-"], { tasks: "-" }]
    ] as const) {
      expect(await given(...argv), argv.join(" ")).toEqual({ tasks: "a", ...nothing, ...expected })
    }
    expect(await given("prune")).toEqual({ jobs: [], json: false })
    expect(await given("prune", "a", "b", "--json", "c")).toEqual({ jobs: ["a", "b", "c"], json: true })
    expect(await given("stop")).toEqual({ job: Option.none() })
    expect(await given("daemon", "prune", "a")).toEqual({ jobs: ["a"], json: false })
  })

  it("explains a command line that is wrong, and where to read more", async () => {
    const see = "see: charlotte run --help"
    for (const [argv, message] of [
      [["frobnicate", "x"], 'unknown command "frobnicate"; see: charlotte --help'],
      [["daemon", "frobnicate"], 'unknown command "frobnicate"; see: charlotte daemon --help'],
      [["constructor"], 'unknown command "constructor"; see: charlotte --help'],
      [["run"], `missing argument <tasks>; ${see}`],
      [["run", "a", "b"], `unexpected argument "b"; ${see}`],
      [["run", "a", "--agnt", "x"], "unknown option --agnt; did you mean --agent?"],
      [["run", "a", "--frobnicate"], `unknown option --frobnicate; ${see}`],
      [["run", "a", "-x"], `unknown option -x; ${see}`],
      [["run", "a", "--json=yes"], `--json takes no value; ${see}`],
      [["run", "--json", "true", "a"], `unexpected argument "a"; ${see}`],
      [["run", "a", "--agent", "x", "--agent", "y"], `--agent was given more than once; ${see}`],
      [["run", "a", "--count", "x"], `invalid value "x" for --count: expected a number; ${see}`],
      [["run", "a", "--count", "-1"], `invalid value "-1" for --count: expected a number; ${see}`],
      [["stop", "--jsn"], "unknown option --jsn; see: charlotte stop --help"],
      [
        ["run", "a", "--log-level", "loud"],
        `invalid value "loud" for --log-level: expected one of all, trace, debug, info, warning, error, fatal, none; ${see}`
      ],
      ...["--repo", "--repo --json", "--repo="].map(
        (words) => [["run", "a", ...words.split(" ")], `--repo needs a value: --repo DIR; ${see}`] as const
      ),
      [["run", "a", "--repo", ""], `--repo needs a value: --repo DIR; ${see}`]
    ] as const) {
      expect(await given(...argv), argv.join(" ")).toBe(message)
    }
  })

  it("suggests the command that was probably meant", async () => {
    expect(await given("prine")).toBe('unknown command "prine"; did you mean "charlotte prune"?')
    expect(await given("daemon", "prun")).toBe('unknown command "prun"; did you mean "charlotte daemon prune"?')
    expect(await given("ls")).toBe('unknown command "ls"; did you mean "charlotte prune"?')
    expect(await given("status")).toBe(
      'unknown command "status"; did you mean "charlotte daemon prune" or "charlotte run"?'
    )
  })

  it("suggests commands of our own for what other programs call them", () => {
    const suggestion = (...argv: ReadonlyArray<string>) => {
      const { effect } = parse(charlotte, argv)
      return Either.isLeft(effect) ? effect.left.hint : undefined
    }
    expect(suggestion("ls")).toBe('did you mean "charlotte jobs"?')
    expect(suggestion("ps", "--all")).toBe('did you mean "charlotte jobs"?')
    expect(suggestion("cancel", "x")).toBe('did you mean "charlotte stop"?')
    expect(suggestion("status")).toBe('did you mean "charlotte daemon status" or "charlotte show"?')
  })

  it("refers in every synonym to a command that exists", () => {
    const check = (group: CommandTree.Group, path: ReadonlyArray<string>): void => {
      for (const [word, commands] of Object.entries(group.synonyms ?? {})) {
        expect(group.children, word).not.toHaveProperty(word)
        for (const command of commands) {
          const found = parse(charlotte, [...path, ...command.split(" ")])
          expect(found.path.slice(1), command).toEqual([...path, ...command.split(" ")])
        }
      }
      for (const [name, child] of Object.entries(group.children)) {
        if ("children" in child) check(child, [...path, name])
      }
    }
    check(charlotte, [])
  })

  it("finds help, version and completions in whatever else the command line says", () => {
    const action = (...argv: ReadonlyArray<string>) => {
      const { action, path } = parse(program(), argv)
      return [action, ...path.slice(1)].join(" ")
    }
    expect(action("--help")).toBe("help")
    expect(action("-h", "run")).toBe("help run")
    expect(action("run", "--agent", "--help")).toBe("help run")
    expect(action("run", "--frobnicate", "-h")).toBe("help run")
    expect(action("help", "daemon", "prune")).toBe("help daemon prune")
    expect(action("help")).toBe("help")
    expect(action("run", "--version")).toBe("version run")
    expect(action("--completions", "zsh")).toBe("completions")
    expect(action("run", "a", "--", "--help")).toBe("run run")
    expect(action("help", "runn")).toBe("run")
  })

  it("knows whether output is for a program even if the command line is wrong", () => {
    const json = (...argv: ReadonlyArray<string>) => parse(program(), argv).json
    expect(json("run", "--json")).toBe(true)
    expect(json("x", "--json")).toBe(true)
    expect(json("run", "--", "--json")).toBe(false)
    expect(json("run")).toBe(false)
  })
})
