/**
 * Processes that keep their environment, files and working directory to themselves (`PR_SET_DUMPABLE` 0), from all but root.
 * Only an ordinary user sees what that changes: `scripts/asOrdinaryUser.sh`.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { RunStore } from "../../src/store/RunStore.js"
import * as ProcessRunner from "../../src/process/ProcessRunner.js"
import { directory, eventually, isAlive, jobId, layer, read, script, unclosed } from "./workshop.js"

const isThere = (command: string, ...args: ReadonlyArray<string>) => spawnSync(command, args).status === 0

/** It leaves session, group, streams and environment behind, and cannot be read: all that it can do without being somebody else. */
const daemon = `
import ctypes, os, time
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
null = os.open("/dev/null", os.O_RDWR)
for fd in (0, 1, 2): os.dup2(null, fd)
with open("daemon.pid.new", "w") as file: file.write(f"{os.getpid()}\\n")
os.rename("daemon.pid.new", "daemon.pid")
time.sleep(1000)
`

/** What starts each of them in `$LOCK`'s directory, so that its pid is in `daemon.pid`. */
const daemons = {
  "ssh-agent": {
    isThere: isThere("sh", "-c", "command -v ssh-agent"),
    start: `ssh-agent -a "$PWD/socket" > vars; sed -n 's/^SSH_AGENT_PID=\\([0-9]*\\).*/\\1/p' vars > daemon.pid.new; mv daemon.pid.new daemon.pid`
  },
  "a daemon that sets it itself": {
    isThere: isThere("python3", "-c", "import ctypes; ctypes.CDLL(None).prctl"),
    start: `cat > daemon.py <<'END'${daemon}END
python3 daemon.py`
  },
  "a daemon that has cleared its environment before": {
    isThere: isThere("python3", "-c", "import ctypes; ctypes.CDLL(None).prctl"),
    start: `cat > daemon.py <<'END'${daemon}END
env -i "$(command -v python3)" daemon.py`
  }
}

const started = (home: string) =>
  Effect.map(
    eventually("a daemon", () => existsSync(join(home, "daemon.pid"))),
    () => Number(read(join(home, "daemon.pid")))
  )

const nothingIsOpen = Effect.gen(function* () {
  expect(yield* unclosed).toEqual([])
})

for (const [name, { isThere, start }] of Object.entries(daemons))
  describe.runIf(process.platform === "linux" && isThere)(`${name}, started by a job`, { timeout: 300_000 }, () => {
    it.scopedLive("is gone when the process has ended that has started it", () =>
      Effect.gen(function* () {
        const home = yield* directory
        const result = yield* Effect.flatMap(ProcessRunner.ProcessRunner, (runner) => runner.run(script(home, start)))
        expect(result.outcome, result.output.tail).toEqual({ _tag: "Exited", code: 0 })
        expect(isAlive(yield* started(home))).toBe(false)
        yield* nothingIsOpen
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("is gone when the job was interrupted", () =>
      Effect.gen(function* () {
        const home = yield* directory
        const runner = yield* ProcessRunner.ProcessRunner
        const fiber = yield* Effect.fork(runner.run(script(home, `${start}; sleep 1000`)))
        const pid = yield* started(home)
        expect(isAlive(pid)).toBe(true)
        yield* Fiber.interrupt(fiber)
        expect(isAlive(pid)).toBe(false)
        yield* nothingIsOpen
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("is found after a crash, when all that has led to it is dead", () =>
      Effect.gen(function* () {
        const home = yield* directory
        const runner = yield* ProcessRunner.ProcessRunner
        const fiber = yield* Effect.fork(runner.run(script(home, `${start}; echo $$ > leader; sleep 1000`)))
        const pid = yield* started(home)
        // The next manager works on the same records, and knows nothing else.
        const next = yield* ProcessRunner.make((yield* RunStore).childProcesses)
        yield* eventually("the leader", () => read(join(home, "leader")).endsWith("\n"))
        process.kill(-Number(read(join(home, "leader"))), "SIGKILL")
        expect(yield* next.recover(jobId)).toBeGreaterThanOrEqual(0)
        expect(isAlive(pid)).toBe(false)
        yield* Fiber.join(fiber)
        yield* nothingIsOpen
      }).pipe(Effect.provide(layer))
    )
  })

describe.runIf(daemons["ssh-agent"].isThere)("an ssh-agent of the user's", () => {
  it.scopedLive("that was started while a job worked, and is none of the job's, is left alone", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const runner = yield* ProcessRunner.ProcessRunner
      const fiber = yield* Effect.fork(runner.run(script(home, `touch ready; sleep 1000`)))
      yield* eventually("ready", () => existsSync(join(home, "ready")))
      const said = execFileSync("ssh-agent", ["-a", join(home, "mine")], { encoding: "utf8" })
      const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1])
      yield* Effect.addFinalizer(() => Effect.sync(() => void process.kill(pid, "SIGKILL")))
      yield* Fiber.interrupt(fiber)
      expect(isAlive(pid)).toBe(true)
    }).pipe(Effect.provide(layer))
  )
})
