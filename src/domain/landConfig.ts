/**
 * The configuration of a job that lands the work of another: its own, without an agent.
 */
import { type Array, Effect, Schema } from "effect"
import { InvalidJobConfig } from "./errors.js"
import { JobConfig } from "./JobConfig.js"
import type { JobId } from "./JobId.js"

const decode = Schema.decodeUnknown(JobConfig)
const encode = Schema.encode(JobConfig)

/** @param units the units to land, with all that they depend on; all that are done by default */
export const landConfig = (
  { config, id }: { readonly id: JobId; readonly config: unknown },
  units?: Array.NonEmptyReadonlyArray<string>
): Effect.Effect<typeof JobConfig.Encoded, InvalidJobConfig> =>
  Effect.matchEffect(decode(config), {
    onFailure: () =>
      new InvalidJobConfig({
        issues: [{ path: ["landOf"], message: `job ${id} is not a task job, so it has no work` }]
      }),
    onSuccess: (former) => {
      const others = { agent: undefined, dryRun: false, retryOf: undefined, fresh: undefined }
      return Effect.orDie(encode(new JobConfig({ ...former, ...others, landOf: id, units })))
    }
  })
