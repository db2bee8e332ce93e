/**
 * The schedules that start jobs: when each is next, its last job, what it has skipped, and the buttons that run and pause it.
 */
import { mayAct } from "../address.js"
import * as api from "../api/schedules.js"
import { isLive, now } from "../app/live.js"
import { during } from "../app/notices.js"
import * as format from "../../progress/format.js"
import { toJob } from "../router.js"
import { shortId } from "../ui/shortId.js"
import { visible } from "../ui/visible.js"
import { Paused } from "./Paused.js"

const run = ({ kind, name }: api.Named): Promise<void> =>
  during(`Starting a job of ${visible(name)} …`, async () => {
    const id = await api.run({ kind, name })
    return `Job ${shortId(id)} of schedule ${visible(name)} is queued`
  })

const pause = ({ kind, name }: api.Named, isPaused: boolean): Promise<void> =>
  during(`${isPaused ? "Pausing" : "Unpausing"} ${visible(name)} …`, async () => {
    await api.pause({ kind, name }, isPaused)
    return isPaused
      ? `Schedule ${visible(name)} is paused: it starts no job until it is unpaused`
      : `Schedule ${visible(name)} starts jobs again from its next tick on`
  })

const Next = ({ schedule: { isLive, nextTick, pausedAt, pausedBy } }: { readonly schedule: api.Schedule }) => {
  if (pausedAt !== undefined) return <Paused at={pausedAt} by={pausedBy} />
  if (nextTick === undefined) return <strong class="bad">never</strong>
  return (
    <>
      <span class="number">{format.clockTime(nextTick, now.value)}</span>
      <span class="faint"> {format.ahead(nextTick - now.value)}</span>
      {!isLive && <strong class="warn"> no process runs it</strong>}
    </>
  )
}

const Last = ({ schedule: { lastRun, lastSkipped, lastTick, skipped } }: { readonly schedule: api.Schedule }) => (
  <>
    {lastTick === undefined ? (
      <span class="faint">none yet</span>
    ) : (
      <span class="number">{format.clockTime(lastTick, now.value)}</span>
    )}
    {lastRun !== undefined && (
      <>
        {" "}
        <a href={toJob(lastRun)}>{shortId(lastRun)}</a>
      </>
    )}
    {skipped > 0 && (
      <p class="note-line">
        <span class="warn">{skipped.toLocaleString("en")} skipped</span>
        {lastSkipped !== undefined && (
          <span class="faint">
            , the last at {format.clockTime(lastSkipped.tick, now.value)}: {visible(lastSkipped.reason)}
          </span>
        )}
      </p>
    )}
  </>
)

export const Schedules = ({
  onChange,
  schedules
}: {
  readonly schedules: ReadonlyArray<api.Schedule>
  readonly onChange: () => void
}) => (
  <section aria-labelledby="schedules-title">
    <h2 id="schedules-title">Schedules</h2>
    <table class="system-table schedules">
      <thead>
        <tr>
          <th scope="col">Schedule</th>
          <th scope="col">Next tick</th>
          <th scope="col">Last tick</th>
          {mayAct && (
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {schedules.map((schedule) => {
          const { cron, kind, name, pausedAt, timeZone } = schedule
          const named = visible(name)
          return (
            <tr key={`${kind}/${name}`}>
              <th scope="row">
                {named}
                <p class="note-line faint">
                  {visible(kind)} · <code>{visible(cron)}</code> {visible(timeZone)}
                </p>
              </th>
              <td>
                <Next schedule={schedule} />
              </td>
              <td>
                <Last schedule={schedule} />
              </td>
              {mayAct && (
                <td class="kind-actions">
                  <button
                    type="button"
                    disabled={!isLive() || !schedule.isLive}
                    aria-label={`Run now: ${named}`}
                    onClick={() => void run(schedule).then(onChange)}
                  >
                    Run now
                  </button>
                  <button
                    type="button"
                    disabled={!isLive()}
                    aria-label={`${pausedAt === undefined ? "Pause" : "Unpause"} ${named}`}
                    onClick={() => void pause(schedule, pausedAt === undefined).then(onChange)}
                  >
                    {pausedAt === undefined ? "Pause" : "Unpause"}
                  </button>
                </td>
              )}
            </tr>
          )
        })}
      </tbody>
    </table>
  </section>
)
