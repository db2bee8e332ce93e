/**
 * Whether SQLite works on this machine and this Node: a database is opened, locked and asked, in a process of its own.
 */
import { Effect } from "effect"
import * as Driver from "../../store/Driver.js"
import * as Finding from "./Finding.js"

export const look: Effect.Effect<Finding.Finding> = Effect.match(Driver.probe, {
  onSuccess: ({ driver, sqlite }) => Finding.ok("sqlite", `SQLite ${sqlite}, by better-sqlite3 ${driver}`),
  onFailure: ({ message }) =>
    Finding.problem(
      "sqlite",
      message,
      "install charlotte again, on the machine and with the Node.js that run it (in a checkout: npm ci)"
    )
})
