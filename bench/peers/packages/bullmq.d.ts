/** As much of BullMQ as is measured; its own types are not there before the peers are installed. */
declare module "bullmq" {
  interface Options {
    readonly connection: { readonly host: string; readonly port: number; readonly maxRetriesPerRequest: null }
  }

  export interface Job<Data> {
    readonly id: string
    readonly data: Data
  }

  export class Queue<Data> {
    readonly name: string
    constructor(name: string, options: Options)
    add(name: string, data: Data): Promise<Job<Data>>
    waitUntilReady(): Promise<unknown>
  }

  export class Worker<Data> {
    constructor(
      name: string,
      processor: (job: Job<Data>, token?: string, signal?: AbortSignal) => Promise<void>,
      options: Options & { readonly concurrency: number }
    )
    on(event: "completed", listener: (job: Job<Data>) => void): this
    on(event: "failed", listener: (job: Job<Data> | undefined) => void): this
    cancelJob(id: string): boolean
    waitUntilReady(): Promise<unknown>
  }
}
