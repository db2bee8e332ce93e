/**
 * Reads a directory of units and tasks into a plan; read-only.
 *
 * @since 0.1.0
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Either, Option } from "effect"
import { createHash } from "node:crypto"
import { posix } from "node:path"
import * as race from "../../internal/race.js"
import * as AgentChoice from "./AgentChoice.js"
import * as UnitDirectory from "./UnitDirectory.js"
import * as Planner from "./Planner.js"
import { InvalidPlan, Diagnostic } from "../../yaml/Diagnostic.js"
import { suggestion } from "../../yaml/didYouMean.js"
import * as Settings from "./Settings.js"
import * as TaskFile from "./TaskFile.js"
import * as TextFile from "../../yaml/TextFile.js"
import * as UnitFile from "./UnitFile.js"

const maxFiles = 10_000
const maxBytes = 64 * 1024 * 1024

/**
 * A problem with an agent of a task, or with its model.
 *
 * @since 0.2.0
 * @category models
 */
export interface AgentProblem {
  readonly about: "agent" | "model"
  readonly message: string
}

/**
 * The plan of a directory, or all of its problems.
 *
 * @since 0.1.0
 * @category reading
 */
export const read = Effect.fn("TaskDirectory.read")(function* <R = never>(options: {
  /** The top level of the repository. */
  readonly repository: string
  /** Absolute, or relative to the repository. */
  readonly tasksDir: string
  /** Only these units and all that they depend on are read into the plan; the others are as if they were not there. */
  readonly units?: ReadonlyArray<string> | undefined
  /** The agent of the job, which overrides those that the files name. With `script`, each task needs an `sh` block. */
  readonly agent?: string | undefined
  /** Checks the agents that the files name, for each task that is not complete. */
  readonly checkAgent?: (choice: AgentChoice.AgentChoice) => Effect.Effect<Option.Option<AgentProblem>, never, R>
}) {
  const top = yield* Effect.mapError(UnitDirectory.top(options.repository, options.tasksDir), (problem) =>
    InvalidPlan.of([problem])
  )
  const { problems, units } = yield* findUnits(top)
  const count = units.reduce((sum, { entries }) => sum + entries.filter(TaskFile.isName).length, units.length)
  if (count > maxFiles) return yield* tooLarge(top, `${maxFiles} files`)

  const files: Array<string> = []
  const readText = reader(top, files)
  const { agents, problems: settingsProblems, settings } = yield* readSettings(top, readText)
  const all = yield* race.map(units, 16, (unit) => readUnit(unit, unit === top, readText))
  const chosen = options.units === undefined ? all : yield* choose(top, all, options.units)
  const sources = chosen.map(({ tasks, ...unit }) => ({
    ...unit,
    tasks: tasks.map((task) => ({
      ...task,
      choices: AgentChoice.resolve([task.agents, unit.file.agents, agents], options.agent)
    }))
  }))
  const others = new Set(all.filter((unit) => !chosen.includes(unit)).map(({ dir }) => dir))
  const isOfOthers = (file: string) => others.has(posix.dirname(file))
  const agentProblems = yield* checkAgents(sources, options.checkAgent ?? (() => Effect.succeedNone))
  return yield* Planner.plan({
    dir: top.name,
    files: files.filter((file) => !isOfOthers(file)).toSorted(),
    units: sources,
    settings,
    problems: [...problems, ...settingsProblems, ...agentProblems]
  })
})

/** The named units and all that they depend on, in the order of the directory. */
const choose = <A extends Pick<Planner.UnitSource, "file">>(
  top: UnitDirectory.UnitDirectory,
  units: ReadonlyArray<A>,
  names: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<A>, InvalidPlan> => {
  const ids = units.map(({ file }) => file.id)
  const unknown = names.filter((name) => !ids.includes(name))
  if (unknown.length > 0) {
    const message = (name: string) => `has no unit "${name}"${suggestion(name, ids.toSorted())}`
    return Effect.fail(
      InvalidPlan.of(unknown.map((name) => new Diagnostic({ file: top.name, message: message(name) })))
    )
  }
  const chosen = new Set(names)
  // A set that grows is walked to its end.
  for (const name of chosen)
    for (const { file } of units) if (file.id === name) for (const { to } of file.dependsOn) chosen.add(to)
  return Effect.succeed(units.filter(({ file }) => chosen.has(file.id)))
}

/** The problems with the agents of the tasks to do; one that concerns several tasks is reported once. */
const checkAgents = Effect.fnUntraced(function* <R>(
  units: ReadonlyArray<Planner.UnitSource>,
  check: (choice: AgentChoice.AgentChoice) => Effect.Effect<Option.Option<AgentProblem>, never, R>
) {
  const checked = new Map<string, Option.Option<AgentProblem>>()
  const problems = new Map<string, Diagnostic>()
  const toDo = units.flatMap(({ tasks }) => tasks).filter(({ status }) => status !== "complete")
  for (const { agentAt, choice, modelAt } of toDo.flatMap(({ choices }) => choices)) {
    const key = JSON.stringify([choice.agent, choice.model])
    const problem = checked.get(key) ?? (yield* check(choice))
    checked.set(key, problem)
    if (Option.isNone(problem)) continue
    const at = problem.value.about === "agent" ? agentAt : modelAt
    // The agent that the job itself names is in no file.
    if (at === undefined) continue
    const diagnostic = new Diagnostic({ ...at, message: problem.value.message })
    problems.set(String(diagnostic), diagnostic)
  }
  return [...problems.values()]
})

const tooLarge = (top: UnitDirectory.UnitDirectory, limit: string) =>
  InvalidPlan.of([
    new Diagnostic({ file: top.name, message: `contains more than ${limit}: split the work into several jobs` })
  ])

/** A directory with task files is a single unit; otherwise its subdirectories are the units. */
const findUnits = Effect.fnUntraced(function* (top: UnitDirectory.UnitDirectory) {
  const [problems, below] = yield* UnitDirectory.units(top)
  if (top.entries.some(TaskFile.isName)) {
    const names = below.map(({ name }) => name).join(", ")
    const message = `contains both task files and units (${names}): move one of them elsewhere`
    return {
      units: [top],
      problems: below.length === 0 ? problems : [...problems, new Diagnostic({ file: top.name, message })]
    }
  }
  if (below.length === 0 && problems.length === 0) {
    const message = `contains no tasks: add files such as 01-name.md, or directories of them with an ${UnitFile.fileName} each`
    return { units: [], problems: [new Diagnostic({ file: top.name, message })] }
  }
  return { units: below, problems }
})

type ReadText = (
  directory: UnitDirectory.UnitDirectory,
  entry: string
) => Effect.Effect<
  { readonly file: string; readonly content: Either.Either<TextFile.TextFile, Diagnostic> },
  InvalidPlan,
  FileSystem | Path
>

/** Reads files and records their names, up to a total size. */
const reader = (top: UnitDirectory.UnitDirectory, files: Array<string>): ReadText => {
  let total = 0
  return Effect.fnUntraced(function* (directory, entry) {
    const path = yield* Path
    const file = path.join(directory.name, entry)
    files.push(file)
    const content = yield* Effect.either(TextFile.read(path.join(directory.path, entry), file))
    total += Either.match(content, { onLeft: () => 0, onRight: ({ bytes }) => bytes.length })
    return total > maxBytes ? yield* tooLarge(top, `${maxBytes / 1024 / 1024} MiB`) : { file, content }
  })
}

const readSettings = Effect.fnUntraced(function* (top: UnitDirectory.UnitDirectory, readText: ReadText) {
  const none = { settings: Settings.defaults, agents: { file: Settings.fileName, agents: [] }, problems: [] }
  if (!top.entries.includes(Settings.fileName)) return none
  const { content, file } = yield* readText(top, Settings.fileName)
  return Either.match(content, {
    onLeft: (problem) => ({ ...none, problems: [problem] }),
    onRight: ({ text }) => {
      const decoded = Settings.parse(file, text)
      return { settings: decoded.value, agents: AgentChoice.levelOf(file, decoded), problems: decoded.problems }
    }
  })
})

const readUnit = Effect.fnUntraced(function* (unit: UnitDirectory.UnitDirectory, isTop: boolean, readText: ReadText) {
  const tasks = yield* Effect.forEach(unit.entries.filter(TaskFile.isName), (entry) =>
    Effect.map(readText(unit, entry), readTask)
  )
  const file = yield* readUnitFile(unit, isTop, readText)
  if (tasks.length > 0) return { dir: unit.name, file, tasks }
  const noTasks = new Diagnostic({
    file: unit.name,
    message: "is a unit without tasks: add files such as 01-name.md"
  })
  return { dir: unit.name, file: { ...file, problems: [...file.problems, noTasks] }, tasks }
})

const readTask = ({ content, file }: Effect.Effect.Success<ReturnType<ReadText>>): Planner.HashedTaskFile =>
  Either.match(content, {
    onLeft: (problem) => ({ ...TaskFile.unreadable(file, problem), sha256: "" }),
    onRight: ({ bytes, text }) => ({
      ...TaskFile.parse(file, text),
      sha256: createHash("sha256").update(bytes).digest("hex")
    })
  })

/** The unit file is optional for a single unit; among several directories, one without it may not be meant as a unit. */
const readUnitFile = Effect.fnUntraced(function* (
  unit: UnitDirectory.UnitDirectory,
  isTop: boolean,
  readText: ReadText
) {
  const path = yield* Path
  const name = path.basename(unit.path)
  if (!unit.entries.includes(UnitFile.fileName)) {
    const message = `contains tasks but no ${UnitFile.fileName}: add one (it may be empty), or move the tasks elsewhere`
    return UnitFile.absent(unit.name, name, isTop ? undefined : new Diagnostic({ file: unit.name, message }))
  }
  const { content, file } = yield* readText(unit, UnitFile.fileName)
  return Either.match(content, {
    onLeft: (problem) => UnitFile.absent(file, name, problem),
    onRight: ({ text }) => UnitFile.parse(file, name, text)
  })
})
