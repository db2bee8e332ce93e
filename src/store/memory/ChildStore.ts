/**
 * The part of the in-memory store for the children of jobs.
 */
import { Effect, Order } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { RecordedChild } from "../../domain/RecordedChild.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { ChildStore, KeptChild, NewChild } from "../port/ChildStore.js"
import * as Page from "../rules/Page.js"

export interface MemoryChildStore extends Omit<ChildStore, "start"> {
  readonly find: (child: Pick<NewChild, "chain" | "name">) => KeptChild | undefined
  /** Records the child of a name, in place of the one before. */
  readonly put: (child: NewChild, started: Pick<KeptChild, "id" | "kind">) => void
  /** The children that a stop of their parent stops. */
  readonly toStop: (chain: JobId) => ReadonlyArray<JobId>
  readonly forget: (jobId: JobId) => void
}

type Row = Omit<KeptChild, "status"> & Pick<NewChild, "onParentStop">

const byId = Order.mapInput(Order.string, ({ id }: Row) => id)

export const make = ({
  endsOf,
  statusOf
}: {
  readonly statusOf: (id: JobId) => RunStatus | undefined
  /** How many children of a run have ended. */
  readonly endsOf: (id: JobId) => number
}): MemoryChildStore => {
  const chains = new Map<JobId, Map<string, Row>>()
  const of = (chain: JobId) => [...(chains.get(chain)?.values() ?? [])].sort(byId)
  const kept = ({ onParentStop: _, ...row }: Row): KeptChild => ({ ...row, status: statusOf(row.id) })

  return {
    find: ({ chain, name }) => {
      const row = chains.get(chain)?.get(name)
      return row && kept(row)
    },
    put: ({ chain, jobId, name, onParentStop, tries }, { id, kind }) => {
      const rows = chains.get(chain) ?? new Map<string, Row>()
      chains.set(chain, rows.set(name, { id, name, kind, askedBy: jobId, tries, onParentStop }))
    },
    toStop: (chain) => of(chain).flatMap(({ id, onParentStop }) => (onParentStop === "stop" ? [id] : [])),
    forget: (jobId) => void chains.delete(jobId),
    recall: ({ chain, jobId }) => Effect.sync(() => ({ children: of(chain).map(kept), ends: endsOf(jobId) })),
    list: ({ before, chain, ...query }) =>
      Effect.map(Page.limit("list children", query), (limit) =>
        of(chain)
          .reverse()
          .filter(({ id }) => before === undefined || id < before)
          .slice(0, limit)
          .map(({ id, kind, name, onParentStop }) => {
            const status = statusOf(id)
            const child = { name, jobId: id, kind, onParentStop, ...(status === undefined ? {} : { status }) }
            return new RecordedChild(child, { disableValidation: true })
          })
      )
  }
}
