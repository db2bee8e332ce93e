/**
 * A job's configuration, outcome and record.
 */
import type { ComponentChildren } from "preact"
import type { Job } from "../api/models.js"
import { toJob } from "../router.js"
import * as format from "../../progress/format.js"
import { Copy } from "../ui/Copy.js"
import { JsonView } from "../ui/JsonView.js"
import { Children } from "./Children.js"
import { visible } from "../ui/visible.js"
import type { JobModel } from "../../progress/JobModel.js"
import * as payload from "../../progress/payload.js"

const Fact = ({ children, name }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const textOf = (value: unknown): string => JSON.stringify(value ?? null, undefined, 2)

const time = (at: number | undefined): string | undefined => (at === undefined ? undefined : format.dateTime(at))

export const Details = ({ job, model }: { readonly job: Job; readonly model: JobModel }) => {
  const { retriedAs, retryOf = payload.string(job.config, "retryOf") } = job
  const notes = [...model.units.values()].flatMap(({ tasks }) =>
    [...tasks.values()].filter(({ notes }) => notes.length > 0)
  )
  const facts = [
    ["Job", job.id],
    ["Kind", job.kind],
    ["Created", time(job.createdAt)],
    ["Started", time(job.startedAt)],
    ["Ended", time(job.endedAt)],
    ["Attempt", String(job.attempt)],
    ["Group", job.group],
    ["Priority", job.priority === 0 ? undefined : String(job.priority)],
    ["Kept", job.pinned === true ? "pinned, regardless of retention" : undefined]
  ] as const
  return (
    <div class="details" tabIndex={0} role="region" aria-label="Details">
      {job.error !== undefined && (
        <section>
          <h2 class="bad">
            Error ({job.error.kind}) <Copy text={job.error.cause} what="the error" />
          </h2>
          <JsonView value={job.error.error ?? null} />
          <pre class="cause" tabIndex={0}>
            {visible(job.error.cause)}
          </pre>
        </section>
      )}
      {job.result !== undefined && job.result !== null && (
        <section>
          <h2>
            Result <Copy text={textOf(job.result)} what="the result" />
          </h2>
          <JsonView value={job.result} />
        </section>
      )}
      {notes.length > 0 && (
        <section>
          <h2>Notes</h2>
          <ul>
            {notes.map(({ notes, number, unit }) => (
              <li key={`${unit}/${number}`}>
                <strong>
                  {visible(unit)} {number}
                </strong>{" "}
                {visible(notes.map(({ text }) => text).join("; "))}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h2>
          Configuration <Copy text={textOf(job.config)} what="the configuration" />
        </h2>
        <JsonView value={job.config ?? null} />
      </section>
      <section>
        <h2>Record</h2>
        <dl class="facts">
          {facts.map(([name, value]) =>
            value === undefined ? null : (
              <Fact key={name} name={name}>
                {visible(value)}
              </Fact>
            )
          )}
          {retryOf !== undefined && (
            <Fact name="Retry of">
              <a href={toJob(retryOf)}>{visible(retryOf)}</a>
            </Fact>
          )}
          {retriedAs !== undefined && (
            <Fact name="Retried as">
              <a href={toJob(retriedAs)}>{visible(retriedAs)}</a>
            </Fact>
          )}
          {job.parent !== undefined && (
            <Fact name="Child of">
              <a href={toJob(job.parent)}>{visible(job.parent)}</a>
            </Fact>
          )}
          {job.children !== undefined && (
            <Fact name="Children">
              <Children key={job.id} job={job.id} newest={job.children} />
            </Fact>
          )}
          {job.keys?.map(({ holder, key }) => (
            <Fact key={key} name="Key">
              {visible(key)}
              {holder !== job.id && (
                <>
                  {" "}
                  held by <a href={toJob(holder)}>{visible(holder)}</a>
                </>
              )}
            </Fact>
          ))}
        </dl>
      </section>
    </div>
  )
}
