/**
 * Every command, by the words that lead to it. One that is asked for is loaded alone: most of what there is to load, a command
 * that only talks to a daemon has no use for.
 */
import { Array } from "effect"
import * as CommandTree from "./CommandTree.js"

interface Group {
  readonly description: string
  readonly children: { readonly [name: string]: Group | (() => Promise<CommandTree.Program>) }
}

const daemon: Group = {
  description: "Jobs that outlive the terminal: a manager in the background.",
  children: {
    start: async () => CommandTree.leaf((await import("../commands/daemon/start.js")).start),
    stop: async () => CommandTree.leaf((await import("../commands/daemon/stop.js")).stop),
    restart: async () => CommandTree.leaf((await import("../commands/daemon/restart.js")).restart),
    status: async () => CommandTree.leaf((await import("../commands/daemon/status.js")).status)
  }
}

const charlotte: Group = {
  description:
    "Works through a directory of Markdown tasks in a git repository, with any agent; a task counts as done only when its own check passes.",
  children: {
    run: async () => CommandTree.leaf((await import("../commands/run.js")).run),
    plan: async () => CommandTree.leaf((await import("../commands/plan.js")).plan),
    start: async () => CommandTree.leaf((await import("../commands/start.js")).start),
    jobs: async () => CommandTree.leaf((await import("../commands/jobs.js")).jobs),
    show: async () => CommandTree.leaf((await import("../commands/show.js")).show),
    watch: async () => CommandTree.leaf((await import("../commands/watch.js")).watch),
    logs: async () => CommandTree.leaf((await import("../commands/logs.js")).logs),
    stop: async () => CommandTree.leaf((await import("../commands/stop.js")).stop),
    resume: async () => CommandTree.leaf((await import("../commands/resume.js")).resume),
    retry: async () => CommandTree.leaf((await import("../commands/retry.js")).retry),
    prune: async () => CommandTree.leaf((await import("../commands/prune.js")).prune),
    doctor: async () => CommandTree.leaf((await import("../commands/doctor.js")).doctor),
    daemon
  }
}

/** The tree of commands, as much of it as these words need: all of it where they lead to none. */
export const load = (argv: ReadonlyArray<string>): Promise<CommandTree.Program> =>
  loadGroup("charlotte", charlotte, argv.includes("--completions") ? [] : argv)

const loadGroup = async (
  name: string,
  { children, description }: Group,
  [word, ...rest]: ReadonlyArray<string>
): Promise<CommandTree.Program> => {
  const asked = Object.entries(children).filter(([name]) => name === word)
  const loaded = await Promise.all(
    (asked.length === 0 ? Object.entries(children) : asked).map(([name, child]) =>
      typeof child === "function" ? child() : loadGroup(name, child, rest)
    )
  )
  if (!Array.isNonEmptyArray(loaded)) throw new Error(`the group ${name} has no commands`)
  return CommandTree.group(name, description, loaded)
}
