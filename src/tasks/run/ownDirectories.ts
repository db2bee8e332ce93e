import { Effect } from "effect"
import { removeDetour } from "../../process/createFile.js"
import type { RunContext } from "./RunContext.js"

/**
 * Makes sure that a log or a prompt will be below the logs of its job: an agent that may write there could have put a link in place of a
 * directory, and what the manager writes would go elsewhere.
 */
export const ownDirectories = ({ directories, job }: RunContext, file: string): Effect.Effect<void> =>
  Effect.flatMap(removeDetour(directories.logs, file), (removed) =>
    removed === undefined
      ? Effect.void
      : Effect.annotateLogs(
          Effect.logWarning(`${removed} was no directory, and is removed: an agent has replaced it`),
          {
            jobId: job.id
          }
        )
  )
