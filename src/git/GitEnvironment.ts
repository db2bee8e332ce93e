/**
 * What git is given of the world around this process: nothing but what stands here.
 */
import { Context, Duration } from "effect"
import { tmpdir } from "node:os"

export interface GitEnvironment {
  /** A name that is looked for in `PATH`, or an absolute path. */
  readonly executable: string
  /** `PATH` to find it, `HOME` and `XDG_CONFIG_HOME` for the user's own configuration; no variable of git's. */
  readonly variables: Readonly<Record<string, string>>
  /** Where short-lived directories are made. */
  readonly scratch: string
  /** How long a lock of a live process is waited for. */
  readonly patience: Duration.Duration
  /** How old a lock must be at the least to be taken for one of a dead process. */
  readonly staleAfter: Duration.Duration
  /** How long one command may take. */
  readonly limit: Duration.Duration
}

const passedOn = ["PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER", "LOGNAME"]

/** Read once, from the environment of this process. */
const ofThisProcess = (): GitEnvironment => ({
  executable: "git",
  variables: Object.fromEntries(
    passedOn.flatMap((name) => {
      // oxlint-disable-next-line node/no-process-env -- the one place where git's environment is read
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    })
  ),
  scratch: tmpdir(),
  patience: Duration.seconds(5),
  staleAfter: Duration.seconds(2),
  limit: Duration.minutes(10)
})

/** The environment of this process, unless another one is provided. */
export class GitEnvironmentRef extends Context.Reference<GitEnvironmentRef>()("charlotte/GitEnvironment", {
  defaultValue: ofThisProcess
}) {}
