/**
 * What tests of child processes share: a directory, a runner, and proof of who is alive.
 */
import { Context, Duration, Effect, Layer } from "effect"
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import * as JobId from "../../src/domain/JobId.js"
import { poll } from "../../src/internal/RealClock.js"
import * as RunStore from "../../src/store/RunStore.js"
import * as ProcessRunner from "../../src/process/ProcessRunner.js"
import { newRun } from "../store/runs.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

export const jobId = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV")

/** Of the job in the program that is killed. */
export const kind = "stubborn"

/** A store with the job whose processes these are. */
export const store = Layer.tap(RunStore.layerMemory, (context) =>
  Context.get(context, RunStore.RunStore).create(newRun(1, { id: jobId, kind }))
).pipe(Layer.orDie)

/** A runner and the store that it writes to. */
export const layer = ProcessRunner.layer.pipe(Layer.provideMerge(store))

/** The open records of processes. They are closed soon after the ends of these, for which nothing waits. */
export const unclosed = Effect.flatMap(RunStore.RunStore, ({ childProcesses }) =>
  poll(childProcesses.unclosed(jobId), { until: ({ length }) => length === 0, pause: 1, atMost: "20 seconds" })
)

/** A fresh directory, removed at the end. */
export const directory = TemporaryDirectory.make

/** Real time, under whatever clock the test runs. */
export const pause = (millis: number) =>
  Effect.async<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** Waits for a condition that the outside world gives no event for. */
export const eventually = (what: string, condition: () => boolean, millis = 120_000) =>
  Effect.suspend(() => {
    const deadline = performance.now() + millis
    return Effect.gen(function* () {
      while (!condition()) {
        if (performance.now() > deadline) return yield* Effect.dieMessage(`not within ${millis} ms: ${what}`)
        yield* pause(5)
      }
    })
  })

export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const before = performance.now()
    return Effect.map(effect, (value) => ({ value, millis: performance.now() - before }))
  })

/** What a file says; nothing where there is none, or none any more, as of a process that ends meanwhile. */
export const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ESRCH")) return ""
    throw cause
  }
}

/** The kernel holds the lock for as long as one process lives that has inherited it. */
export const isHeld = (lock: string): boolean => {
  const { status } = spawnSync("flock", ["-n", lock, "true"])
  if (status === null) throw new Error("these tests need the command flock, of util-linux")
  return status !== 0
}

/** Whether the process has begun with a variable, such as `A=1`, in its environment; not if it has ended, or is of another user. */
const hasVariable = (pid: number, variable: string): boolean => {
  try {
    return read(`/proc/${pid}/environ`).split("\0").includes(variable)
  } catch {
    return false
  }
}

/** The processes that have inherited one of these locks, or are about to take it. */
const holders = (locks: ReadonlyArray<string>): ReadonlyArray<number> =>
  readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      try {
        return (
          locks.includes(readlinkSync(`/proc/${pid}/fd/9`)) || locks.some((lock) => hasVariable(pid, `LOCK=${lock}`))
        )
      } catch {
        return false
      }
    })

const killAll = (find: () => ReadonlyArray<number>): Effect.Effect<void> =>
  Effect.sync(() => {
    for (let found = find(); found.length > 0; found = find()) {
      spawnSync("kill", ["-KILL", ...found.map(String)])
    }
  })

/** Kills all processes with the variable in their environment. */
export const killWith = (variable: string): Effect.Effect<void> =>
  killAll(() =>
    readdirSync("/proc")
      .map(Number)
      .filter((pid) => hasVariable(pid, variable))
  )

/** What a failed test leaves would slow down those after it. Some of them multiply while they are being killed. */
export const killHolders = (locks: ReadonlyArray<string>): Effect.Effect<void> => killAll(() => holders(locks))

/** Whether there is such a process, and it is no zombie. */
export const isAlive = (pid: number): boolean =>
  / [^ZX] /.test(read(`/proc/${pid}/stat`).replace(/^.*\)/s, "").slice(0, 3))

/** How to run a shell script that finds a file for its lock in `$LOCK`. */
export const script = (home: string, text: string): ProcessRunner.RunOptions & { readonly lock: string } => {
  const lock = join(home, "lock")
  return {
    jobId,
    attempt: 1,
    purpose: "test",
    command: ["sh", "-c", text],
    cwd: home,
    env: { LOCK: lock },
    output: join(home, "output.log"),
    grace: () => Duration.millis(300),
    lock
  }
}

/** Takes the lock, which every descendant inherits. */
export const hold = `exec 9>>"$LOCK"; flock 9; `

export const deaf = `trap '' TERM INT HUP; `

/**
 * Processes that do not want to end. Each says `ready` when all of it is there. Those that multiply do so for a minute only: where the
 * tests are killed, nothing else ends them.
 */
export const stubborn: { readonly [name: string]: string } = {
  "ignores TERM, INT and HUP": `${hold}${deaf} echo ready; while :; do sleep 1000; done`,
  "has a daemon in a session of its own": `${hold}${deaf} ( (setsid sh -c 'echo ready; sleep 1000 & sleep 1000' &) & ); sleep 1000`,
  "is stopped": `${hold}${deaf} echo ready; kill -STOP $$; sleep 1000`,
  // Its child ignores signals from the start, since it may get one at once.
  "exits before its child": `${hold}${deaf} sleep 1000 & echo ready; exit 3`,
  "forks 50 times a second": `${hold}${deaf} echo ready; n=0; while [ $n -lt 3000 ]; do n=$((n + 1)); sleep 1000 & sleep 0.02; done; sleep 1000`,
  "runs away from session to session": `${hold}${deaf} RUN='${deaf} N=$((N + 1)); sleep 0.02; [ $N -gt 3000 ] || setsid sh -c "$RUN" &'; N=0; export N RUN; setsid sh -c "$RUN" & echo ready; sleep 1000`,
  "clears its environment": `${hold}${deaf} env -i sh -c 'echo ready; sleep 1000 & sleep 1000' & wait; sleep 1000`,
  "clears its environment and leaves, but holds the pipe": `${hold}${deaf} env -i setsid sh -c 'echo ready; sleep 1000 & sleep 1000' & wait`,
  "redirects its output": `${hold}${deaf} echo ready; sleep 1000 < /dev/null > /dev/null 2>&1`
}
