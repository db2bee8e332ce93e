/**
 * The tools of a project and the commands that set it up and test it, as the names of its files, the scripts of its package.json and what
 * its CI runs show. Runs nothing, and follows no symbolic link.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Effect, identity, Option } from "effect"
import { join } from "node:path"
import * as shell from "../../git/shellQuote.js"
import { ciCommands } from "./tools/ciCommands.js"
import { byFiles } from "./tools/byFiles.js"
import { node } from "./tools/node.js"
import { python } from "./tools/python.js"
import { runners } from "./tools/runners.js"
import { type Detect, filesIn, type Setup, type Tool } from "./tools/Tool.js"

export interface Project {
  /** Relative to the top level, which is empty. */
  readonly directory: string
  /** Such as `npm` and `cargo`; none if nothing was recognized. */
  readonly tools: ReadonlyArray<string>
  /** Makes a fresh checkout one in which the gates run. */
  readonly setup: Option.Option<Setup>
  /** Commands that pass when the project is sound. */
  readonly gates: ReadonlyArray<string>
  /** Other commands that could be gates. */
  readonly others: ReadonlyArray<string>
  /** Whether directories below are packages that the setup here serves. */
  readonly hasPackages: boolean
  /** Directories that these commands leave behind, and git should ignore. */
  readonly leavings: ReadonlyArray<string>
}

/** The tool with the gate that CI runs, if it runs one of this tool's. */
const asInCi = (tool: Tool, commands: ReadonlyArray<string>): Tool => {
  const known = [...tool.gates, ...(tool.others ?? [])]
  const [gate] = tool.gates
  const chosen =
    known.find((command) => commands.includes(command)) ??
    commands.filter((command) => tool.inCi?.test(command) === true).map(tool.fromCi ?? identity)[0]
  return chosen === undefined || chosen === gate
    ? tool
    : { ...tool, gates: [chosen], others: known.filter((command) => command !== chosen) }
}

const found = (detects: ReadonlyArray<Detect>, files: ReturnType<typeof filesIn>) =>
  Effect.map(
    Effect.forEach(detects, (detect) => detect(files)),
    (tools) => tools.flatMap(Option.toArray)
  )

const isTested = (tools: ReadonlyArray<Tool>): boolean => tools.some(({ gates }) => gates.length > 0)

const isRun = (tools: ReadonlyArray<Tool>, commands: ReadonlyArray<string>): boolean =>
  tools.some(({ gates }) => gates.some((gate) => commands.includes(gate)))

const withoutGate = (tool: Tool): Tool => ({ ...tool, gates: [], others: [...tool.gates, ...(tool.others ?? [])] })

/** The project in a directory of a repository; its commands run at the top level. */
const inDirectory = (top: string, directory: string): Effect.Effect<Project, never, FileSystem> =>
  Effect.gen(function* () {
    const files = filesIn(join(top, directory))
    const commands = yield* ciCommands(files)
    const own = (yield* found([node, ...byFiles, python], files)).map((tool) => asInCi(tool, commands))
    const running = yield* found(runners, files)
    // What a Makefile runs is another form of the same.
    const chosen = isRun(running, commands) && !isRun(own, commands) ? running : isTested(own) ? own : running
    const before = own.flatMap(({ before = "" }) => before).join("")
    const installed = running.map((tool) => ({ ...tool, gates: tool.gates.map((gate) => `${before}${gate}`) }))
    const tools = [
      ...(chosen === own ? own : own.map(withoutGate)),
      ...(chosen === running ? installed : installed.map(withoutGate))
    ]
    const setups = tools.flatMap(({ setup }) => (setup === undefined ? [] : [setup]))
    const at = (command: string) => (directory === "" ? command : `${shell.command("cd", directory)} && ${command}`)
    return {
      directory,
      tools: tools.map(({ name }) => name),
      setup:
        setups.length === 0
          ? Option.none()
          : Option.some({
              run: at(setups.map(({ run }) => run).join(" && ")),
              inputs: setups.flatMap(({ inputs }) => inputs.map((file) => join(directory, file)))
            }),
      gates: tools.flatMap(({ gates }) => gates.map(at)),
      others: tools.flatMap(({ others = [] }) => others.map(at)),
      hasPackages: tools.some(({ hasPackages = false }) => hasPackages),
      leavings: tools.flatMap(({ leavings }) => leavings)
    }
  })

/**
 * The project at the top of a repository, or else in the nearest directory above or at `directory`, which is relative to the top. In a
 * package of a workspace, the gate is that of the package.
 */
export const detect = (top: string, directory: string): Effect.Effect<Project, never, FileSystem> =>
  Effect.gen(function* () {
    const atTop = yield* inDirectory(top, "")
    const steps = directory.split("/").filter((step) => step !== "")
    if (atTop.tools.length > 0 && !atTop.hasPackages) return atTop
    for (let depth = steps.length; depth > 0; depth--) {
      const below = yield* inDirectory(top, steps.slice(0, depth).join("/"))
      if (atTop.tools.length === 0 && below.tools.length > 0) return below
      if (below.gates.length > 0 && below.tools.some((tool) => atTop.tools.includes(tool))) {
        return { ...atTop, directory: below.directory, gates: below.gates, others: [...below.others, ...atTop.gates] }
      }
    }
    return atTop
  })
