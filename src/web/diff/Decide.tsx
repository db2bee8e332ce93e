/**
 * Approving or rejecting the result whose changes are shown.
 */
import { useSignal } from "@preact/signals"
import * as jobs from "../api/jobs.js"
import { isLive } from "../app/live.js"
import { during } from "../app/notices.js"
import { RejectDialog } from "./RejectDialog.js"

export interface Props {
  readonly id: string
  /** The commit whose changes are shown. */
  readonly commit: string
  /** The unit whose changes are shown. */
  readonly unit: string | undefined
  readonly units: ReadonlyArray<string>
  readonly onDecided: () => void
}

export const Decide = ({ commit, id, onDecided, unit, units }: Props) => {
  const isBusy = useSignal(false)
  const isRejecting = useSignal(false)
  const run = async (doing: string, done: string, act: () => Promise<void>): Promise<void> => {
    if (isBusy.value || !isLive()) return
    isBusy.value = true
    await during(doing, async () => {
      await act()
      return done
    })
    isBusy.value = false
    onDecided()
  }
  const isOff = isBusy.value || !isLive()
  return (
    <span class="actions">
      <button
        type="button"
        class="primary"
        disabled={isOff}
        onClick={() => void run("Approving …", "Approved: the result lands.", () => jobs.approve(id, commit))}
      >
        Approve
      </button>
      <button type="button" class="danger" disabled={isOff} onClick={() => (isRejecting.value = true)}>
        Reject …
      </button>
      {isRejecting.value && (
        <RejectDialog
          unit={unit}
          units={units}
          onReject={(rejection) =>
            void run(
              "Rejecting …",
              rejection.unit === undefined ? "Rejected." : `Rejected: unit ${rejection.unit} continues.`,
              () => jobs.reject(id, { ...rejection, commit })
            )
          }
          onClose={() => (isRejecting.value = false)}
        />
      )}
    </span>
  )
}
