/**
 * What a manager of jobs with a `JobConfig` is made with.
 */
import { Schema } from "effect"
import { JobConfig } from "../../domain/JobConfig.js"
import type { Retries } from "./submission.js"

const encode = Schema.encodeSync(JobConfig)

const retries: Retries<JobConfig, typeof JobConfig.Encoded> = {
  // A dry run only shows what a retry would do.
  of: ({ dryRun, fresh = false, retryOf }) => (retryOf === undefined || dryRun ? undefined : { id: retryOf, fresh }),
  config: (config, { fresh, id }) => {
    // A job that lands the work of another lands the same units again.
    const units = config.landOf === undefined ? undefined : config.units
    return encode(new JobConfig({ ...config, retryOf: id, units, fresh: fresh || undefined }))
  }
}

export const ofTasks = {
  config: JobConfig,
  labels: ({ labels = {} }: JobConfig): { readonly [name: string]: string } => labels,
  retries
}
