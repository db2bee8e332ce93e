/** As much of plainjob as is measured; its own types are not there before the peers are installed. */
declare module "plainjob" {
  import type Database from "better-sqlite3"

  interface Connection {
    readonly filename: string
  }

  interface Logger {
    readonly error: (message: string) => void
    readonly warn: (message: string) => void
    readonly info: (message: string) => void
    readonly debug: (message: string) => void
  }

  interface Queue {
    add(type: string, data: unknown): { readonly id: number }
  }

  interface Job {
    readonly id: number
    readonly data: string
  }

  export function better(database: Database): Connection
  export function defineQueue(options: { readonly connection: Connection; readonly logger: Logger }): Queue
  export function defineWorker(
    type: string,
    processor: (job: Job) => void,
    options: {
      readonly queue: Queue
      readonly logger: Logger
      readonly pollIntervall: number
      readonly onCompleted: (job: Job) => void
    }
  ): { start(): Promise<void> }
}
