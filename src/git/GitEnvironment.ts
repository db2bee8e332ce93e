/**
 * The environment of git commands, and their limits.
 */
import { Context, Duration } from "effect"
import { tmpdir } from "node:os"

export interface GitEnvironment {
  /** A name to search for in `PATH`, or an absolute path. */
  readonly executable: string
  /**
   * `PATH` to find it, `HOME` and `XDG_CONFIG_HOME` for the user's own configuration, `GNUPGHOME` and `SSH_AUTH_SOCK` for signing; none
   * of git's own variables.
   */
  readonly variables: Readonly<Record<string, string>>
  /** The directory for temporary directories. */
  readonly scratch: string
  /** How long to wait for a lock of a live process. */
  readonly patience: Duration.Duration
  /** The minimum age of a lock that may be considered abandoned by a dead process. */
  readonly staleAfter: Duration.Duration
  /** The time limit of one command. */
  readonly limit: Duration.Duration
}

const passedOn = ["PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER", "LOGNAME", "GNUPGHOME", "SSH_AUTH_SOCK"]

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
