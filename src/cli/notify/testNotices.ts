/**
 * `charlotte notify test`: sends a test notice by each command, one after the other.
 */
import { DateTime, Effect, Either, Layer, Option } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import * as Home from "../../daemon/home/Home.js"
import type { Notice } from "../../daemon/notices/Notice.js"
import * as NoticeCommand from "../../daemon/notices/NoticeCommand.js"
import { now } from "../../internal/now.js"
import { JobManager } from "../../manager/JobManager.js"
import { ParentEnvironment } from "../../process/ChildEnvironment.js"
import * as ExitCode from "../errors/ExitCode.js"
import { UsageError } from "../parser/UsageError.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"

interface Options {
  readonly name: Option.Option<string>
  readonly json: boolean
}

const chosen = (name: Option.Option<string>) =>
  Effect.gen(function* () {
    const { notify } = yield* Configuration.Configuration
    const found = notify.filter((settings) => Option.getOrElse(name, () => settings.name) === settings.name)
    if (found.length > 0) return found
    const { config } = yield* Home.Home
    const missing = Option.match(name, { onNone: () => "no notify:", onSome: (name) => `no notify.${name}` })
    return yield* new UsageError({
      problem: `${config} has ${missing}`,
      hint: "add a command, such as notify: { phone: { run: [ntfy-send] } }"
    })
  })

export const testNotices = ({ json, name }: Options) =>
  Effect.gen(function* () {
    const at = yield* now
    const around = yield* ParentEnvironment
    const results = yield* Effect.forEach(yield* chosen(name), (settings) =>
      Effect.gen(function* () {
        const notice: Notice = {
          id: `test.${at.epochMillis}`,
          at: DateTime.formatIso(at),
          kind: JobManager.kind,
          job: NoticeCommand.noJob,
          status: "test",
          title: "a test of charlotte",
          command: "charlotte summary",
          ...(settings.reason && { reason: "this is only a test" })
        }
        const { send } = yield* NoticeCommand.make(settings, "test")
        const sent = yield* Effect.either(send(notice))
        const problem = Either.isLeft(sent) ? sent.left.message : undefined
        const unset = settings.env.filter((name) => around[name] === undefined)
        if (!json) yield* writeLines(shown(settings.name, problem, unset))
        return { name: settings.name, sent: problem === undefined, problem, unset }
      })
    )
    if (json) yield* writeJson(results)
    if (results.some(({ sent }) => !sent)) return yield* new ExitCode.Quit({ code: ExitCode.failed })
  }).pipe(Effect.provide(Layer.provideMerge(Configuration.layer, Home.layerUntouched)))

const shown = (
  name: string,
  problem: string | undefined,
  unset: ReadonlyArray<string>
): ReadonlyArray<StyledLine.Line> => [
  problem === undefined
    ? [StyledLine.raw("✓ ", "good"), StyledLine.piece(`${name} has sent a test notice`)]
    : [StyledLine.raw("✗ ", "bad"), StyledLine.piece(`${name}: ${problem}`)],
  ...unset.map((variable) => [StyledLine.piece(`${variable} is not set in this shell`, "warn")])
]
