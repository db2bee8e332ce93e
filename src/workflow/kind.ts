/**
 * The kind of job that runs a workflow.
 */
import type * as Workflow from "@effect/workflow/Workflow"
import { Context, Layer, type Schema } from "effect"
import type { StoreError } from "../domain/errors.js"
import { workflowKind } from "../domain/workflowKind.js"
import * as kindProducer from "../manager/internal/kindProducer.js"
import type { Definition, Producer, ProducerService, Requirements } from "../manager/KindDefinition.js"
import type { RunStore } from "../store/RunStore.js"

const namePattern = /^[A-Za-z0-9._-]{1,100}$/

/** The schema of the payload of a workflow, of which the types of the peer say only that it is the schema of a struct. */
type PayloadSchema<W extends Workflow.Any> = W["payloadSchema"] extends Schema.Schema.All
  ? W["payloadSchema"]
  : Schema.Schema.All

type DefinitionOf<W extends Workflow.Any> = Definition<
  `workflow.${W["name"]}`,
  PayloadSchema<W>,
  W["successSchema"],
  W["errorSchema"],
  undefined,
  undefined
>

/**
 * The kind of job that runs a workflow, and its producer, which acts on executions from any process. Executions are started with `execute`.
 *
 * @since 0.2.0
 * @category types
 */
export interface Kind<W extends Workflow.Any> extends Definition<
  `workflow.${W["name"]}`,
  PayloadSchema<W>,
  W["successSchema"],
  W["errorSchema"],
  undefined,
  undefined
> {
  /** The key of its tag. */
  readonly key: string
  /** The tag of its producer. */
  readonly Producer: Context.Tag<Producer<W>, Omit<ProducerService<DefinitionOf<W>>, "start" | "startMany">>
  /** Its producer, for as long as the layer lives. `Page.layer` needs it. */
  readonly producer: Layer.Layer<Producer<W>, StoreError, RunStore | Requirements<DefinitionOf<W>>>
}

/** The kind of any workflow. */
export const kind = <W extends Workflow.Any>(workflow: W): Kind<W> => {
  const name: W["name"] = workflow.name
  if (!namePattern.test(name)) {
    throw new Error(`the name of a workflow is 1 to 100 letters, digits, dots, hyphens and underscores, not "${name}"`)
  }
  const definition: DefinitionOf<W> = {
    kind: workflowKind(name),
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the peer says only that it is the schema of a struct
    config: workflow.payloadSchema as Workflow.AnyStructSchema as PayloadSchema<W>,
    success: workflow.successSchema,
    error: workflow.errorSchema,
    events: undefined,
    signals: undefined,
    starts: {}
  }
  const key = `charlotte/JobKind/${definition.kind}`
  const Producer: Kind<W>["Producer"] = Context.GenericTag(`${key}/Producer`)
  return { ...definition, key, Producer, producer: Layer.scoped(Producer, kindProducer.make(definition)) }
}
