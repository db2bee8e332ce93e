/**
 * The jobs in the database of a home that no process holds.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Context, Effect, Layer, Option, type Scope, Stream } from "effect"
import type { InvalidConfiguration } from "../../daemon/config/ConfigurationFile.js"
import type { HomeBusy } from "../../daemon/home/LockOwner.js"
import { Home, type HomeUnusable } from "../../daemon/home/Home.js"
import * as databaseClient from "../../daemon/layers/databaseClient.js"
import * as HomeDatabase from "../../daemon/home/HomeDatabase.js"
import type { Problem } from "../../daemon/Problem.js"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { Service as JobClient } from "../../http/client/JobClient.js"
import * as JobQueries from "../../http/server/JobQueries.js"
import { resumeJob } from "../../http/server/resumeJob.js"
import { version } from "../../http/contract/Version.js"
import type { JobManager } from "../../manager/JobManager.js"
import * as Database from "../../store/Database.js"
import * as Page from "../../store/rules/Page.js"
import * as RunStore from "../../store/RunStore.js"
import * as Runs from "../../store/Runs.js"
import type { NotResponding } from "../daemon/ensureResponding.js"
import * as Copy from "./copyDatabase.js"
import { isManaged } from "./isManaged.js"

type Query<Name extends "diff" | "get" | "list" | "step"> = (
  ...args: Parameters<JobClient[Name]>
) => Effect.Effect<
  Effect.Effect.Success<ReturnType<JobClient[Name]>>,
  Effect.Effect.Error<ReturnType<JobClient[Name]>> | NotResponding
>

/** Read access to jobs. */
export interface Jobs extends Pick<JobClient, "events"> {
  readonly export: (
    id: JobId
  ) => Stream.Stream<string | Uint8Array, Stream.Stream.Error<ReturnType<JobClient["export"]>>>
  readonly diff: Query<"diff">
  readonly get: Query<"get">
  readonly list: Query<"list">
  readonly step: Query<"step">
}

/** Can also start, resume and retry jobs. */
export type Manager = Jobs & Pick<JobClient, "start" | "resume" | "retry">

/** The kind that is listed by default. */
const tasks = "tasks"

export interface Options {
  /** Whether a process of another home runs the jobs. */
  readonly isManaged?: boolean
}

export const make = (store: RunStore.Service, { isManaged = false }: Options = {}): Jobs => {
  /** Without a process that runs it, a running job is interrupted: the next manager will record that. */
  const phaseOf = ({ status }: Run) =>
    Effect.succeed({ phase: undefined, status: status === "running" && !isManaged ? ("interrupted" as const) : status })
  const page = ({ kinds: [kind = tasks] = [], status, ...query }: JobQueries.PageQuery) => {
    if (isManaged) return store.page({ ...query, kind, ...(status && { status }) })
    if (status === "running") return Effect.succeed({ runs: [], next: Option.none<JobId>() })
    if (status !== "interrupted") return store.page({ ...query, kind, ...(status && { status }) })
    const found = Effect.forEach(["interrupted", "running"] as const, (status) =>
      store.page({ ...query, kind, status })
    )
    return Effect.map(found, Page.merged(query.limit))
  }
  const queries = JobQueries.make({ kinds: "any", phaseOf, store, page })
  return {
    list: ({ kind = tasks, limit = 100, ...query } = {}) => queries.list({ ...query, limit, kinds: [kind] }),
    get: queries.get,
    step: queries.step,
    export: (id) => Stream.unwrap(queries.export(id)),
    diff: (id, query = {}) =>
      Effect.flatMap(
        Effect.promise(() => import("../../tasks/http/JobDiff.js")),
        ({ make }) => Effect.flatMap(make, ({ of }) => of(store, () => true, id, query))
      ),
    events: Runs.make(store).events
  }
}

/** The same, with a manager in this process. */
export const managed = ({
  resume,
  retry,
  signal,
  start
}: JobManager["Type"]): Effect.Effect<Manager, never, RunStore.RunStore> =>
  Effect.map(RunStore.RunStore, (store) => ({
    ...make(store),
    start,
    resume: (id, options = {}) =>
      resumeJob(store, { resume, signal: (name, payload, by) => signal(id, name, payload, by) }, id, options),
    retry
  }))

/** A copy may be migrated and recovered. */
const copied = Layer.unwrapScoped(
  Effect.gen(function* () {
    const { database } = yield* Home
    const filename = yield* Copy.copyDatabase(database)
    return Layer.provide(RunStore.layer, Database.layer({ filename }))
  })
)

/**
 * Reads the database without writing to it, unless it needs a migration or a recovery first; reads a copy if it cannot be written.
 * Another process may use the database meanwhile.
 */
export const store: Effect.Effect<
  RunStore.Service,
  HomeBusy | HomeUnusable | InvalidConfiguration | Problem | StoreError,
  FileSystem | Home | Path | Scope.Scope
> = Effect.gen(function* () {
  const fs = yield* FileSystem
  const { database } = yield* Home
  const choice = yield* HomeDatabase.chosenToRead
  const isThere = yield* Effect.orElseSucceed(fs.exists(database), () => false)
  const storeOf = <R, E, R2>(layer: Layer.Layer<R | RunStore.RunStore, E, R2>) =>
    Effect.map(Layer.build(layer), Context.get(RunStore.RunStore))
  if (choice._tag === "Sqlite" && !isThere) return yield* storeOf(RunStore.layerMemory)
  if (choice._tag === "Sqlite" && Copy.isNeeded(database)) return yield* storeOf(copied)
  return yield* storeOf(Layer.provide(RunStore.layerUntouched, databaseClient.layerUntouched(choice))).pipe(
    Effect.catchIf(
      ({ reason }) => reason === "version" || reason === "readonly",
      () =>
        Effect.flatMap(
          Effect.promise(() => import("../../daemon/layers/Layers.js")),
          (Layers) => storeOf(Layers.store({ what: "run", version }))
        )
    )
  )
})

export const open = Effect.gen(function* () {
  const opened = yield* store
  const { _tag } = yield* HomeDatabase.chosenToRead
  // A SQLite file belongs to its home, which no process holds.
  return make(opened, { isManaged: _tag === "Postgres" && (yield* isManaged(opened, tasks)) })
})
