/**
 * Checks SQLite on this machine and Node: opens, locks and queries a database in a separate process.
 */
import { Effect } from "effect"
import * as Driver from "../../store/sqlite/Driver.js"
import * as Finding from "./Finding.js"

export const check: Effect.Effect<Finding.Finding> = Effect.match(Driver.probe, {
  onSuccess: ({ driver, sqlite }) => Finding.ok("sqlite", `SQLite ${sqlite}, better-sqlite3 ${driver}`),
  onFailure: ({ message }) =>
    Finding.problem(
      "sqlite",
      message,
      "reinstall charlotte on this machine with the Node.js that runs it (in a checkout: npm ci)"
    )
})
