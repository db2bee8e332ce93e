/**
 * Ends the processes of jobs when this program is killed or stalls. On one machine that is left to the next manager. In a cluster a
 * job is continued meanwhile on another machine, from which they cannot be seen.
 */
import { Context, Effect } from "effect"

export interface Service {
  /** Returns when nothing that carries the cookie can outlive this program any more. An interruption releases it. */
  readonly watch: (cookie: string) => Effect.Effect<void>
  /** Identifies the process that was started with a cookie. */
  readonly spawned: (process: {
    readonly cookie: string
    readonly pid: number
    /** In clock ticks since boot. */
    readonly startTime: number | undefined
  }) => Effect.Effect<void>
  /** Nothing that carries the cookie is left. */
  readonly release: (cookie: string) => Effect.Effect<void>
}

/** Does nothing by default. */
export class TreeGuard extends Context.Reference<TreeGuard>()("charlotte/TreeGuard", {
  defaultValue: (): Service => ({ watch: () => Effect.void, spawned: () => Effect.void, release: () => Effect.void })
}) {}
