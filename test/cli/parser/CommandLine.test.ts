import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import * as CommandLine from "../../../src/cli/parser/CommandLine.js"
import * as CommandTree from "../../../src/cli/parser/CommandTree.js"
import { prune } from "../../../src/cli/commands/prune.js"
import { run } from "../../../src/cli/commands/run.js"

const program = CommandTree.group("charlotte", "Does it.", [
  CommandTree.leaf(run),
  CommandTree.leaf(prune),
  CommandTree.group("daemon", "Has parts.", [CommandTree.leaf(prune)])
])

const read = (...argv: ReadonlyArray<string>) => CommandLine.read(program, argv)

/** The words for the library, or what is wrong. */
const words = (...argv: ReadonlyArray<string>) =>
  Either.match(read(...argv).words, { onLeft: ({ message }) => message, onRight: (words) => words.join(" ") })

describe("a command line", () => {
  it("is brought into one order: options, then the rest", () => {
    expect(words("run", "tasks", "--json", "--agent", "claude")).toBe("--json --agent claude -- tasks")
    expect(words("run", "--agent=a=b", "tasks")).toBe("--agent a=b -- tasks")
    expect(words("run", "--json", "true")).toBe("--json -- true")
    expect(words("run", "--", "--json")).toBe("-- --json")
    expect(words("run", "run")).toBe("-- run")
    expect(words("run", "-")).toBe("-- -")
    expect(words("prune")).toBe("")
    expect(words("prune", "a", "b", "c")).toBe("-- a b c")
    expect(words("run", "t", "--label", "a=b", "--label", "c=d")).toBe("--label a=b --label c=d -- t")
    expect(words("run", "t", "--json", "--json")).toBe("--json -- t")
    expect(words("run", "t", "--concurrency", "-1")).toBe("--concurrency -1 -- t")
  })

  it("leads to a command, also one below another", () => {
    expect(read("daemon", "prune", "--json").path).toEqual(["charlotte", "daemon", "prune"])
    expect(words("daemon", "prune", "--json")).toBe("--json")
  })

  it("that makes no sense is explained, with the command that says more", () => {
    expect(words()).toBe("a command is missing: there are run, prune, daemon; see: charlotte --help")
    expect(words("daemon")).toBe("a command is missing: there are prune; see: charlotte daemon --help")
    expect(words("runn")).toBe('there is no command "runn": did you mean "run"? See: charlotte --help')
    expect(words("frobnicate", "x")).toBe(
      'there is no command "frobnicate": expected one of run, prune, daemon; see: charlotte --help'
    )
    expect(words("run")).toBe("<tasksDir> is missing; see: charlotte run --help")
    expect(words("run", "a", "b")).toBe('"b" is one argument too many; see: charlotte run --help')
    expect(words("run", "a", "--agnt", "x")).toBe(
      'there is no option --agnt: did you mean "--agent"? See: charlotte run --help'
    )
    expect(words("run", "a", "--json=yes")).toBe("--json takes no value; see: charlotte run --help")
    expect(words("run", "a", "--agent", "x", "--agent", "y")).toBe("--agent is given twice; see: charlotte run --help")
    expect(words("run", "a", "--log-level", "loud")).toBe(
      "--log-level must be one of all, trace, debug, info, warning, error, fatal, none; see: charlotte run --help"
    )
    for (const lacking of [["--repo"], ["--repo", "--json"], ["--repo="], ["--repo", ""]]) {
      expect(words("run", "a", ...lacking)).toBe("--repo needs a value: --repo DIR; see: charlotte run --help")
    }
  })

  it("may ask for something that every command has, in whatever state it is", () => {
    const what = (...argv: ReadonlyArray<string>) => {
      const asked = read(...argv)
      return [asked.what, ...asked.path.slice(1)].join(" ")
    }
    expect(what("--help")).toBe("help")
    expect(what("-h", "run")).toBe("help run")
    expect(what("run", "--agent", "--help")).toBe("help run")
    expect(what("help", "daemon", "prune")).toBe("help daemon prune")
    expect(what("help")).toBe("help")
    expect(what("run", "--version")).toBe("version run")
    expect(what("--completions", "zsh")).toBe("completions")
    expect(what("run", "a", "--", "--help")).toBe("run run")
    expect(what("help", "runn")).toBe("run")
  })

  it("tells whether a program reads the answer, even if nothing else is clear", () => {
    expect(
      [["run", "--json"], ["x", "--json"], ["run", "--", "--json"], ["run"]].map((argv) => read(...argv).json)
    ).toEqual([true, true, false, false])
  })
})
