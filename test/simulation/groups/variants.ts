/** The groups of a kind, broken in several ways. */
import type { Variant } from "../variants.js"

export const variants: Readonly<Record<string, Variant>> = {
  "a blocked group is counted as due": {
    symptom: /a start is refused for runs that wait, and none of them may begin|it does not come to rest/,
    patches: [
      {
        file: "src/store/sql/groups.ts",
        from: "CASE WHEN g.head IS NOT NULL AND g.active < coalesce(",
        to: "CASE WHEN g.head IS NOT NULL AND g.active - 1000 < coalesce("
      }
    ]
  },

  "a full group lets one more begin": {
    symptom: /group \w has \d running jobs/,
    patches: [
      { file: "src/store/rules/admitRun.ts", from: "(isNew ? waiting : 0) >= most", to: "(isNew ? waiting : 0) > most" }
    ]
  },

  "the end of a job leaves its group as it was": {
    symptom: /has not ended: it is|is wrong/,
    patches: [
      {
        file: "src/store/sql/Batch.ts",
        from: 'isRunning !== (head.state.status === "running")',
        to: 'isRunning && head.state.status !== "running"'
      }
    ]
  }
}
