import type * as SqlClient from "@effect/sql/SqlClient"
import type { Layer } from "effect"

interface Refusal {
  readonly _tag: string
  readonly reason: string
  readonly message: string
}

export const Database: {
  readonly layer: (options: { readonly filename: string }) => Layer.Layer<SqlClient.SqlClient, Refusal>
}

export const RunStore: { readonly layer: Layer.Layer<unknown, Refusal, SqlClient.SqlClient> }
