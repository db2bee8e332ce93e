/**
 * `charlotte init`: writes the settings and the first task of a repository.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Either, Option, Schema } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Configuration from "../../daemon/config/Configuration.js"
import * as Home from "../../daemon/home/Home.js"
import * as Git from "../../git/Git.js"
import { RepoPath } from "../../git/RefNames.js"
import type { Repository } from "../../git/Repository.js"
import { command } from "../../git/shellQuote.js"
import * as Agents from "../../tasks/Agents.js"
import * as Settings from "../../tasks/plan/Settings.js"
import * as TaskFile from "../../tasks/plan/TaskFile.js"
import * as UnitDirectory from "../../tasks/plan/UnitDirectory.js"
import * as UnitFile from "../../tasks/plan/UnitFile.js"
import * as ExitCode from "../errors/ExitCode.js"
import { UsageError } from "../parser/UsageError.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as newFiles from "./newFiles.js"
import * as Project from "./Project.js"
import * as tryProject from "./tryProject.js"
import * as taskDirectory from "./taskDirectory.js"
import * as texts from "./texts.js"

export interface Options {
  readonly tasks: Option.Option<string>
  readonly repo: Option.Option<string>
  readonly tries: boolean
  readonly json: boolean
}

const hint = "name another directory: charlotte init DIRECTORY"

/** The unit of the first task. */
const unit = "first"

export const initTasks = ({ json, repo, tasks, tries }: Options) =>
  Effect.gen(function* () {
    const at = yield* taskDirectory.find({ repo, tasks })
    const { charlotte, directory, repository, shown } = at
    const { topLevel } = repository
    yield* refuseExisting(topLevel, directory)
    const project = yield* Project.detect(topLevel, at.below)
    const { agent, inherit } = yield* configured
    const env = RepoPath.make(".env")
    const hasEnv =
      newFiles.look(join(topLevel, env))?.isFile() === true && (yield* isIgnored(repository, [env])).length > 0
    const names = new Set(readdirSync(topLevel).map((name) => name.toLowerCase()))
    const isTaken = (name: string) => names.has(name.toLowerCase())
    const files: ReadonlyArray<newFiles.NewFile> = [
      { file: Settings.fileName, text: texts.settings(project, { agent, hasEnv }) },
      { file: `${unit}/${UnitFile.fileName}`, text: "" },
      { file: `${unit}/01-hello.md`, text: texts.first(project, { isScript: agent === Agents.script, isTaken }) }
    ].map(({ file, text }) => ({ file: join(directory, file), text }))
    const ignored = yield* isIgnored(repository, yield* paths(files.map(({ file }) => file)))
    if (ignored.length > 0) return yield* new UsageError({ problem: `git ignores ${directory}`, hint })
    const problems = yield* otherProblems(repository)
    const next = [...(yield* toCommit(at, project)), charlotte("run", shown(directory))]
    // Last, so that nothing is left behind if something fails.
    yield* newFiles.create(topLevel, files, hint)
    const written = files.map(({ file }) => shown(file))
    const tried = tries ? yield* tryProject.tryProject(topLevel, project, inherit) : []
    const isRed = tried.some(({ problem }) => problem !== undefined)
    const end = isRed ? new ExitCode.Quit({ code: ExitCode.failed }) : Effect.void
    if (json) {
      const { gates, setup, tools } = project
      const run = Option.getOrUndefined(Option.map(setup, ({ run }) => run))
      yield* writeJson({ tools, setup: run, gates, agent, files: written, problems, next, ...(tries && { tried }) })
      return yield* end
    }
    yield* writeLines([
      ...facts(project, agent),
      [],
      ...written.map((file): StyledLine.Line => [StyledLine.raw("wrote  ", "faint"), StyledLine.piece(file)]),
      ...(tried.length > 0 ? [[], ...tryProject.lines(tried)] : []),
      ...[...(isRed ? [redTrial(written)] : []), ...problems].map((problem): StyledLine.Line => [
        StyledLine.raw("first  ", "warn"),
        StyledLine.piece(problem)
      ]),
      ...section("Next, for a first job:", next),
      ...section("Then write tasks of your own, and see what a job would do:", [
        charlotte("task", "new", unit, "TITLE"),
        charlotte("plan", shown(directory))
      ])
    ])
    yield* end
  }).pipe(Effect.provide([Git.layer, Home.layerUntouched]))

const refuseExisting = (topLevel: string, directory: string) =>
  Effect.gen(function* () {
    if (!(yield* newFiles.isDirectory(topLevel, directory, hint))) return
    const path = join(topLevel, directory)
    const entries = yield* Effect.flatMap(FileSystem, (fs) => fs.readDirectory(path))
    if (entries.length === 0) return
    const [, units] = yield* UnitDirectory.units({ path, name: directory, entries })
    const hasTasks = units.length > 0 || entries.some((name) => name === Settings.fileName || TaskFile.isName(name))
    return yield* hasTasks
      ? new UsageError({
          problem: `${directory} is a directory of tasks already`,
          hint: "add a task with: charlotte task new UNIT TITLE"
        })
      : new UsageError({ problem: `${directory} is there already, and is not empty`, hint })
  })

/** The coding agent that is installed, as far as the PATH shows, or else `script`; and the variables that gates inherit. */
const configured = Effect.gen(function* () {
  const read = yield* Effect.either(Configuration.make)
  const { found, gates } = yield* Either.isRight(read)
    ? Agents.make(read.right.agents)
    : Effect.provide(Agents.Agents, Agents.layerPresets)
  const names = (yield* found).filter((name) => name !== Agents.script)
  const agent = ["claude", "codex"].find((name) => names.includes(name)) ?? names[0] ?? Agents.script
  return { agent, inherit: gates.env }
})

const paths = (files: ReadonlyArray<string>) =>
  Effect.mapError(
    Schema.decode(Schema.Array(RepoPath))(files),
    () => new UsageError({ problem: "the name of the directory cannot be used", hint })
  )

const isIgnored = (repository: Repository, files: ReadonlyArray<RepoPath>) =>
  Effect.flatMap(Git.Git, (git) => git.ignored(repository, files))

/** What else keeps a job from beginning here; what the printed commands settle is left out. */
const otherProblems = (repository: Repository) =>
  Effect.gen(function* () {
    const git = yield* Git.Git
    const { worktrees } = yield* Home.Home
    const problems = yield* git.problems(repository, undefined, { worktrees })
    return problems.filter(({ kind }) => kind !== "identity" && kind !== "unborn").map(({ message }) => message)
  })

/** The commands after which a job can begin at the commit of the branch. */
const toCommit = (
  { directory, git, repository, shown }: Effect.Effect.Success<ReturnType<typeof taskDirectory.find>>,
  project: Project.Project
) =>
  Effect.gen(function* () {
    const { topLevel } = repository
    const head = yield* Effect.flatMap(Git.Git, (git) => git.head(repository))
    // Patterns may be for the directory, or for such files in it.
    const sampleIn = (name: string) => join(project.directory, name, "x.pyc")
    const ignored = new Set<string>(yield* isIgnored(repository, yield* paths(project.leavings.map(sampleIn))))
    const unignored = project.leavings.filter((name) => !ignored.has(sampleIn(name)))
    const ignoring = ".gitignore"
    const committed = [...(unignored.length > 0 ? [shown(ignoring)] : []), shown(directory)]
    const message = (text: string) => ["commit", "--message", text]
    return [
      ...(Option.isNone(repository.author)
        ? [git("config", "user.name", "Your Name"), git("config", "user.email", "you@example.com")]
        : []),
      ...(unignored.length > 0
        ? [
            `printf '${endsInLine(join(topLevel, ignoring)) ? "" : "\\n"}%s/\\n' ${unignored.map((name) => command(name)).join(" ")} >> ${command(shown(ignoring))}`
          ]
        : []),
      head._tag === "Unborn"
        ? `${git("add", "--all")} && ${git(...message("A first commit"))}`
        : `${git("add", "--", ...committed)} && ${git(...message("A first task"), "--", ...committed)}`
    ]
  })

/** Whether lines can be appended to a file as they are. */
const endsInLine = (file: string): boolean =>
  newFiles.look(file)?.isFile() !== true || /(^|\n)$/.test(readFileSync(file, "latin1"))

const facts = ({ gates, setup, tools }: Project.Project, agent: string): ReadonlyArray<StyledLine.Line> =>
  [
    ["project", tools.length === 0 ? "of no kind that is recognized" : tools.join(", ")],
    ...Option.toArray(Option.map(setup, ({ run }) => ["setup", run])),
    ["gate", gates.length === 0 ? noGate : gates.join(" && ")],
    ["agent", agent === Agents.script ? noAgent : agent]
  ].map(([name = "", value = ""]) => [StyledLine.raw(name.padEnd(9), "faint"), StyledLine.piece(value)])

const noGate =
  "no command that runs tests was found: write it as baseline in charlotte.yaml, such as baseline: [make test]; the first task is judged by its file alone"

/** What to do where what was found does not pass. */
const redTrial = ([settings, , task]: ReadonlyArray<string>) =>
  `what fails here fails in each job too: write setup and baseline that pass in ${settings}, such as baseline: ["env MODE=ci make test"], and the same gate in ${task}`

const noAgent = "script, which runs the sh blocks of tasks, since no coding agent is on the PATH"

const section = (title: string, commands: ReadonlyArray<string>): ReadonlyArray<StyledLine.Line> => [
  [],
  [StyledLine.raw(title)],
  ...commands.map((command): StyledLine.Line => [StyledLine.raw("  "), StyledLine.piece(command, "strong")])
]
