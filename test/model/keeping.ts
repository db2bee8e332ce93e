/**
 * Commands that read and prune what is recorded.
 */
import { expect } from "@effect/vitest"
import { DateTime, Effect, Option } from "effect"
import { logOf } from "./agree.js"
import { type Command, command, mostly, onJob, outcomeOf, store } from "./command.js"
import type { Job } from "./Job.js"
import type { Model } from "./Model.js"
import { ageOf } from "./retention.js"

export const pin = (n: number, isPinned: boolean): Command =>
  onJob(
    isPinned ? "pin" : "unpin",
    n,
    (job, model) =>
      Effect.gen(function* () {
        const { pin, unpin } = yield* store
        yield* isPinned ? pin(job.id) : unpin(job.id)
        model.pinned(job, isPinned)
      }),
    mostly(n, ({ over }) => over)
  )

/** A pruning by the retention of the kind, after a dry run of it. The manager prunes by itself only at times that depend on real time. */
export const prune: Command = command("prune", (model) =>
  Effect.gen(function* () {
    const { get, nextExpiry, pin, prune, retain } = yield* store
    const {
      kind: { name: kind },
      limits: { retention }
    } = model
    const forgotten: Array<string> = []
    const forget = (id: string) => Effect.sync(() => void forgotten.push(id))
    yield* retain({ kind, retention, forget })
    const ends = model.prunable.map((job) => job.endedAt + ageOf(retention, job)).filter(Number.isFinite)
    const next = ends.length === 0 ? Option.none() : Option.some(DateTime.unsafeMake(Math.min(...ends)))
    expect(yield* nextExpiry(kind)).toEqual(next)
    const ids = model.toPrune.map(({ id }) => id).sort()
    for (const dryRun of [true, false]) {
      const [found] = yield* prune({ kind, dryRun })
      expect({ runs: found?.runs ?? 0, jobs: [...(found?.jobs ?? [])].sort() }).toEqual({ runs: ids.length, jobs: ids })
    }
    expect(forgotten.sort()).toEqual(ids)
    model.pruned(ids)
    for (const id of ids.slice(0, 2)) {
      expect(yield* get(id)).toEqual(Option.none())
      expect(yield* outcomeOf(pin(id))).toBe("JobNotFound")
    }
  }).pipe(Effect.scoped)
)

/** The filters and the orders of lists, and the counts. */
export const list = (group: string): Command =>
  command(`list ${group}`, (model) =>
    Effect.gen(function* () {
      const { backlog, countByStatus, list, nextDueAt } = yield* store
      const {
        kind: { name: kind }
      } = model
      const idsOf = (jobs: ReadonlyArray<Job>) => jobs.map(({ id }) => id)
      const listed = (query: Parameters<typeof list>[0]) =>
        Effect.map(list({ kind, limit: 1_000, ...query }), (runs) => runs.map(({ id }) => id))
      const has = (is: (job: Job) => boolean) => idsOf(model.newestFirst.filter(is))
      expect(yield* listed({ labels: { group } })).toEqual(has(({ start }) => start.group === group))
      expect(yield* listed({ status: "pending" })).toEqual(has(({ status }) => status === "pending"))
      expect(yield* listed({ labels: { group }, status: "failed" })).toEqual(
        has(({ start, status }) => start.group === group && status === "failed")
      )
      expect(yield* listed({ retried: true })).toEqual(has((job) => model.retriedAs(job) !== undefined))
      expect(yield* listed({ status: "pending", order: "queue" })).toEqual(idsOf(queueOf(model)))
      const counts = yield* countByStatus(kind)
      for (const [status, n] of Object.entries(counts)) expect(n).toBe(has((job) => job.status === status).length)
      const oldest = has(({ status }) => status === "pending").at(-1)
      const parked = has(({ status }) => status === "parked").length
      expect(yield* backlog(kind)).toEqual({ oldest: Option.fromNullable(oldest), parked })
      const dueAt = model.jobs.filter(({ waitsFor }) => waitsFor === "time").map(({ dueAt }) => dueAt)
      const next = dueAt.length === 0 ? Option.none() : Option.some(DateTime.unsafeMake(Math.min(...dueAt)))
      expect(yield* nextDueAt(kind)).toEqual(next)
      for (const { id, log } of model.jobs) expect(yield* logOf(model, id)).toEqual(log)
    })
  )

/** The pending runs: first those that wait for a permit, then for room in their group, for a time, and for a key. */
const queueOf = (model: Model): ReadonlyArray<Job> => {
  const place = ({ start, waitsFor }: Job) =>
    waitsFor === "ready" ? (start.group === undefined ? 0 : 1) : waitsFor === "time" ? 2 : 3
  const within = (a: Job, b: Job) =>
    a.waitsFor === "ready" ? b.priority - a.priority : a.waitsFor === "time" ? a.dueAt - b.dueAt : 0
  return [...model.pending].sort((a, b) => place(a) - place(b) || within(a, b) || (a.id < b.id ? -1 : 1))
}
