/**
 * What the next turn at a task reads about changes that were discarded with their worktree: why, where the new worktree is, and the patch
 * that keeps them. It is in a file beside the new worktree, until that is removed.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option, Schema } from "effect"
import { dirname } from "node:path"
import { Git } from "../../git/Git.js"
import { ObjectId, type UnitName } from "../../git/RefNames.js"
import type { Worktree } from "../../git/Worktrees.js"
import type * as Prompt from "../agents/Prompt.js"
import type { Snapshot } from "../Snapshots.js"
import { ownDirectories } from "./ownDirectories.js"
import type { RunContext } from "./RunContext.js"
import { taskOf } from "./saveUnfinished.js"

const Noted = Schema.parseJson(
  Schema.Struct({
    job: Schema.String,
    /** The last commit of the unit. */
    commit: ObjectId,
    /** How many attempts at the task had failed: after another one, its changes are what is there. */
    failures: Schema.Int,
    why: Schema.String,
    patch: Schema.optional(Schema.Struct({ file: Schema.String, text: Schema.optional(Schema.String) }))
  })
)

const fileOf = ({ gitDir }: Worktree): string => `${gitDir}/charlotte-discarded`

interface Discarded {
  readonly commit: ObjectId
  readonly why: string
  /** None if nothing had changed, or it could not be saved. */
  readonly snapshot: Option.Option<Snapshot>
}

interface Place extends Worktree {
  readonly unit: UnitName | undefined
  readonly logs: string
}

/** Notes it beside the new worktree. Without the note, the prompt says less. */
export const note = (ctx: RunContext, worktree: Place, { snapshot, ...others }: Discarded) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const { logs, unit } = worktree
    const patch = Option.isSome(snapshot) ? yield* kept(keepPatch(ctx, logs, snapshot.value)) : undefined
    const { failures = 0 } = (unit === undefined ? undefined : taskOf(ctx, unit)) ?? {}
    const noted = { job: ctx.job.id, failures, ...others, ...(patch !== undefined && { patch }) }
    yield* fs.writeFileString(fileOf(worktree), yield* Schema.encode(Noted)(noted))
  }).pipe(
    Effect.catchAll(({ message }) => Effect.logWarning(`the next prompt does not say what was discarded: ${message}`))
  )

const kept = <A, E extends { readonly message: string }, R>(patch: Effect.Effect<A, E, R>) =>
  Effect.catchAll(patch, ({ message }) =>
    Effect.as(Effect.logWarning(`discarded work could not be kept as a patch: ${message}`), undefined)
  )

/** In bytes of a snapshot, which is compressed. What is larger is not made a patch. */
const maxPack = 4 * 1024 * 1024

/** In bytes of a patch that is part of the prompt. */
const maxText = 8 * 1024

const keepPatch = (ctx: RunContext, logs: string, snapshot: Snapshot) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const git = yield* Git
    if (Number((yield* fs.stat(snapshot.pack)).size) > maxPack) return undefined
    const content = yield* git.snapshotPatch(ctx.repository, snapshot)
    const file = `${logs}/discarded-${snapshot.number}.patch`
    yield* ownDirectories(ctx, file)
    yield* fs.makeDirectory(dirname(file), { recursive: true, mode: 0o700 })
    // An agent may have left a link in its place, which is not followed.
    yield* fs.remove(file, { recursive: true, force: true })
    yield* fs.writeFile(file, content, { flag: "wx", mode: 0o600 })
    return { file, ...(content.length <= maxText && { text: new TextDecoder().decode(content) }) }
  })

/** For the next turn at the task: the changes that were discarded since its last failed attempt. */
export const read = (
  { hide, job }: RunContext,
  { failures, tip, worktree }: { readonly failures: number; readonly tip: ObjectId; readonly worktree: Worktree }
) =>
  Effect.flatMap(FileSystem, (fs) => fs.readFileString(fileOf(worktree))).pipe(
    Effect.flatMap(Schema.decode(Noted)),
    Effect.option,
    Effect.map(Option.filter((noted) => noted.job === job.id && noted.commit === tip && noted.failures === failures)),
    Effect.map(
      Option.map(({ commit, patch, why }): Prompt.Discarded => {
        const text = patch?.text
        return { commit, why: hide(why), patch: patch && { ...patch, text: text === undefined ? text : hide(text) } }
      })
    )
  )
