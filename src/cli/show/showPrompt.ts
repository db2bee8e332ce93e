/**
 * `charlotte plan --prompt`: prints the prompt with which the first turn at a task begins.
 */
import { Effect, Option } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import * as Home from "../../daemon/home/Home.js"
import * as Agents from "../../tasks/Agents.js"
import * as TaskDirectory from "../../tasks/plan/TaskDirectory.js"
import * as firstPrompt from "../../tasks/run/firstPrompt.js"
import * as taskDirectory from "../init/taskDirectory.js"
import { UsageError } from "../parser/UsageError.js"
import { Output, writeJson } from "../terminal/Output.js"
import * as text from "../terminal/text.js"

export interface Options {
  /** A unit and the number of a task, maybe after the directory of tasks. */
  readonly words: ReadonlyArray<string>
  readonly repo: Option.Option<string>
  readonly agent: Option.Option<string>
  readonly json: boolean
}

export const showPrompt = ({ agent, json, repo, words }: Options) =>
  Effect.gen(function* () {
    const [number, unit, tasks] = words.toReversed()
    if (number === undefined || unit === undefined) {
      return yield* new UsageError({
        problem: "--prompt needs a unit and the number of a task",
        hint: "such as: charlotte plan --prompt parser 2"
      })
    }
    const { directory, repository } = yield* taskDirectory.find({ repo, tasks: Option.fromNullable(tasks) })
    const { settings, units } = yield* TaskDirectory.read({
      repository: repository.topLevel,
      tasksDir: directory,
      units: [unit],
      agent: Option.getOrUndefined(agent)
    })
    const all = units.find(({ id }) => id === unit)?.tasks ?? []
    const task = all.find((task) => task.number === Number(number))
    if (task === undefined) {
      return yield* new UsageError({
        problem: `unit ${unit} has no task ${text.clean(number)}`,
        hint: `its tasks are: ${all.map((task) => task.number).join(", ")}`
      })
    }
    const name = task.agents[0]?.agent
    const prompt = firstPrompt.make(task, settings, yield* agentOf(name))
    if (Option.isNone(prompt)) {
      return yield* new UsageError({
        problem: `the agent ${name} gets no prompt, since it runs the sh blocks of the task`,
        hint: "see what another one gets with --agent NAME"
      })
    }
    const { isTerminal, write } = yield* Output
    if (json) return yield* writeJson({ unit, task: task.number, agent: name, prompt: prompt.value })
    yield* write(isTerminal ? `${text.cleanLines(prompt.value).join("\n")}\n` : prompt.value)
  }).pipe(Effect.provide(Home.layerUntouched))

/** The agent of that name, also if its command is not installed here. */
const agentOf = (name: string | undefined) =>
  Effect.gen(function* () {
    const { agents } = yield* Configuration.make
    const profile = agents.profiles.find((profile) => profile.name === name)
    if (profile !== undefined) return Agents.Agent.Command({ profile })
    return yield* Effect.flatMap(Agents.make(agents), ({ get }) => get(name))
  })
