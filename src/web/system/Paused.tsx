import { now } from "../app/live.js"
import * as format from "../../progress/format.js"
import { visible } from "../ui/visible.js"

/** That something is paused, since when, and by whom. */
export const Paused = ({ at, by }: { readonly at: number; readonly by: string | undefined }) => (
  <>
    <strong class="warn">paused</strong>
    <span class="faint">
      {" "}
      since {format.clockTime(at, now.value)}
      {by === undefined ? "" : ` by ${visible(by)}`}
    </span>
  </>
)
