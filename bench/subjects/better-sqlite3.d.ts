/** As much of the driver as the floor and the simulation need; it comes without types. */
declare module "better-sqlite3" {
  type Value = string | number | null

  interface Statement<Params extends ReadonlyArray<unknown>, Row> {
    /** It gives rows. */
    readonly reader: boolean
    run(...params: Params): void
    get(...params: Params): Row | undefined
    all(...params: Params): Array<Row>
  }

  export default class Database {
    /** A path, `:memory:`, or the bytes of a database. */
    constructor(file: string | Buffer)
    readonly inTransaction: boolean
    prepare<Params extends ReadonlyArray<unknown> = ReadonlyArray<Value>, Row = unknown>(
      sql: string
    ): Statement<Params, Row>
    exec(sql: string): void
    pragma(text: string): unknown
    function(name: string, options: { readonly varargs: boolean }, body: (...args: ReadonlyArray<Value>) => Value): void
    serialize(): Buffer
    close(): void
  }
}
