/** As much of the driver as the floor needs; it comes without types. */
declare module "better-sqlite3" {
  type Value = string | number | null

  interface Statement<Params extends ReadonlyArray<Value>, Row> {
    run(...params: Params): void
    get(...params: Params): Row | undefined
    all(...params: Params): Array<Row>
  }

  export default class Database {
    constructor(file: string)
    prepare<Params extends ReadonlyArray<Value> = ReadonlyArray<Value>, Row = unknown>(
      sql: string
    ): Statement<Params, Row>
    exec(sql: string): void
    pragma(text: string): unknown
    close(): void
  }
}
