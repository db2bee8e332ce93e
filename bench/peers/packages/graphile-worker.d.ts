/** As much of graphile-worker as is measured; its own types are not there before the peers are installed. */
declare module "graphile-worker" {
  import type { Pool } from "pg"

  interface Logger {
    readonly log: unknown
  }
  export const Logger: new (factory: () => () => void) => Logger

  export function run<Data>(options: {
    readonly pgPool: Pool
    readonly noHandleSignals: boolean
    readonly logger: Logger
    readonly preset: {
      readonly worker: {
        readonly concurrentJobs: number
        readonly completeJobBatchDelay: number
        readonly localQueue?: { readonly size: number }
      }
    }
    readonly taskList: {
      readonly [name: string]: (data: Data, helpers: { readonly job: { readonly id: string } }) => void
    }
  }): Promise<{
    addJob(name: string, data: Data): Promise<unknown>
  }>
}
