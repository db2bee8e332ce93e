/**
 * The part of the in-memory store for the steps of jobs.
 */
import { Array, Effect, Option, Order } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { RecordedStep } from "../../domain/RecordedStep.js"
import type { NewStep, StepStore } from "../port/StepStore.js"
import * as Page from "../rules/Page.js"

export interface MemoryStepStore extends Omit<StepStore, "record"> {
  readonly insert: (step: NewStep) => void
  readonly has: (chain: JobId, name: string) => boolean
  readonly forget: (jobId: JobId) => void
}

const bySeq = Order.mapInput(Order.number, ({ seq }: NewStep) => seq)

const recorded = ({ at, attempt, jobId, millis, name, ok, seq }: NewStep): RecordedStep =>
  new RecordedStep({ seq, name, jobId, attempt, at, millis, ok }, { disableValidation: true })

export const make = (): MemoryStepStore => {
  const chains = new Map<JobId, Map<string, NewStep>>()
  const of = (chain: JobId) => [...(chains.get(chain)?.values() ?? [])].sort(bySeq)

  return {
    insert: (step) => {
      const steps = chains.get(step.chain) ?? new Map<string, NewStep>()
      chains.set(step.chain, steps.set(step.name, step))
    },
    has: (chain, name) => chains.get(chain)?.has(name) === true,
    forget: (jobId) => void chains.delete(jobId),
    recall: (chain) =>
      Effect.sync(() =>
        of(chain).map(({ jobId, name, ok, seq, tries, value }) => ({ seq, name, jobId, tries, ok, value }))
      ),
    list: ({ after, chain, ...query }) =>
      Effect.map(Page.limit("list steps", { ...query, after }), (limit) =>
        of(chain)
          .filter(({ seq }) => seq > after)
          .slice(0, limit)
          .map(recorded)
      ),
    latest: ({ chain, ...query }) =>
      Effect.map(Page.limit("list steps", query), (limit) => Array.takeRight(of(chain), limit).map(recorded)),
    get: ({ chain, name }) =>
      Effect.sync(() =>
        Option.map(Option.fromNullable(chains.get(chain)?.get(name)), (step) => ({
          step: recorded(step),
          value: step.value
        }))
      )
  }
}
