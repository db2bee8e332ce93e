/**
 * What tests of single parts of a job share: a user who does something while a job is at a certain point, and one who does
 * what an error tells him to.
 */
import { type JobId, JobManager } from "charlotte"
import { Effect, Schema, Stream } from "effect"
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import type * as Repository from "../../support/Repository.js"
import type { Sandbox } from "../../support/Repository.js"
import { appears, ended, run } from "../Jobs.js"

export type Config = Parameters<typeof run>[0]

/** For a script: it says that it is there, and goes on when it may. */
export const pausing = ({ root }: Sandbox, script: string, name = "go"): string =>
  `touch '${root}/${name}.reached'\nwhile ! test -e '${root}/${name}'; do sleep 0.02; done\n${script}`

/** Does something while a task of the job pauses, and lets it go on to its end. */
export const meanwhile = <A, E, R>(
  world: Sandbox,
  config: Config,
  action: (id: string) => Effect.Effect<A, E, R>,
  name = "go"
) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const id = yield* manager.start(config)
    yield* appears(`${world.root}/${name}.reached`)
    yield* action(id)
    yield* world.write(`${world.root}/${name}`, "")
    return yield* ended(id)
  })

/** For a script or a gate: leaves a line outside of the repository, to be counted. */
export const counting = ({ root }: Sandbox, name: string): string => `echo x >> '${root}/count-${name}'`

/** How often it was run. */
export const counted = ({ root }: Sandbox, name: string) =>
  Effect.promise(async () => (await readFile(`${root}/count-${name}`, "utf8").catch(() => "")).length / 2)

/** Does what an error says, as it says it, from anywhere; gives the exit code and what was printed. */
export const follow = ({ environment, root }: Sandbox, command: string) =>
  Effect.async<{ readonly code: number; readonly output: string }>((resume) => {
    const env = { ...environment.variables, LC_ALL: "C" }
    const child = execFile("sh", ["-c", command], { cwd: root, env }, (error, stdout, stderr) =>
      resume(Effect.succeed({ code: error === null ? 0 : (child.exitCode ?? -1), output: stdout + stderr }))
    )
  })

/** `charlotte retry ID`, by the words of an error. */
export const retry = (config: Config, command: string) => {
  const id = /^charlotte retry (\w{26})$/.exec(command)?.[1]
  return id === undefined ? Effect.dieMessage(`not a retry: ${command}`) : run({ ...config, retryOf: id })
}

const Blocked = Schema.Struct({
  error: Schema.Struct({
    _tag: Schema.Literal("LandingBlocked"),
    reason: Schema.String,
    command: Schema.String,
    branch: Schema.String,
    diff: Schema.String
  })
})

/** Why a job could not be landed, and what to do about it. */
export const blockedBy = ({ run }: Effect.Effect.Success<ReturnType<typeof ended>>) =>
  Effect.map(Effect.orDie(Schema.decodeUnknown(Blocked)(run.error)), ({ error }) => error)

/** All that a user could miss, but for one branch, files that were to change, and the index that tells of those. */
export const keptBut = (
  { files, index, refs, ...rest }: Repository.Snapshot,
  { branch, changed = [] }: { readonly branch: string; readonly changed?: ReadonlyArray<string> }
) => ({
  ...rest,
  refs: refs.filter((ref) => !ref.startsWith(`refs/heads/${branch} `)),
  files: Object.fromEntries(Object.entries(files).filter(([file]) => !changed.includes(file))),
  index: changed.length === 0 ? index : undefined
})

/** The error of a job that must not be started. */
export const refusal = <E, R>(start: Effect.Effect<unknown, E, R>) =>
  // A success is not shown: what a job came to is long.
  Effect.flip(Effect.asVoid(start))

/** The tasks that commits claim, such as `api 2`, oldest first; one that was done twice is there twice. */
export const doneTasks = (world: Sandbox, top: string, range: string) =>
  Effect.map(
    world.git(
      top,
      "log",
      "--reverse",
      "--topo-order",
      "--format=%(trailers:key=Charlotte-Unit,valueonly,separator=) %(trailers:key=Charlotte-Task,valueonly,separator=)",
      range
    ),
    (log) => log.split("\n").filter((line) => /^\S+ \d+$/.test(line))
  )

/** The commit that a revision names. */
export const commitOf = (world: Repository.Sandbox, top: string, revision: string) =>
  Effect.map(world.git(top, "rev-parse", revision), (line) => line.trim())

/** A user's commit on `main`, through a worktree of his own, so that his checkout is not touched; no content, no file. */
export const commitOnMain = (world: Repository.Sandbox, top: string, file: string, content?: string) =>
  Effect.gen(function* () {
    const elsewhere = `${world.root}/elsewhere`
    yield* world.git(top, "worktree", "add", "--quiet", elsewhere, "main")
    yield* content === undefined
      ? world.git(elsewhere, "rm", "--quiet", file)
      : world.write(`${elsewhere}/${file}`, content)
    yield* world.git(elsewhere, "add", "--all")
    yield* world.git(elsewhere, "commit", "--quiet", "-m", `user: ${file}`)
    yield* world.git(top, "worktree", "remove", elsewhere)
    return yield* commitOf(world, top, "main")
  })

/** Waits for an event of a job, such as `unit.completed api`. */
export const eventually = (id: JobId.JobId, wanted: string) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const events = Stream.map(manager.events(id), ({ task, type, unit }) =>
      [type, unit, task].filter(Boolean).join(" ")
    )
    yield* Stream.runDrain(Stream.takeUntil(events, (event) => event === wanted))
  })
