/** Very many executions at once, whose decisions and children come just before, while and after they suspend. */
import { expect, it } from "@effect/vitest"
import { Activity, DurableDeferred, Workflow } from "@effect/workflow"
import { JobKind, RunStore } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Effect, Layer, Schema } from "effect"
import { idempotencyKey, payload, withEngine } from "../scene.js"

const Answer = (n: number) => DurableDeferred.make(`answer ${n}`, { success: Schema.Int })

const Asking = Workflow.make({ name: "Asking", payload, success: Schema.Int, idempotencyKey })

const answer = (executionId: string, n: number) =>
  DurableDeferred.succeed(Answer(n), {
    token: DurableDeferred.tokenFromExecutionId(Answer(n), { workflow: Asking, executionId }),
    value: n
  })

const Part = Workflow.make({ name: "Part", payload, success: Schema.Int, idempotencyKey })

const Whole = Workflow.make({ name: "Whole", payload, success: Schema.Int, idempotencyKey })

const idsOf = (count: number) => Array.from({ length: count }, (_, n) => String(n))

/** What each attempt of each execution has come to know. */
const makeProgress = () => {
  const attempts = new Map<string, Array<number>>()
  return {
    attempts,
    begin: (id: string) => Effect.sync(() => void attempts.set(id, [...(attempts.get(id) ?? []), 0])),
    advance: (id: string) =>
      Effect.sync(() => {
        const known = attempts.get(id) ?? []
        known.push((known.pop() ?? 0) + 1)
      })
  }
}

/** Each attempt has come to know more than the one before it, and there was no other. */
const expectNoneInVain = (workflow: typeof Asking | typeof Whole, { attempts }: ReturnType<typeof makeProgress>) =>
  Effect.gen(function* () {
    const { list } = yield* RunStore.RunStore
    const kind = Workflows.kind(workflow)
    const runs = yield* Effect.forEach(yield* list({ kind: kind.kind, limit: 10_000 }), JobKind.decodeRun(kind))
    expect(runs).toHaveLength(attempts.size)
    for (const { attempt, config, status } of runs) {
      const known = attempts.get(config.id) ?? []
      expect({ status, attempt, known }).toEqual({
        status: "completed",
        attempt: known.length,
        known: [...new Set(known)].toSorted((a, b) => a - b)
      })
    }
  })

/** For what hangs: a busy machine takes its time. */
const limit = 1_800_000

export const many =
  ({ executions, parents }: { readonly executions: number; readonly parents: number }) =>
  (store: Layer.Layer<RunStore.RunStore>): void => {
    it.live(
      `${executions} executions with two decisions each around their suspension end, without an attempt in vain`,
      () =>
        Effect.gen(function* () {
          const progress = makeProgress()
          const asking = Asking.toLayer(({ id }) =>
            Effect.gen(function* () {
              yield* progress.begin(id)
              const first = yield* DurableDeferred.await(Answer(1))
              yield* progress.advance(id)
              const second = yield* DurableDeferred.await(Answer(2))
              yield* progress.advance(id)
              return first + second
            })
          )
          yield* Effect.gen(function* () {
            const sums = yield* Effect.forEach(
              idsOf(executions),
              (id, n) =>
                Effect.gen(function* () {
                  const executionId = yield* Asking.executionId({ id })
                  // Every third is decided before it starts, and every third is not waited for.
                  const isEarly = n % 3 === 0
                  if (isEarly) yield* answer(executionId, 1)
                  yield* Asking.execute({ id }, { discard: true })
                  if (!isEarly) {
                    yield* Effect.sleep(n % 7)
                    yield* answer(executionId, 1)
                  }
                  yield* Effect.sleep(n % 5)
                  yield* answer(executionId, 2)
                  return yield* Asking.execute({ id })
                }),
              { concurrency: 100 }
            )
            expect(new Set(sums)).toEqual(new Set([3]))
            yield* expectNoneInVain(Asking, progress)
          }).pipe(withEngine(asking))
        }).pipe(Effect.provide(store)),
      limit
    )

    const withParents = (
      title: string,
      concurrency: 1 | 2,
      judge: (progress: ReturnType<typeof makeProgress>) => Effect.Effect<void, unknown, RunStore.RunStore>
    ) =>
      it.live(
        `${parents} ${title}`,
        () =>
          Effect.gen(function* () {
            const progress = makeProgress()
            const workflows = Layer.merge(
              Part.toLayer(() => Activity.make({ name: "one", success: Schema.Int, execute: Effect.succeed(1) })),
              Whole.toLayer(({ id }) =>
                Effect.gen(function* () {
                  yield* progress.begin(id)
                  const children = [1, 2].map((n) =>
                    Effect.zipLeft(Part.execute({ id: `${id}.${n}` }), progress.advance(id))
                  )
                  const parts = yield* Effect.all(children, { concurrency })
                  return parts.reduce((sum, part) => sum + part, 0)
                })
              )
            )
            yield* Effect.gen(function* () {
              const sums = yield* Effect.forEach(idsOf(parents), (id) => Whole.execute({ id }), {
                concurrency: "unbounded"
              })
              expect(new Set(sums)).toEqual(new Set([2]))
              yield* judge(progress)
              const { list } = yield* RunStore.RunStore
              const parts = yield* list({ kind: "workflow.Part", limit: 10_000 })
              expect(parts).toHaveLength(2 * parents)
              for (const { attempt, status } of parts)
                expect({ attempt, status }).toEqual({ attempt: 1, status: "completed" })
            }).pipe(withEngine(workflows))
          }).pipe(Effect.provide(store)),
        limit
      )

    withParents("parents with two children each end, without an attempt in vain", 1, (progress) =>
      expectNoneInVain(Whole, progress)
    )

    // The child that suspends may interrupt the other one before it has noted what it knows, so that only attempts can be counted.
    withParents("parents with two children at once end, and continue at most once for each", 2, ({ attempts }) =>
      Effect.sync(() => {
        for (const { length } of attempts.values()) expect(length).toBeLessThanOrEqual(3)
      })
    )
  }
