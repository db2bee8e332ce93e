/**
 * The page of the jobs, behind the login of the shop.
 */
import { Page } from "charlotte/http"
import { Effect } from "effect"
import { Receipt } from "../Receipt.ts"
import { Report } from "../Report.ts"
import { Sessions } from "./Sessions.ts"

export const layer = Page.layer({
  path: "/jobs",
  kinds: [Receipt, Report],
  authorize: Effect.flatMap(Sessions, ({ current }) => current),
  login: "/login"
})
