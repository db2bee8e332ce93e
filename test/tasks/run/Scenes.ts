/**
 * Shared by tests of single parts of a job: a user who acts while the job is at a certain point, or follows the advice of an error.
 */
import { type JobId, JobManager } from "charlotte"
import { Effect, Schema, Stream } from "effect"
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import type * as Repository from "../../support/Repository.js"
import type { Sandbox } from "../../support/Repository.js"
import { appears, ended, run } from "../Jobs.js"

export type Config = Parameters<typeof run>[0]

/** For a script: signals that it was reached, and continues when released. */
export const pausing = ({ root }: Sandbox, script: string, name = "go"): string =>
  `touch '${root}/${name}.reached'\nwhile ! test -e '${root}/${name}'; do sleep 0.02; done\n${script}`

/** Runs an action while a task of the job is paused, then lets the job run to its end. */
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

/** For a script or gate: appends a line outside the repository, to count runs. */
export const counting = ({ root }: Sandbox, name: string): string => `echo x >> '${root}/count-${name}'`

/** The number of runs. */
export const counted = ({ root }: Sandbox, name: string) =>
  Effect.promise(async () => (await readFile(`${root}/count-${name}`, "utf8").catch(() => "")).length / 2)

/** Runs the command of an error message, from another directory; returns exit code and output. */
export const follow = ({ environment, root }: Sandbox, command: string) =>
  Effect.async<{ readonly code: number; readonly output: string }>((resume) => {
    const env = { ...environment.variables, LC_ALL: "C" }
    const child = execFile("sh", ["-c", command], { cwd: root, env }, (error, stdout, stderr) =>
      resume(Effect.succeed({ code: error === null ? 0 : (child.exitCode ?? -1), output: stdout + stderr }))
    )
  })

/** Executes the `charlotte retry ID` of an error message. */
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

/** The `LandingBlocked` error of a job. */
export const blockedBy = ({ run }: Effect.Effect.Success<ReturnType<typeof ended>>) =>
  Effect.map(Effect.orDie(Schema.decodeUnknown(Blocked)(run.error)), ({ error }) => error)

/** The visible state of the user's checkout, without one branch, expected file changes, and the index. */
export const keptBut = (
  { files, index, refs, ...rest }: Repository.Snapshot,
  { branch, changed = [] }: { readonly branch: string; readonly changed?: ReadonlyArray<string> }
) => ({
  ...rest,
  refs: refs.filter((ref) => !ref.startsWith(`refs/heads/${branch} `)),
  files: Object.fromEntries(Object.entries(files).filter(([file]) => !changed.includes(file))),
  index: changed.length === 0 ? index : undefined
})

/** The error of a job that must be rejected. */
export const refusal = <E, R>(start: Effect.Effect<unknown, E, R>) =>
  // The result of an unexpected success is too long to print.
  Effect.flip(Effect.asVoid(start))

/** The tasks in commit trailers, such as `api 2`, oldest first; a repeated task is listed twice. */
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

/** The commit id of a revision. */
export const commitOf = (world: Repository.Sandbox, top: string, revision: string) =>
  Effect.map(world.git(top, "rev-parse", revision), (line) => line.trim())

/** Commits as the user on `main`, in a separate worktree; without content the file is removed. */
export const commitOnMain = (world: Repository.Sandbox, top: string, file: string, content?: string) =>
  Effect.gen(function* () {
    const elsewhere = `${world.root}/elsewhere`
    yield* world.git(top, "worktree", "add", "--quiet", elsewhere, "main")
    yield* content === undefined
      ? world.git(elsewhere, "rm", "--quiet", file)
      : world.write(`${elsewhere}/${file}`, content)
    const commit = yield* world.shell(
      elsewhere,
      `git add --all
       git commit --quiet -m 'user: ${file}'
       git rev-parse main
       git -C '${top}' worktree remove '${elsewhere}'`
    )
    return commit.trim()
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
