/**
 * The progress of reports on all nodes, from their events.
 */
import type { JobId } from "charlotte"
import { Effect, HashMap, Option, Schema, Stream, SubscriptionRef } from "effect"
import type { Node } from "./nodeProcess.js"
import { Report } from "./Report.js"

export interface Progress {
  readonly id: JobId.JobId
  readonly title: string
  /** The address of the node that works on it. */
  readonly address: string
  readonly written: number
}

const decodeBegun = Schema.decodeUnknown(Report.events.begun)
const decodeWritten = Schema.decodeUnknown(Report.events.written)

/** The progress as seen by this node. */
export const make = ({ reports }: Pick<Node, "reports">) =>
  Effect.gen(function* () {
    const seen = yield* SubscriptionRef.make(HashMap.empty<JobId.JobId, Progress>())
    const change = (id: JobId.JobId, changed: Partial<Progress>) =>
      SubscriptionRef.update(
        seen,
        HashMap.modify(id, (before) => ({ ...before, ...changed }))
      )
    const writtenOf = (id: JobId.JobId) =>
      Effect.map(SubscriptionRef.get(seen), (reports) =>
        Option.match(HashMap.get(reports, id), { onNone: () => 0, onSome: ({ written }) => written })
      )
    return {
      /** Follows a report to its end; calls `onBegun` when a node begins, with its first page. */
      follow: (id: JobId.JobId, title: string, onBegun: (address: string, page: number) => Effect.Effect<void>) =>
        Effect.zipRight(
          SubscriptionRef.update(seen, HashMap.set(id, { id, title, address: "", written: 0 })),
          Stream.runForEach(reports.events(id), ({ payload, type }) =>
            Effect.gen(function* () {
              if (type === "written") yield* change(id, { written: (yield* decodeWritten(payload)).page })
              if (type === "begun") {
                const { node: address } = yield* decodeBegun(payload)
                yield* change(id, { address })
                const written = yield* writtenOf(id)
                yield* onBegun(address, written + 1)
              }
            })
          )
        ),
      /** Returns when `isSo` holds. */
      until: (isSo: (reports: ReadonlyArray<Progress>) => boolean) =>
        Stream.runHead(Stream.filter(seen.changes, (reports) => isSo(HashMap.toValues(reports)))),
      on: ({ address }: Pick<Node, "address">) =>
        Effect.map(SubscriptionRef.get(seen), (reports) =>
          HashMap.toValues(reports)
            .filter((report) => report.address === address)
            .sort((one, other) => one.title.localeCompare(other.title))
        )
    }
  })
