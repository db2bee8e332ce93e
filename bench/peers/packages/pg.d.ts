/** As much of the driver as the peers on PostgreSQL need; its own types are not there before the peers are installed. */
declare module "pg" {
  interface Statement {
    readonly text: string
    readonly values?: ReadonlyArray<unknown>
  }

  export interface Client {
    query: (statement: string | Statement, values?: unknown) => Promise<unknown>
  }

  export interface Pool {
    on(event: "connect", listener: (client: Client) => void): this
    on(event: "error", listener: (error: Error) => void): this
  }

  export const Pool: new (options: { readonly connectionString: string; readonly max: number }) => Pool
}
