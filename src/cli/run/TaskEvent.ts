/**
 * Decodes the events of the task orchestrator.
 */
import { type Option, Schema } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"
import { payloads, type Type } from "../../tasks/events.js"

const known = <T extends Type>(type: T) => Schema.Struct({ type: Schema.Literal(type), payload: payloads[type] })

const TaskEvent = Schema.Union(
  known("orch.started"),
  known("unit.started"),
  known("unit.setup.started"),
  known("unit.setup.failed"),
  known("unit.waiting"),
  known("unit.completed"),
  known("unit.verifying"),
  known("unit.merged"),
  known("unit.failed"),
  known("unit.blocked"),
  known("task.started"),
  known("task.agent.started"),
  known("task.agent.slow"),
  known("task.agent.ended"),
  known("task.gate.started"),
  known("task.gate.passed"),
  known("task.gate.failed"),
  known("task.retry"),
  known("task.noted"),
  known("task.committed"),
  known("task.completed"),
  known("task.failed"),
  known("orch.killed"),
  known("orch.waiting"),
  known("orch.landing"),
  known("orch.landed")
)

export type TaskEvent = typeof TaskEvent.Type

const decodeUnknown = Schema.decodeUnknownOption(TaskEvent)

/** None for events of other types or of other versions. */
export const decode = ({ payload, type }: JobEvent): Option.Option<TaskEvent> =>
  decodeUnknown({ type, payload: payload ?? {} })
