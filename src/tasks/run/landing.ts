/**
 * What a job lands: the command line prevails over `charlotte.yaml`, and both over the configuration of the home, which neither of
 * them loosens.
 */
import { Order } from "effect"
import type { JobConfig, Landing } from "../../domain/JobConfig.js"
import type { Settings } from "../plan/Settings.js"

/** From the strictest. */
const strictness: ReadonlyArray<Landing> = ["never", "ask", "pull-request", "auto", "done"]

const stricter = Order.min(Order.mapInput(Order.number, (landing: Landing) => strictness.indexOf(landing)))

/** @param bound the setting of the home; it also counts if nothing else says what lands */
export const of = (
  { land, landOf }: Pick<JobConfig, "land" | "landOf">,
  settings: Pick<Settings, "land">,
  bound: Landing | undefined
): Landing => {
  const ofJob = land === false ? "never" : land === true ? settings.land : land
  // A job that lands the work of another was started to do so.
  const wanted = landOf === undefined || ofJob === "pull-request" ? ofJob : "auto"
  const landing = wanted ?? bound ?? "auto"
  return bound === undefined ? landing : stricter(landing, bound)
}
