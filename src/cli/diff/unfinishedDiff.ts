/**
 * The pages of the diff of a snapshot of unfinished work. Snapshots are in the home, so no server is asked. Imported when it is needed,
 * since it loads git.
 */
import { Effect, Option } from "effect"
import { Home } from "../../daemon/home/Home.js"
import { Problem } from "../../daemon/Problem.js"
import type { JobId } from "../../domain/JobId.js"
import * as Git from "../../git/Git.js"
import { Diff, DiffFile } from "../../http/contract/Diff.js"
import * as JobDirectories from "../../tasks/JobDirectories.js"
import * as Snapshots from "../../tasks/Snapshots.js"
import * as RemoteServer from "../target/RemoteServer.js"
import { Output } from "../terminal/Output.js"
import * as text from "../terminal/text.js"

/** The values come from git. */
const unchecked = { disableValidation: true }

export const open = (jobId: JobId, unit: string, wanted: number | "last") =>
  Effect.gen(function* () {
    const { directory } = yield* Home
    const isRemote = yield* RemoteServer.isUsed
    const place = Snapshots.directoryOf(JobDirectories.of(directory, jobId).unfinished, unit)
    const found = isRemote ? [] : yield* Snapshots.list(place)
    const snapshot = wanted === "last" ? found.at(-1) : found.find(({ number }) => number === wanted)
    if (snapshot === undefined) {
      const numbers = found.map(({ number }) => number)
      const where = `of unit ${unit} of job ${jobId}`
      const none =
        numbers.length === 0
          ? `there is no snapshot of unfinished work ${where}`
          : `there is no such snapshot ${where}; there ${numbers.length === 1 ? "is" : "are"}: ${numbers.join(", ")}`
      const problem = isRemote ? `snapshots ${where} are on the machine of the server; run this command there` : none
      return yield* new Problem({ name: "NoSnapshot", problem, details: { jobId, unit, numbers, isRemote } })
    }
    const { base, commit, record } = snapshot
    const output = yield* Output
    for (const { path, reason } of record.leftOut)
      yield* output.error(`not in the snapshot: ${text.clean(path)} (${text.clean(reason)})\n`)
    const git = yield* Git.make
    const repository = yield* git.open(record.repository)
    return (after: string | undefined) =>
      Effect.map(git.diffSnapshot(repository, { ...snapshot, from: Number(after ?? 0) }), ({ files, next }) => {
        const page = { base, head: commit, files: files.map((file) => new DiffFile(file, unchecked)) }
        return new Diff({ ...page, ...(Option.isSome(next) && { next: String(next.value) }) }, unchecked)
      })
  })
