/**
 * Version 0.1.0 kept the idempotency key of a run as a reserved label, which responses do not contain.
 */
import { Predicate } from "effect"
import { Run } from "./Run.js"

const label = "charlotte.idempotency-key"

const withoutLabel = <V>(labels: { readonly [name: string]: V }): { readonly [name: string]: V } =>
  Object.fromEntries(Object.entries(labels).filter(([name]) => name !== label))

/** The run with the labels it was submitted with. */
export const withoutIdempotencyKey = (run: Run): Run =>
  label in run.labels
    ? new Run(
        { ...run, labels: withoutLabel(run.labels), config: withoutKeyLabel(run.config) },
        { disableValidation: true }
      )
    : run

/** The config without the key, and without `labels` if there are no others. */
const withoutKeyLabel = (config: unknown): unknown => {
  if (!Predicate.isRecord(config) || !Predicate.isRecord(config["labels"])) return config
  const { labels, ...others } = config
  const own = withoutLabel(labels)
  return Object.keys(own).length === 0 ? others : { ...others, labels: own }
}
