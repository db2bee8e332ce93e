/**
 * Ends the processes of jobs when this program is killed or stalls. On one machine, the next manager does that. In a cluster,
 * another machine continues the job meanwhile, and cannot see them.
 */
import { Context, Effect } from "effect"

export interface Service {
  /** Returns once no process with the cookie can outlive this program. An interruption releases the cookie. */
  readonly watch: (cookie: string) => Effect.Effect<void>
  /** Identifies the process that was started with a cookie. */
  readonly spawned: (process: {
    readonly cookie: string
    readonly pid: number
    /** In clock ticks since boot. */
    readonly startTime: number | undefined
  }) => Effect.Effect<void>
  /** Called when no process with the cookie is left. */
  readonly release: (cookie: string) => Effect.Effect<void>
}

/** Does nothing by default. */
export class TreeGuard extends Context.Reference<TreeGuard>()("charlotte/TreeGuard", {
  defaultValue: (): Service => ({ watch: () => Effect.void, spawned: () => Effect.void, release: () => Effect.void })
}) {}
