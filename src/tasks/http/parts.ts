/**
 * The parts of a server for jobs of tasks: their API, diffs, and metrics of the turns of agents and of gates. Loaded with its application.
 */
import type * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Layer, Option, Schema } from "effect"
import { Cost } from "../../domain/Cost.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import { serverApi } from "../../http/contract/Api.js"
import { Extension } from "../../http/server/Extension.js"
import * as instruments from "../../http/server/instruments.js"
import { Managers } from "../../http/server/Managers.js"
import * as Later from "../../internal/Later.js"
import { TurnClass } from "../events.js"
import * as AgentTurns from "./AgentTurns.js"
import { Api } from "./Api.js"

/** What a turn of an agent has cost. */
const isSpent = Schema.is(Schema.Struct({ agent: Schema.String, cost: Cost }))

/** How a turn of an agent may end. An orchestrator of the application may emit anything. */
const isTurn = Schema.is(Schema.Struct({ class: TurnClass }))

/** Most servers never need git. */
const loadJobDiff = Effect.promise(() => import("./JobDiff.js"))

const loadDecide = Effect.promise(() => import("./decide.js"))

export const extension = Layer.effect(
  Extension,
  Effect.gen(function* () {
    const { all, jobManager, ofRecorded, store } = yield* Managers
    const diff = yield* Later.make(Effect.flatMap(loadJobDiff, ({ make }) => make))
    const turns = AgentTurns.make()

    // Prometheus sees no increase in a series that begins with 1, so an alert would miss the first error.
    if (Option.isSome(jobManager)) {
      instruments.runErrors.add(instruments.ofError(jobManager.value.kind, "gate"), 0)
      for (const turn of TurnClass.literals) instruments.turns.add({ class: turn }, 0)
    }

    const record = (event: JobEvent) =>
      Effect.gen(function* () {
        const { jobId, payload, type } = event
        turns.record(event)
        if (type === "task.agent.ended" && isTurn(payload)) instruments.turns.add({ class: payload.class }, 1)
        if (type === "task.spent" && isSpent(payload)) {
          const { agent, cost } = payload
          for (const kind of ["input", "cached", "output"] as const)
            instruments.agentTokens.add({ agent, kind }, cost[kind])
          if (cost.usd !== undefined) instruments.agentCost.add({ agent }, cost.usd)
        }
        if (type !== "task.gate.failed") return
        for (const { kind } of Option.toArray(yield* store.get(jobId))) {
          instruments.runErrors.add(instruments.ofError(kind, "gate"), 1)
        }
      })

    return {
      diff: (id, query) =>
        Effect.flatMap(diff.get, ({ of }) => of(store, (run) => all.some(({ kind }) => kind === run.kind), id, query)),
      decide: (id, decision) =>
        Effect.flatMap(Effect.all([ofRecorded(id), loadDecide]), ([{ manager }, { decide }]) =>
          decide(
            store,
            (name, payload, options) =>
              // oxlint-disable-next-line typescript/consistent-type-assertions -- the name is Charlotte's own
              manager.signal(id, name as never, payload as never, options),
            id,
            decision
          )
        ),
      record,
      turns: turns.of,
      refusal: turns.refusal
    }
  })
)

/** Whether a schema is Charlotte's own, whose fields `fieldDocs` describes. */
const isOurs = (schema: string): boolean => Object.hasOwn(OpenApi.fromApi(Api).components.schemas, schema)

export const apiOf = <Groups extends HttpApiGroup.HttpApiGroup.Any, E>(
  jobs: HttpApi.HttpApi<"charlotte", Groups, E> | undefined
): HttpApi.HttpApi.Any => (jobs === undefined ? Api : serverApi(jobs, isOurs))
