/** Two versions of a kind side by side, broken in several ways. */
import type { Variant } from "../variants.js"

export const variants: Readonly<Record<string, Variant>> = {
  "a job that does not decode fails at once": {
    symptom: /has failed \d+ ms after it was refused/,
    patches: [
      {
        file: "src/manager/internal/beginRun.ts",
        from: "    if (Option.isSome(core.others) && Option.exists(",
        to: "    if (Option.isSome(core.others) && attempt < 0 && Option.exists("
      }
    ]
  },

  "a job is offered again and again to the version that has refused it": {
    symptom: /has tried \d+ times to decode|does not come to rest/,
    patches: [
      {
        file: "src/store/sql/shares.ts",
        from: "  const refusal = refusalBy(version)\n",
        to: "  const refusal = refusalBy(`not ${version}`)\n"
      }
    ]
  },

  "a node with room leaves the jobs of a full node to it": {
    isRare: true,
    symptom: /waits, and \w:1 has room for it/,
    patches: [{ file: "src/cluster/nodeStore.ts", from: "running < capacity", to: "running >= 0" }]
  },

  "a job that was refused is begun only by the node of its shard": {
    isRare: true,
    symptom: /waits, and \w:1 has room for it|has not ended/,
    patches: [
      {
        file: "src/store/sql/shares.ts",
        from: "      WHERE kind = ? AND refused_at IS NOT NULL AND waits_for = 'permit'",
        to: "      WHERE kind = ? AND refused_at < 0 AND waits_for = 'permit'"
      }
    ]
  }
}
