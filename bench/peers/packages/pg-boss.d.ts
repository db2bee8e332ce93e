/** As much of pg-boss as is measured; its own types are not there before the peers are installed. */
declare module "pg-boss" {
  export default class PgBoss {
    constructor(options: {
      readonly connectionString: string
      readonly max: number
      readonly supervise: boolean
      readonly schedule: boolean
    })
    start(): Promise<this>
    createQueue(name: string): Promise<void>
    send(name: string, data: object): Promise<string | null>
    fetch<Data>(
      name: string,
      options: { readonly batchSize: number }
    ): Promise<ReadonlyArray<{ readonly id: string; readonly data: Data }>>
    complete(name: string, ids: ReadonlyArray<string>): Promise<void>
  }
}
