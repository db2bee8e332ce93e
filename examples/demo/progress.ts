/** What a person wants to read of an event, and of the run at its end. */
import type { JobEvent, Run } from "charlotte"
import { Either, Schema } from "effect"

const Graph = Schema.Struct({
  units: Schema.Array(
    Schema.Struct({ id: Schema.String, dependsOn: Schema.Array(Schema.String), tasks: Schema.Array(Schema.Unknown) })
  )
})
const Titled = Schema.Struct({ title: Schema.String, attempt: Schema.Number })
const Reasoned = Schema.Struct({ reason: Schema.String })
const Committed = Schema.Struct({ commit: Schema.String })

const read = <A, I>(
  schema: Schema.Schema<A, I>,
  { payload }: JobEvent.JobEvent,
  render: (value: A) => string
): string => Either.match(Schema.decodeUnknownEither(schema)(payload), { onLeft: () => "", onRight: render })

export const lines = (event: JobEvent.JobEvent): ReadonlyArray<string> => {
  const { task, type, unit } = event
  switch (type) {
    case "orch.started":
      return read(Graph, event, ({ units }) =>
        units
          .map(({ dependsOn, id, tasks }) => {
            const after = dependsOn.length === 0 ? "" : `, after ${dependsOn.join(" and ")}`
            return `  ${id}: ${tasks.length} tasks${after}`
          })
          .join("\n")
      ).split("\n")
    case "unit.started":
      return ["", `${unit}`]
    case "unit.failed":
      return read(Reasoned, event, ({ reason }) => `  ✗ unit failed: ${reason}`).split("\n")
    case "unit.blocked":
      return ["", `${unit}`, "  – blocked by a failed unit"]
    case "task.started":
      return [
        read(Titled, event, ({ attempt, title }) => `  ${task}. ${title}${attempt === 1 ? "" : ` (try ${attempt})`}`)
      ]
    case "task.gate.failed":
      return [read(Reasoned, event, ({ reason }) => `     gate ${reason}`)]
    case "task.completed":
      return [read(Committed, event, ({ commit }) => `     ✓ gate passed, commit ${commit.slice(0, 8)}`)]
    case "task.failed":
      return [read(Reasoned, event, ({ reason }) => `     ✗ ${reason}`)]
    default:
      return type.startsWith("job.") ? ["", type.replace("job.", "job ")] : []
  }
}

const Result = Schema.Struct({ branch: Schema.String, diff: Schema.String, units: Schema.Number, tasks: Schema.Number })

export const summary = ({ error, id, result, status }: Run.Run, directory: string, elapsed: string): string =>
  Either.match(Schema.decodeUnknownEither(Result)(result), {
    onLeft: () => [`job ${id} is ${status}`, error?.cause ?? ""].join("\n"),
    onRight: ({ branch, diff, tasks, units }) =>
      [
        `${tasks} tasks in ${units} units, ${tasks} commits, ${elapsed}`,
        `result    ${branch}`,
        `look at   ${diff}`,
        `database  ${directory}/charlotte.db`
      ].join("\n")
  })
