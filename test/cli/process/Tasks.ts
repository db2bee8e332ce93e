/** Tasks for processes to work on, and what has come of them. */
import { Effect, Schedule } from "effect"
import { existsSync } from "node:fs"
import { task, unit } from "../../tasks/Jobs.js"
import type { World } from "./Charlotte.js"

const settings = { "charlotte.yaml": "agent: script\nattempts: 1\n" }

/** Two units of two tasks and one, the second after the first. */
export const simple = {
  ...settings,
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-one.md": task(1, "echo one > one", "grep one one"),
  "a/02-two.md": task(2, "echo two > two", "grep two two", [1]),
  "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
  "b/01-three.md": task(1, "echo three > three", "cat one two three")
}

/** The same, but the second task goes on only when it may; `first` is done before it waits. */
export const waiting =
  (first = ":") =>
  (root: string) => ({
    ...simple,
    "a/02-two.md": task(
      2,
      `${first}\ntouch '${root}/reached'\nwhile ! test -e '${root}/go'; do sleep 0.05; done\necho two > two`,
      "grep two two",
      [1]
    )
  })

/** Does not end when it is asked to. */
export const stubborn = waiting("trap '' TERM INT HUP")

/** Returns when the second task is at work, which creates this file. */
export const reached = ({ root }: World, file = "reached") =>
  Effect.sync(() => existsSync(`${root}/${file}`)).pipe(
    Effect.repeat({ until: (isThere) => isThere, schedule: Schedule.spaced("20 millis") })
  )

/** Lets the second task go on, now and in every attempt. */
export const release = ({ root, write }: World) => write(`${root}/go`, "")

/** Which tasks the commits of `main` tell of, such as `a 1`, each time they do. */
export const done = ({ git, repository }: World) =>
  Effect.map(
    git(
      repository,
      "log",
      "--format=%(trailers:key=Charlotte-Unit,valueonly,separator=%x20) %(trailers:key=Charlotte-Task,valueonly,separator=%x20)",
      "main"
    ),
    (log) =>
      log
        .split("\n")
        .map((line) => line.replaceAll(/\s+/g, " ").trim())
        .filter((line) => / \d/.test(line))
        .sort()
  )

export const all = ["a 1", "a 2", "b 1"]
