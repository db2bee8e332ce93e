/**
 * Validates a job before it is accepted, and reports all problems at once, before anything is changed.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Either, Option, Schema } from "effect"
import { now } from "../../internal/now.js"
import { InvalidJobConfig } from "../../domain/errors.js"
import type { JobConfig, Landing } from "../../domain/JobConfig.js"
import type { JobId } from "../../domain/JobId.js"
import { Agent, Agents, script } from "../Agents.js"
import { Git } from "../../git/Git.js"
import type { Options } from "../../git/preflight.js"
import { BranchName, type ObjectId, RepoPath } from "../../git/RefNames.js"
import * as Remote from "../../git/Remote.js"
import type { Repository } from "../../git/Repository.js"
import { addAndCommitCommand, command } from "../../git/shellQuote.js"
import type { AgentChoice } from "../plan/AgentChoice.js"
import type { Plan } from "../plan/Plan.js"
import * as Settings from "../plan/Settings.js"
import * as TaskDirectory from "../plan/TaskDirectory.js"
import * as landing from "./landing.js"
import * as landJob from "./landJob.js"
import * as retryJob from "./retryJob.js"
import { PlanSnapshot } from "./PlanSnapshot.js"
import { noRemote } from "./proposeResult.js"

type Issues = InvalidJobConfig["issues"]

const at = (field: keyof JobConfig, messages: ReadonlyArray<string>): Issues =>
  messages.map((message) => ({ path: [field], message }))

/** @param directory the directory in which the job would work */
export const read = (config: JobConfig, directory: string) =>
  Effect.gen(function* () {
    const git = yield* Git
    const agents = yield* Agents
    const reloaded = yield* Effect.either(agents.reload)
    if (Either.isLeft(reloaded)) return yield* new InvalidJobConfig({ issues: at("agent", reloaded.left.map(String)) })
    const repository = yield* git.open(config.repoPath)
    if (config.landOf !== undefined) return yield* toLand(config, config.landOf, { agents, directory, repository })
    const former = yield* Effect.either(retryJob.find(config.retryOf, repository))
    const only = config.retryOf === undefined ? config.units : Option.getOrUndefined(chosenBefore(former))
    const planned = yield* Effect.either(
      TaskDirectory.read({
        repository: repository.topLevel,
        tasksDir: config.tasksDir,
        units: only,
        agent: config.agent,
        checkAgent: checkAgent(agents)
      })
    )
    const settings = Either.isLeft(planned) ? Settings.defaults : planned.right.settings
    const lands = landing.of(config, settings, agents.land)
    const target = yield* Effect.either(
      branch(repository, config.targetBranch, {
        worktrees: `${directory}/worktrees`,
        lands: lands !== "never" && lands !== "pull-request",
        writes: !config.dryRun
      })
    )
    const agentProblems = yield* problemsWithAgent(agents, config, planned)
    const issues = [
      ...at("targetBranch", Either.isLeft(target) ? target.left : []),
      ...at("tasksDir", Either.isLeft(planned) ? planned.left.problems.map(String) : []),
      ...at("agent", agentProblems),
      ...at("tasksDir", Either.isLeft(planned) ? [] : yield* spendingProblems(agents, planned.right)),
      ...at("retryOf", Either.isLeft(former) ? [former.left] : []),
      ...at("land", Either.isLeft(target) ? [] : proposalProblems(repository, target.right.name, lands))
    ]
    const fileProblems = Either.isLeft(planned)
      ? []
      : [
          ...(Either.isLeft(target) ? [] : yield* uncommittedFiles(repository, target.right, planned.right)),
          ...(yield* copyProblems(repository, planned.right))
        ]
    issues.push(...at("tasksDir", fileProblems))
    if (Either.isLeft(target) || Either.isLeft(planned) || Either.isLeft(former) || issues.length > 0)
      return yield* new InvalidJobConfig({ issues })

    const { commit: targetAt, name } = target.right
    const { base, plan, taken } = yield* retryJob.carryOver(former.right, {
      repository,
      target: name,
      targetAt,
      plan: planned.right,
      canCommit: !config.dryRun,
      isFresh: config.fresh === true,
      wanted: config.units
    })
    return new PlanSnapshot({
      at: yield* now,
      topLevel: repository.topLevel,
      identity: config.dryRun ? repository.identity : yield* git.identify(repository),
      fingerprint: repository.fingerprint,
      target: name,
      targetAt,
      base,
      agent: agentsOf(planned.right),
      plan,
      ...(only !== undefined && { only }),
      taken
    })
  }).pipe(
    Effect.catchAll((error) =>
      error._tag === "InvalidJobConfig" ? error : new InvalidJobConfig({ issues: at("repoPath", [error.message]) })
    )
  )

/** The units to which the first of a chain of retries was restricted. */
const chosenBefore = (former: Either.Either<Option.Option<retryJob.FormerJob>, string>) =>
  Option.flatMapNullable(Option.flatten(Either.getRight(former)), ({ snapshot }) => snapshot.only)

const proposalProblems = (repository: Repository, target: BranchName, lands: Landing): ReadonlyArray<string> =>
  lands === "pull-request" && Option.isNone(Remote.of(repository, target)) ? [noRemote] : []

/** For a job that lands the work of another: no file of the plan is read, since that work is done. */
const toLand = (
  config: JobConfig,
  landOf: JobId,
  context: { readonly agents: Agents["Type"]; readonly directory: string; readonly repository: Repository }
) =>
  Effect.gen(function* () {
    const { agents, directory, repository } = context
    const git = yield* Git
    const former = yield* Effect.either(retryJob.ended(landOf, repository))
    const settings = Either.isLeft(former) ? Settings.defaults : former.right.snapshot.plan.settings
    const lands = landing.of(config, settings, agents.land)
    const options = {
      worktrees: `${directory}/worktrees`,
      lands: lands !== "never" && lands !== "pull-request",
      writes: !config.dryRun
    }
    const target = yield* Effect.either(branch(repository, config.targetBranch, options))
    const issues = [
      ...at("targetBranch", Either.isLeft(target) ? target.left : []),
      ...at("landOf", Either.isLeft(former) ? [former.left] : []),
      ...at("land", agents.land === "never" ? ["config.yaml allows no job to land: remove land: never"] : []),
      ...at("land", Either.isLeft(target) ? [] : proposalProblems(repository, target.right.name, lands))
    ]
    if (Either.isLeft(target) || Either.isLeft(former) || issues.length > 0)
      return yield* new InvalidJobConfig({ issues })
    const { commit: tip, name } = target.right
    const work = yield* landJob.carryOver(former.right, { repository, target: name, tip, wanted: config.units })
    return new PlanSnapshot({
      ...work,
      at: yield* now,
      topLevel: repository.topLevel,
      identity: config.dryRun ? repository.identity : yield* git.identify(repository),
      fingerprint: repository.fingerprint,
      target: name,
      agent: agentsOf(work.plan)
    })
  })

/** Checks an agent that the files name, and whether it can be given the model. */
const checkAgent =
  (agents: Agents["Type"]) =>
  (choice: AgentChoice): Effect.Effect<Option.Option<TaskDirectory.AgentProblem>> =>
    Effect.match(agents.get(choice.agent), {
      onFailure: ({ message }) => Option.some({ about: "agent", message }),
      onSuccess: (agent) =>
        choice.model === undefined || (Agent.$is("Command")(agent) && agent.profile.model !== undefined)
          ? Option.none()
          : Option.some({ about: "model", message: noModel(choice.agent) })
    })

const noModel = (agent: string): string =>
  agent === script
    ? `names a model for ${script}, which runs the sh blocks of tasks: remove it`
    : `names a model for ${agent}, whose profile does not say how to choose one: set agents.${agent}.model in config.yaml, such as [--model, "{model}"]`

/** The agent that the job itself names, or tasks for which nothing names one. */
const problemsWithAgent = (
  agents: Agents["Type"],
  { agent }: JobConfig,
  planned: Either.Either<Plan, unknown>
): Effect.Effect<ReadonlyArray<string>> => {
  const tasks = Either.isLeft(planned) ? [] : planned.right.remainingTasks
  const without = tasks.filter(({ agents }) => agents.length === 0)
  if (agent === undefined && without.length === 0) return Effect.succeed([])
  return Effect.match(agents.get(agent), {
    onFailure: ({ message }) =>
      agent !== undefined || without.length === tasks.length
        ? [message]
        : without.map(({ file }) => `${file}: ${message}`),
    onSuccess: () => []
  })
}

/** Limits of what the job may spend need agents whose output shows what they spend. */
const spendingProblems = (agents: Agents["Type"], { dir, remainingTasks, settings: { limits } }: Plan) =>
  Effect.gen(function* () {
    if (limits.usd === undefined && limits.tokens === undefined) return []
    const names = [...new Set(remainingTasks.flatMap(({ agents }) => agents.map(({ agent }) => agent)))]
    const found = yield* Effect.forEach(names, (name) => Effect.option(agents.get(name)))
    const file = dir === "." ? Settings.fileName : `${dir}/${Settings.fileName}`
    return found.flatMap((agent) => {
      if (Option.isNone(agent) || !Agent.$is("Command")(agent.value)) return []
      const { format, name, prices } = agent.value.profile
      if (format === "text") {
        const limit = limits.usd === undefined ? "tokens" : "usd"
        return [
          `${file}: limits.${limit}: ${name} reports neither money nor tokens: set agents.${name}.format in config.yaml to claude-stream-json or codex-json, if it prints such records`
        ]
      }
      return limits.usd === undefined || format === "claude-stream-json" || prices !== undefined
        ? []
        : [
            `${file}: limits.usd: ${name} reports no money: set agents.${name}.prices in config.yaml, such as { input: 1.25, cached: 0.125, output: 10 }, or limit tokens instead`
          ]
    })
  })

/** The agents of a plan, for people. */
const agentsOf = ({ remainingTasks }: Plan): string =>
  [...new Set(remainingTasks.flatMap(({ agents }) => agents.map(({ agent }) => agent)))].join(", ") || "none"

/** The target branch, or all problems with it. */
const branch = (repository: Repository, wanted: string, options: Options) =>
  Effect.gen(function* () {
    const git = yield* Git
    // The full ref name is accepted as well.
    const short = wanted.replace(/^refs\/heads\//, "")
    const name = yield* Effect.mapError(Schema.decode(BranchName)(short), ({ message }) => [message])
    const messageOf = ({ message }: { readonly message: string }) => [message]
    const problems = yield* Effect.mapError(git.problems(repository, name, options), messageOf)
    if (problems.length > 0) return yield* Effect.fail(problems.map(({ message }) => message))
    return { name, commit: yield* Effect.mapError(git.resolve(repository, name), messageOf) }
  })

/** Work starts at the commit of the target, so the plan files must be committed there, unchanged. */
const uncommittedFiles = (
  repository: Repository,
  target: { readonly name: BranchName; readonly commit: ObjectId },
  plan: Plan
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { topLevel } = repository
    const files = yield* Schema.decode(Schema.Array(RepoPath))(plan.files)
    const differing = yield* git.differing(repository, target.commit, files)
    if (differing.length === 0) return []
    const head = yield* git.head(repository)
    if (head._tag === "Branch" && head.branch === target.name) {
      const commit = (file: string) => addAndCommitCommand(topLevel, [file])
      return differing.map(
        (file) => `${file}: is not committed on the target branch in its current version: ${commit(file)}`
      )
    }
    const switchCommand = command("git", "-C", topLevel, "switch", target.name)
    return differing.map(
      (file) =>
        `${file}: is not on ${target.name} in its current version, and another branch is checked out: ${switchCommand}`
    )
  }).pipe(Effect.catchTag("ParseError", ({ message }) => Effect.succeed([message])))

/** Files to copy must exist and be ignored, so that they are never committed. */
const copyProblems = (repository: Repository, { dir, settings }: Plan) =>
  Effect.gen(function* () {
    const git = yield* Git
    const fs = yield* FileSystem
    const path = yield* Path
    const prefix = `${path.join(dir, Settings.fileName)}: copy:`
    const problems = yield* Effect.forEach(settings.copy, (wanted) =>
      Effect.gen(function* () {
        const file = yield* Schema.decode(RepoPath)(path.join(wanted, "."))
        const exists = yield* Effect.orElseSucceed(fs.exists(`${repository.topLevel}/${file}`), () => false)
        if (!exists) return `${prefix} ${file} does not exist: create it, or remove it from the list`
        if ((yield* git.ignored(repository, [file])).length > 0) return undefined
        return `${prefix} ${file} is not ignored by git, and would be committed: add it to .gitignore`
      }).pipe(
        Effect.catchTags({
          ParseError: ({ message }) => Effect.succeed(`${prefix} ${message}`),
          // For example, a path through a symbolic link.
          GitFailed: ({ detail }) => Effect.succeed(`${prefix} ${wanted} cannot be copied: ${detail}`)
        })
      )
    )
    return problems.filter((problem) => problem !== undefined)
  })
