/**
 * The kinds of jobs, which of them are paused, and the buttons that pause them.
 */
import { useSignal } from "@preact/signals"
import { mayAct } from "../address.js"
import type { ServedKind } from "../api/kinds.js"
import { isLive } from "../app/live.js"
import { visible } from "../ui/visible.js"
import { LimitDialog } from "./LimitDialog.js"
import { Paused } from "./Paused.js"
import { limit, pause, unpause } from "./pausing.js"

const State = ({ kind: { active, paused } }: { readonly kind: ServedKind }) => {
  if (paused === undefined) return active > 0 ? <span class="run">at work</span> : <span class="faint">idle</span>
  return <Paused at={paused.at} by={paused.by} />
}

export const Kinds = ({
  kinds,
  onChange
}: {
  readonly kinds: ReadonlyArray<ServedKind>
  readonly onChange: () => void
}) => {
  /** The kind whose limit is being changed. */
  const limited = useSignal<ServedKind | undefined>(undefined)
  return (
    <section aria-labelledby="kinds-title">
      <h2 id="kinds-title">Kinds</h2>
      <table class="system-table">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Running
            </th>
            <th scope="col" class="number">
              Pending
            </th>
            {mayAct && (
              <th scope="col">
                <span class="visually-hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {kinds.map((kind) => (
            <tr key={kind.kind}>
              <th scope="row">{visible(kind.kind)}</th>
              <td>
                <State kind={kind} />
              </td>
              <td class="number">
                {kind.active} <span class="faint">of {kind.maxJobs}</span>
              </td>
              <td class="number">{kind.pending}</td>
              {mayAct && (
                <td class="kind-actions">
                  <button
                    type="button"
                    disabled={!isLive()}
                    aria-label={`Limit ${kind.kind}`}
                    onClick={() => (limited.value = kind)}
                  >
                    Limit …
                  </button>
                  <button
                    type="button"
                    disabled={!isLive()}
                    aria-label={`${kind.paused === undefined ? "Pause" : "Unpause"} ${kind.kind}`}
                    onClick={() => void (kind.paused === undefined ? pause : unpause)(kind.kind).then(onChange)}
                  >
                    {kind.paused === undefined ? "Pause" : "Unpause"}
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {limited.value !== undefined && (
        <LimitDialog
          kind={limited.value}
          onLimit={(kind, maxJobs) => void limit(kind, maxJobs).then(onChange)}
          onClose={() => (limited.value = undefined)}
        />
      )}
    </section>
  )
}
