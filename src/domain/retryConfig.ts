/**
 * The configuration of a job that retries another: its own, with a reference to it.
 */
import { JobConfig } from "./JobConfig.js"
import type { JobId } from "./JobId.js"

export const retryConfig = (
  config: JobConfig,
  { fresh, id }: { readonly id: JobId; readonly fresh: boolean }
): JobConfig => {
  // A job that lands the work of another lands the same units again.
  const units = config.landOf === undefined ? undefined : config.units
  return new JobConfig({ ...config, retryOf: id, units, fresh: fresh || undefined })
}
