/**
 * The RPCs between nodes. No RPC is persisted, and each is only a hint.
 */
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import { Schema } from "effect"
import { JobNotFound, StopTimedOut, StoreError } from "../../domain/errors.js"
import { JobId } from "../../domain/JobId.js"
import { StopReport } from "../../domain/StopReport.js"
import { Busy } from "../Engine.js"

/** The called node does not have the shard of the job, or does not manage jobs of that kind. */
export class Elsewhere extends Schema.TaggedError<Elsewhere>()("Elsewhere", {}) {}

const job = {
  kind: Schema.String,
  jobId: JobId,
  /** Why this node is called: it should have the shard of the job, or it was addressed by name, regardless of the shard. */
  by: Schema.Literal("shard", "address")
}

/** Why a node is called. */
export type By = typeof job.by.Type

export class JobRpcs extends RpcGroup.make(
  /** Checks that a node is alive while its response is awaited. */
  Rpc.make("Ping"),
  Rpc.make("Wake", { payload: job, error: Elsewhere }),
  Rpc.make("Stop", {
    payload: { ...job, grace: Schema.Duration },
    success: StopReport,
    error: Schema.Union(JobNotFound, StopTimedOut, StoreError, Elsewhere, Busy)
  })
) {}
