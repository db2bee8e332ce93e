/**
 * Says which kinds are paused, above the list of jobs.
 */
import { mayAct } from "../address.js"
import { isLive, now } from "../app/live.js"
import * as format from "../../progress/format.js"
import { visible } from "../ui/visible.js"
import { unpause } from "../system/pausing.js"
import type { Kinds } from "./useKinds.js"

export const PausedKinds = ({ kinds = [], reload }: Kinds) => (
  <>
    {kinds.map(({ kind, paused }) =>
      paused === undefined ? null : (
        <p key={kind} class="paused-kind" role="status">
          <span>
            Jobs of kind <strong>{visible(kind)}</strong> have been paused since{" "}
            {format.clockTime(paused.at, now.value)}
            {paused.by === undefined ? "" : `, by ${visible(paused.by)}`}: running jobs continue, and no other begins.
          </span>
          {mayAct && (
            <button type="button" disabled={!isLive()} onClick={() => void unpause(kind).then(reload)}>
              Unpause
            </button>
          )}
        </p>
      )
    )}
  </>
)
