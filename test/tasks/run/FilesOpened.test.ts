/** What git costs a task in a large repository, against the commands of a user. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, task } from "../Jobs.js"

const strace = "strace --follow-forks --quiet=all --trace=execve,open,openat,openat2,creat"

const canTrace = spawnSync("sh", ["-c", `${strace} --output=/dev/null true`], { stdio: "ignore" }).status === 0

/** What a trace has of git itself: a script that only starts it has opened files as well. */
const ofGit = (trace: string): ReadonlyArray<string> => {
  const lines = trace.split("\n")
  const [pid = ""] = trace.split(" ", 1)
  // Short ids are padded.
  const starts = (line: string) => line.startsWith(`${pid.padEnd(5)} execve(`) && line.endsWith(" = 0")
  return lines.slice(lines.findLastIndex(starts) + 1)
}

/** The number of files and directories that git opened in the traced commands. */
const opened = (directory: string): number =>
  readdirSync(directory)
    .flatMap((name) => ofGit(readFileSync(`${directory}/${name}`, "utf8")))
    .filter((line) => / = \d+$/.test(line) && !line.includes("execve")).length

it.scopedLive.skipIf(!canTrace)(
  "for a task in a worktree of 10,000 files git opens at most twice the files that `git add --all && git commit` opens",
  () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { root } = world
      const executable = `${root}/git`
      yield* world.write(executable, `#!/bin/sh\nexec ${strace} --output='${root}/traces/'$$ git "$@"\n`, 0o755)
      // In one step, since git may run meanwhile.
      const traceInto = (name: string) =>
        `mkdir '${root}/${name}'; ln -s '${root}/${name}' '${root}/next'; mv -T '${root}/next' '${root}/traces'`
      const change = "echo new > new-$n.txt; echo changed > many/$n/3.txt"
      // Files that are a second older than the index need not be read.
      const turn = (n: number) => task(n, `n=${n}\n${traceInto(`${n}`)}\n${change}\nsleep 1.1`, "true")
      const { config, top } = yield* repository(world, { "1-a.md": turn(1), "2-b.md": turn(2), "3-c.md": turn(3) })
      yield* world.shell(
        top,
        `git switch --quiet --force main
         ${traceInto("0")}
         for d in $(seq 100); do mkdir -p many/$d; for f in $(seq 100); do echo $d $f > many/$d/$f.txt; done; done
         git add many; git commit --quiet -m many`
      )
      const { run: record } = yield* run(config).pipe(
        Effect.provide(charlotte({ ...world, environment: { ...world.environment, executable } }))
      )
      expect(record.status).toBe("completed")
      yield* world.shell(
        top,
        `${traceInto("plain")}
         n=4; ${change}; sleep 1.1
         '${executable}' add --all; '${executable}' commit --quiet -m plain`
      )
      // From the agent of the second task to the agent of the third.
      const [ours, plain] = [opened(`${root}/2`), opened(`${root}/plain`)]
      yield* Effect.logInfo(`git opened ${ours} files for a task, and ${plain} for the commands of a user`)
      expect(plain).toBeGreaterThan(100)
      expect(ours).toBeLessThanOrEqual(2 * plain)
    })
)
