/**
 * The kind of job that runs a workflow.
 */
import type * as Workflow from "@effect/workflow/Workflow"
import type { Schema } from "effect"
import { workflowKind } from "../domain/workflowKind.js"
import type { Definition } from "../manager/KindDefinition.js"

const namePattern = /^[A-Za-z0-9._-]{1,100}$/

/** The schema of the payload of a workflow, of which the types of the peer say only that it is the schema of a struct. */
type PayloadSchema<W extends Workflow.Any> = W["payloadSchema"] extends Schema.Schema.All
  ? W["payloadSchema"]
  : Schema.Schema.All

/**
 * The kind of job that runs a workflow.
 *
 * @since 0.2.0
 * @category types
 */
export type Kind<W extends Workflow.Any> = Definition<
  `workflow.${W["name"]}`,
  PayloadSchema<W>,
  W["successSchema"],
  W["errorSchema"],
  undefined,
  undefined
>

/** The definition of the kind of any workflow. */
export const kind = <W extends Workflow.Any>(workflow: W): Kind<W> => {
  const name: W["name"] = workflow.name
  if (!namePattern.test(name)) {
    throw new Error(`the name of a workflow is 1 to 100 letters, digits, dots, hyphens and underscores, not "${name}"`)
  }
  return {
    kind: workflowKind(name),
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the peer says only that it is the schema of a struct
    config: workflow.payloadSchema as Workflow.AnyStructSchema as PayloadSchema<W>,
    success: workflow.successSchema,
    error: workflow.errorSchema,
    events: undefined,
    signals: undefined,
    starts: {}
  }
}
