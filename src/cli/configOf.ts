/**
 * The configuration of a job.
 */
import { Option, Schema } from "effect"
import { JobConfig } from "../domain/JobConfig.js"
import type { Job } from "../http/contract/Api.js"

const decodeConfig = Schema.decodeUnknownOption(JobConfig)

/** Empty if this version cannot decode it. */
export const configOf = ({ config }: Pick<Job, "config">): Partial<JobConfig> =>
  Option.getOrElse(decodeConfig(config), () => ({}))
