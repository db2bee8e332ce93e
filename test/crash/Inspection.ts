/**
 * What is looked at after each kill: the database, the processes, the repository and what the user has in it.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Database, RunStatus, RunStore } from "charlotte"
import { Git, Prune } from "charlotte/tasks"
import { Effect, Layer } from "effect"
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Audit from "../../src/store/Audit.js"
import { GitEnvironmentRef } from "../../src/git/GitEnvironment.js"
import { eventually } from "../process/workshop.js"
import type { Ledger } from "./Ledger.js"
import * as Processes from "./Processes.js"
import * as State from "./State.js"
import * as World from "./World.js"

type Wrong = ReadonlyArray<string>

const audit = Effect.map(Audit.run({ maxJobs: World.maxJobs }), ({ violations }) =>
  violations.map(({ found, wrong }) => `${found}: ${wrong}`)
)

/** A copy: the next daemon finds the file as the crash has left it. */
export const copied = <A, E>(
  world: Pick<World.World, "root" | "home">,
  use: (filename: string) => Effect.Effect<A, E>
) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(world.root, "copy-"))
      const [from, to] = [join(world.home, "charlotte.db"), join(directory, "copy.db")]
      for (const suffix of ["", "-wal", "-journal"])
        if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix)
      return { directory, to }
    }),
    ({ to }) => use(to),
    ({ directory }) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

const records = (world: World.World) =>
  copied(world, (filename) =>
    Effect.all({ wrong: audit, state: State.read(world) }).pipe(Effect.provide(Database.layer({ filename })))
  )

/**
 * What git would trip over. In the directories of our own worktrees and beside our own branches there may be some until the
 * next daemon looks: git that is told to end, and has no time for it, leaves its locks.
 */
const litter = ({ linked, top }: World.World, isOver: boolean): Wrong => {
  const isUsers = (name: string) =>
    name.startsWith(`worktrees/${linked.split("/").at(-1)}/`) || !/^(worktrees|refs\/heads\/charlotte)\//.test(name)
  return readdirSync(`${top}/.git`, { recursive: true, encoding: "utf8" })
    .filter((name) => /(\.lock|MERGE_HEAD|CHERRY_PICK_HEAD|rebase-merge)$/.test(name))
    .filter((name) => isOver || isUsers(name))
    .map((name) => `.git/${name} is left`)
}

const lines = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .sort()

const trailers =
  "%(trailers:key=Charlotte-Unit,valueonly,separator=) %(trailers:key=Charlotte-Task,valueonly,separator=)"

/** What is in a commit that is not in the one at which jobs begin, and its tree. */
const resultIn = ({ base, git, top }: World.World, commit: string) =>
  Effect.gen(function* () {
    const result: World.Result = {
      // Tasks, such as `a 1`, and merges of units, such as `b`, each time that a commit tells of them.
      told: lines(yield* git(top, "log", `--format=${trailers}`, `${base}..${commit}`)),
      files: lines(yield* git(top, "diff", "--name-only", base, commit))
    }
    return { ...result, tree: (yield* git(top, "rev-parse", `${commit}^{tree}`)).trim() }
  })

/** What was found in targets that have moved. */
export interface Landings {
  readonly commits: Map<string, Effect.Effect.Success<ReturnType<typeof resultIn>>>
  /** Of the first job of each sort; those of the others are the same. */
  readonly trees: Map<World.Sort, string>
}

export const makeLandings = (): Landings => ({ commits: new Map(), trees: new Map() })

/** A target holds all that its job has made, or nothing; and all, when the job is completed. */
const landed = (world: World.World, { jobs }: State.State, { commits, trees }: Landings) =>
  Effect.gen(function* () {
    const wrong: Array<string> = []
    const directory = `${world.top}/.git/refs/heads/target`
    for (const name of readdirSync(directory)) {
      const commit = readFileSync(`${directory}/${name}`, "utf8").trim()
      const job = [...jobs.values()].find(({ target }) => target === `target/${name}`)
      if (commit === world.base) {
        if (job?.status === "completed") wrong.push(`target/${name} does not hold what ${job.id} has made`)
        continue
      }
      const result = commits.get(commit) ?? (yield* resultIn(world, commit))
      commits.set(commit, result)
      if (job === undefined) {
        wrong.push(`target/${name} has moved without a job`)
        continue
      }
      const { files, told } = World.results[job.sort]
      const tree = trees.get(job.sort) ?? result.tree
      trees.set(job.sort, tree)
      const isRight = `${told} ${files} ${tree}` === `${result.told} ${result.files} ${result.tree}`
      if (!isRight) wrong.push(`${job.id} (${job.sort}, ${job.status}) has made ${result.told}; ${result.files}`)
    }
    return wrong
  })

/** One look may miss a process that is just being made. */
const gitHasEnded = (world: World.World) => {
  let looks = 0
  return eventually("git has ended", () => {
    looks = Processes.all(world).some(({ what }) => what === "git") ? 0 : looks + 1
    return looks === 3
  })
}

/** What a daemon has left that is dead. Git comes to its end by itself, or it could not be told what it leaves. */
export const dead = (world: World.World, ledger: Ledger, landings: Landings) =>
  Effect.gen(function* () {
    const live = Processes.all(world).filter(({ what }) => what !== "git")
    yield* gitHasEnded(world)
    const { state, wrong } = yield* records(world)
    return {
      live,
      agents: live.filter(({ what }) => what === "agent").length,
      wrong: [
        ...wrong,
        ...ledger.untrue(state),
        ...(yield* landed(world, state, landings)),
        ...litter(world, false),
        ...World.overlaps(world).map((call) => `${call} ran while another one was at work there`),
        ...world.untouched()
      ]
    }
  })

/** What a daemon has made of it that has just become ready. */
export const ready = (world: World.World, left: ReadonlyArray<Processes.Process>) =>
  Effect.gen(function* () {
    const wrong = yield* Effect.provide(audit, Database.layerUntouched({ filename: join(world.home, "charlotte.db") }))
    return [
      ...wrong,
      ...left.filter(Processes.isAlive).map(({ pid, what }) => `${what} ${pid} of the life before is left`)
    ]
  })

/** Clears away what jobs have left that did not come to their end; of it nothing may be left then. */
const pruned = (world: World.World) =>
  Effect.map(Prune.prune({ discard: true }), (pruned) => pruned.flatMap(({ problems }) => problems)).pipe(
    Effect.provide(
      Layer.merge(Git.layer, RunStore.layer).pipe(
        Layer.provide(Database.layer({ filename: join(world.home, "charlotte.db") })),
        Layer.provideMerge(NodeContext.layer),
        Layer.provide(Layer.succeed(GitEnvironmentRef, world.environment))
      )
    )
  )

/** What must not be left when every job was to come to its end, and the daemon to its own. */
export const over = (world: World.World, ledger: Ledger, landings: Landings) =>
  Effect.gen(function* () {
    const { wrong } = yield* dead(world, ledger, landings)
    const { state } = yield* records(world)
    const unfinished = [...state.jobs.values()].flatMap(({ error, id, sort, status }) => {
      if (!RunStatus.isTerminal(status)) return [`${id} is ${status} in the end`]
      const isGivenUp = /^it(s manager)? (crashed|died) \d+ times in a row/.test(error ?? "")
      return status === "failed" && sort !== "failing" && !isGivenUp ? [`${id} (${sort}) failed: ${error}`] : []
    })
    const processes = Processes.all(world).map(({ pid, what }) => `${what} ${pid} is left in the end`)
    const problems = yield* pruned(world)
    const branches = yield* world.git(world.top, "for-each-ref", "--format=%(refname)", "refs/heads/charlotte")
    const worktrees = lines(yield* world.git(world.top, "worktree", "list"))
    const linked = yield* world.git(world.linked, "status", "--porcelain")
    const damage = yield* world.git(world.top, "fsck", "--connectivity-only", "--no-dangling", "--no-progress")
    return {
      wrong: [
        ...wrong,
        ...unfinished,
        ...processes,
        ...problems,
        ...lines(branches).map((branch) => `${branch} is left in the end`),
        ...(worktrees.length === 2 ? [] : worktrees),
        ...litter(world, true),
        ...(linked === "" ? [] : [`the other checkout is not as it was committed: ${linked}`]),
        ...(damage === "" ? [] : [`git finds damage: ${damage}`])
      ],
      jobs: state.jobs.size,
      events: state.events.size,
      completed: [...state.jobs.values()].filter(({ status }) => status === "completed").length
    }
  })
