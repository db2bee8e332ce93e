/**
 * The product, broken in the ways in which a night was lost, or might have been. Each has to be found.
 */
import type { Variant } from "../variants.js"

export const variants: Readonly<Record<string, Variant>> = {
  "an attempt is charged to a limit": {
    symptom: /has used \d+ attempts, with \d+ verdicts/,
    patches: [
      {
        file: "src/tasks/run/AgentTurns.ts",
        from: "          if (Option.isSome(ended.limit)) return yield* new AgentLimited({ limit: ended.limit.value })\n",
        to: ""
      }
    ]
  },

  "two turns probe an agent at one reset": {
    symptom: /two turns probe \w+ at one reset/,
    patches: [
      {
        file: "src/tasks/run/AgentGate.ts",
        from: "        if (probe !== undefined) return yield* new AgentProbed({ limit, ended: Deferred.await(probe.ended) })\n",
        to: ""
      }
    ]
  },

  "a turn begins above a limit of money": {
    symptom: /a turn .* begins at .*, with a limit of/,
    patches: [
      {
        file: "src/tasks/run/Spending.ts",
        from: "ctx.spending.step(Effect.zipRight(check(ctx), effect))",
        to: "ctx.spending.step(effect)"
      },
      // Then it is checked only when a unit begins or continues.
      { file: "src/tasks/run/agentTurn.ts", from: "    yield* Spending.check(ctx)\n", to: "" }
    ]
  },

  "a turn that a crash cut off costs nothing": {
    symptom: /has spent .* by its tasks, and its turns have drawn/,
    patches: [
      {
        file: "src/tasks/run/Spending.ts",
        from: "      const found = yield* counted(record, yield* pricesOf(record.turn.agent))\n",
        to: "      const found = { change: { turn: undefined }, event: undefined }\n"
      }
    ]
  },

  "a file is lost by a park": {
    symptom: /was lost before a turn|is lost in the end/,
    patches: [
      {
        file: "src/tasks/run/runUnit.ts",
        from: "UnitWorktree.open(ctx, unit.id, { branch, at })",
        to: "UnitWorktree.make(ctx, { unit: unit.id, branch, at })"
      }
    ]
  },

  "an answer is applied twice": {
    symptom: /got answer \d+\. \d+ times, and had it/,
    patches: [
      {
        file: "src/tasks/run/agentTurn.ts",
        from: "answers: answers.slice(known)",
        to: "answers"
      }
    ]
  },

  "a second answer replaces the first": {
    symptom: /was accepted, and is not recorded|questions are answered, with \d+ events/,
    patches: [
      {
        file: "src/store/rules/answering.ts",
        from: "const [asked, ...others] = open.filter(isMeant)",
        to: "const [asked, ...others] = open.length > 0 ? open.filter(isMeant) : all.filter(isMeant).slice(-1)"
      },
      {
        file: "src/store/sql/questions.ts",
        from: "AND seq = ? AND answered_at IS NULL`",
        to: "AND seq = ?`"
      }
    ]
  }
}
