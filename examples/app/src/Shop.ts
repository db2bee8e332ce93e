/**
 * The whole shop, on one SQLite file.
 */
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { RunStore } from "charlotte"
import { Layer } from "effect"
import * as Mailer from "./Mailer.ts"
import * as Orders from "./Orders.ts"
import * as ReceiptLive from "./ReceiptLive.ts"
import * as ReportLive from "./ReportLive.ts"

/** Without its mailer, for tests. */
export const layerWithoutMailer = (filename: string) =>
  ReportLive.layer.pipe(
    Layer.provideMerge(Orders.layer),
    Layer.provideMerge(ReceiptLive.layer),
    // Its tables are beside the tables of the shop.
    Layer.provideMerge(RunStore.layer),
    Layer.provideMerge(SqliteClient.layer({ filename }))
  )

export const layer = (filename: string) => Layer.provide(layerWithoutMailer(filename), Mailer.layer)
