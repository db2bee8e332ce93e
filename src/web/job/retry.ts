/**
 * Starts a job from the completed work of another, as `charlotte retry` does.
 */
import { isRecord, string, struct } from "../api/decode.js"
import type { Job } from "../api/models.js"
import { sendJson } from "../api/request.js"

/** The id of the new job. */
export const retry = async ({ config, id }: Job): Promise<string> => {
  const former = isRecord(config) ? config : {}
  // A job that lands the work of another lands the same units again.
  const units = former["landOf"] === undefined ? undefined : former["units"]
  const body = { ...former, retryOf: id, units, fresh: undefined }
  // A retried request after a lost response must not start a second job.
  const headers = { "idempotency-key": crypto.randomUUID() }
  return (await sendJson("/api/v1/jobs", struct({ id: string }), { method: "POST", body, headers })).id
}
