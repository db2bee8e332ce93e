/**
 * What a manager of jobs with a `JobConfig` is made with.
 */
import { Schema } from "effect"
import { JobConfig } from "../../domain/JobConfig.js"
import { retryConfig } from "../../domain/retryConfig.js"
import type { Retries } from "./submission.js"

const encode = Schema.encodeSync(JobConfig)

const retries: Retries<JobConfig, typeof JobConfig.Encoded> = {
  // A dry run only shows what a retry would do.
  of: ({ dryRun, fresh = false, retryOf }) => (retryOf === undefined || dryRun ? undefined : { id: retryOf, fresh }),
  config: (config, of) => encode(retryConfig(config, of))
}

export const ofTasks = {
  config: JobConfig,
  labels: ({ labels = {} }: JobConfig): { readonly [name: string]: string } => labels,
  retries
}
