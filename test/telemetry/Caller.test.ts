/** Commands that give a daemon a job pass on the span around them. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Export } from "../../src/http/contract/Export.js"
import * as Charlotte from "../cli/process/Charlotte.js"
import * as Daemon from "../cli/process/Daemon.js"
import { task, unit } from "../tasks/Jobs.js"
import * as Receiver from "./Receiver.js"

const spanOf = (digit: string) => ({ traceId: digit.repeat(32), spanId: digit.repeat(16) })
const traceparent = ({ spanId, traceId }: ReturnType<typeof spanOf>) => `00-${traceId}-${spanId}-01`

/** Each ends with the job that it has given to the daemon; the first two of these fail. */
const commands = [
  { caller: spanOf("1"), script: "charlotte run tasks" },
  { caller: spanOf("2"), script: "charlotte watch $(charlotte start tasks)" },
  { caller: spanOf("3"), script: "touch $GO; charlotte retry latest" }
]

describe("a daemon that already runs, with OTEL_EXPORTER_OTLP_ENDPOINT", () => {
  it.scopedLive(
    "links a job to the TRACEPARENT around run, start and retry, and exports say where it is in traces",
    () =>
      Effect.gen(function* () {
        const receiver = yield* Receiver.make()
        const world = yield* Charlotte.world((root) => ({
          "charlotte.yaml": "agent: script\nattempts: 1\n",
          "api/IMPLEMENTATION_PLAN.md": unit(),
          "api/01-one.md": task(1, `ls '${root}/go' > one`, "ls one")
        }))
        yield* Daemon.up(world, {
          variables: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "100" }
        })
        const codes = yield* Effect.forEach(commands, ({ caller, script }) =>
          Effect.map(
            Charlotte.run(world, script, { variables: { TRACEPARENT: traceparent(caller), GO: `${world.root}/go` } }),
            ({ code }) => code
          )
        )
        expect(codes).toEqual([1, 1, 0])
        const jobs = () => receiver.spans.filter(({ name }) => name === "job")
        yield* Receiver.until(() => jobs().length === commands.length)
        expect(jobs().map(({ links }) => links)).toEqual(commands.map(({ caller }) => [caller]))
        // Each is a trace of its own.
        expect(new Set([...jobs(), ...commands.map(({ caller }) => caller)].map(({ traceId }) => traceId)).size).toBe(6)

        for (const [at, job] of jobs().entries()) {
          const { out } = yield* Charlotte.run(world, `charlotte export ${Receiver.attributes(job)["jobId"]}`)
          const { run } = yield* Schema.decode(Schema.parseJson(Export))(out)
          const caller = commands[at]?.caller
          expect(run.trace).toEqual({
            root: `00-${job.traceId}-${job.spanId}-01`,
            startedBy: caller && traceparent(caller)
          })
        }
        expect(receiver.errors).toEqual([])
        yield* Daemon.down(world)
      }),
    300_000
  )
})
