/**
 * The nodes of a cluster, broken in ways that only several of them show. As for those of one manager, the simulation has to find each.
 */
import type { Variant } from "../variants.js"

const twice = /and its orchestrator still runs|runs twice at once|works at attempt \d+ of/

export const variants: Readonly<Record<string, Variant>> = {
  "a run is taken over while its node is alive": {
    symptom: twice,
    patches: [
      {
        file: "src/cluster/sweeps.ts",
        from: "    if (hasShard && !Option.exists(held.runner, ({ isAlive }) => isAlive)) yield* settle(parts, held)\n",
        to: "    if (hasShard) yield* settle(parts, held)\n"
      }
    ]
  },

  "a write of an attempt that is over is taken": {
    isRare: true,
    symptom:
      /has an event of attempt \d+ in attempt \d+|as number \d+|and its orchestrator still runs|works at attempt \d+ of/,
    patches: [
      {
        file: "src/store/rules/RunTransition.ts",
        from: "  if (state.attempt !== attempt) return undefined\n",
        to: ""
      },
      {
        file: "src/store/rules/RunTransition.ts",
        from: 'state.status === "running" && state.attempt === attempt',
        to: 'state.status === "running"'
      }
    ]
  },

  "a node without its lease keeps its jobs": {
    isRare: true,
    symptom: twice,
    patches: [{ file: "src/cluster/Node.ts", from: "      yield* letGo\n", to: "" }]
  },

  "jobs are counted before the lock": {
    symptom: /\d jobs are running, and \d may/,
    patches: [
      {
        file: "src/store/sql/clusterWrites.ts",
        from: "    admit: (run, placement, taker) =>\n      Effect.zipLeft(\n",
        to: `    admit: (run, placement, taker) =>
      Effect.flatMap(session.read("count", (connection) => cluster.room(connection, run.kind)), (early) => Effect.zipLeft(
`
      },
      {
        file: "src/store/sql/clusterWrites.ts",
        from: "placeRun(run, placement, room, ",
        to: "placeRun(run, placement, early, "
      },
      {
        file: "src/store/sql/clusterWrites.ts",
        from: "        indexer.written\n      ),\n\n    begin:",
        to: "        indexer.written\n      )),\n\n    begin:"
      }
    ]
  },

  "a stop is asked for before its intent is recorded": {
    isRare: true,
    symptom: /is running after all were stopped/,
    patches: [
      {
        file: "src/cluster/otherNodes.ts",
        from: '            .record({ type: "job.stopping", jobId: id, attempt, at, sender })\n',
        to: '            .record({ type: "job.stopping", jobId: id, attempt: 0, at, sender })\n'
      }
    ]
  },

  "a job is kept whose beginning was answered after the lease": {
    isRare: true,
    symptom: twice,
    patches: [
      {
        file: "src/manager/internal/jobLife.ts",
        from: " || (yield* Ref.get(core.lapses)) !== lapses",
        to: ""
      }
    ]
  },

  "a guard learns of a time where it expects an age": {
    symptom: /kills -?\d+, and that node has its lease/,
    patches: [
      {
        file: "src/cluster/Node.ts",
        from: "      yield* onRenewed(Math.max(0, yield* since))\n",
        to: "      yield* onRenewed((yield* times)[1])\n"
      }
    ]
  }
}
