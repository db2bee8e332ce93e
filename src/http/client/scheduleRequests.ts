/**
 * Requests about schedules.
 */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import { Effect } from "effect"
import { Api } from "../contract/Api.js"
import type { Derived } from "./Derived.js"
import type { ScheduleRequests } from "./JobClientService.js"

export const make = ({
  options,
  translateErrors,
  withTimeout
}: Pick<Derived, "options" | "translateErrors" | "withTimeout">): Effect.Effect<ScheduleRequests> =>
  Effect.gen(function* () {
    const about = { ...options, group: "charlotteSystem" } as const
    const schedules = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...about, endpoint: "schedules" }))
    const run = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...about, endpoint: "runSchedule" }))
    const pause = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...about, endpoint: "pauseSchedule" }))
    const unpause = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...about, endpoint: "unpauseSchedule" }))
    const remove = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...about, endpoint: "removeSchedule" }))
    const of = (kind: string, name: string, { by }: { readonly by?: string | undefined } = {}) => ({
      path: { kind, name },
      urlParams: by === undefined ? {} : { by }
    })
    return {
      schedules: withTimeout(translateErrors(Effect.flatMap(schedules, (list) => list({})))),
      runSchedule: (kind, name, options) =>
        translateErrors(Effect.flatMap(run, (run) => Effect.map(run(of(kind, name, options)), ({ id }) => id))),
      pauseSchedule: (kind, name, options) =>
        translateErrors(Effect.flatMap(pause, (pause) => pause(of(kind, name, options)))),
      unpauseSchedule: (kind, name, options) =>
        translateErrors(Effect.flatMap(unpause, (unpause) => unpause(of(kind, name, options)))),
      removeSchedule: (kind, name, options) =>
        translateErrors(Effect.flatMap(remove, (remove) => remove(of(kind, name, options))))
    }
  })
