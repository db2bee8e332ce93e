/** Jobs that wait for their children, broken in several ways. */
import type { Variant } from "../variants.js"

export const variants: Readonly<Record<string, Variant>> = {
  "a parent keeps its permit": {
    symptom: /has not ended: it is pending/,
    patches: [
      {
        file: "src/manager/internal/children.ts",
        from: "        if (!isTerminal(child.status)) return yield* awaitEnd(state)\n",
        to: `        const isOver = Effect.map(core.store.get(child.id), Option.exists(({ status }) => isTerminal(status)))
        yield* Effect.orDie(Effect.repeat(Effect.delay(isOver, 100), { until: (isOver) => isOver }))
`
      }
    ]
  },

  "the end of a child is lost between the read and the park of its parent": {
    symptom: /has not ended: it is parked/,
    patches: [
      {
        file: "src/store/rules/childRules.ts",
        from: "const missed = ends - childEnds",
        to: "const missed = childEnds - ends"
      }
    ]
  },

  "the stop of a parent leaves its children": {
    symptom: /has not ended: it is parked/,
    patches: [
      {
        file: "src/store/sql/runWrites.ts",
        from: "if (childRules.isStop(type)) yield*",
        to: "if (childRules.isStop(type) && head.childEnds === undefined) yield*"
      }
    ]
  }
}
