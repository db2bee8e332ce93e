/** Schedules, broken in several ways. */
import type { Variant } from "../variants.js"

export const variants: Readonly<Record<string, Variant>> = {
  "a tick is repeated after the pruning of its job": {
    symptom: /the tick at \d+ has job\d+ and job\d+/,
    patches: [
      {
        file: "src/store/sql/schedules.ts",
        from: "return row === undefined ? at : position(row)",
        to: "return row === undefined ? at : row.since"
      },
      {
        file: "src/store/sql/schedules.ts",
        from: "(last_tick IS NULL OR last_tick < ?)",
        to: "(last_tick IS NULL OR last_tick < ? OR NOT EXISTS (SELECT 1 FROM charlotte_runs WHERE id = last_run))"
      }
    ]
  },

  "a tick that another process has recorded is recorded again": {
    symptom: /the tick at \d+ has job\d+ and job\d+/,
    patches: [{ file: "src/store/sql/schedules.ts", from: "last_tick < ?)", to: "last_tick <= ?)" }]
  },

  "a tick is lost that could not be recorded at once": {
    symptom: /the tick at \d+ has no job/,
    patches: [
      {
        file: "src/manager/internal/schedule.ts",
        from: "      const ticked = yield* schedules.tick({\n",
        to: "      position = tick\n      const ticked = yield* schedules.tick({\n"
      }
    ]
  }
}
