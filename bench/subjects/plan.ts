/**
 * A repository with units of tasks that ask for nothing.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"

/** Gives its path. */
export const make = (root: string, units: number, tasks: number): string => {
  const repository = `${root}/repository`
  for (let unit = 1; unit <= units; unit++) {
    const directory = `${repository}/tasks/unit-${unit}`
    mkdirSync(directory, { recursive: true })
    writeFileSync(`${directory}/IMPLEMENTATION_PLAN.md`, `---\nunit: unit-${unit}\n---\n\n# Plan\n`)
    for (let task = 1; task <= tasks; task++) {
      const number = String(task).padStart(2, "0")
      const front = `task: ${task}\nstatus: pending\nbackpressure: "true"`
      writeFileSync(
        `${directory}/${number}-task.md`,
        `---\n${front}\n---\n\n# Task ${task}\n\nThere is nothing to do.\n`
      )
    }
  }
  const git = (...parameters: ReadonlyArray<string>) =>
    execFileSync("git", ["-C", repository, ...parameters], { stdio: ["ignore", "ignore", "inherit"] })
  git("init", "--quiet", "--initial-branch=main")
  git("config", "user.name", "Bench")
  git("config", "user.email", "bench@example.com")
  git("add", "--all")
  git("commit", "--quiet", "--message", "Tasks")
  return repository
}
