/**
 * Proposes the result as a pull request: pushes its branch, and opens one with `gh`. Each step can be repeated: after a crash, the
 * branch and the pull request are found.
 */
import { Duration, Effect, Option } from "effect"
import { Git } from "../../git/Git.js"
import type { ObjectId } from "../../git/RefNames.js"
import * as Remote from "../../git/Remote.js"
import * as plainText from "../../internal/plainText.js"
import { ProcessRunner } from "../../process/ProcessRunner.js"
import * as landResult from "./landResult.js"
import * as ResultBranch from "./ResultBranch.js"
import type { RunContext } from "./RunContext.js"
import * as runCommand from "./runCommand.js"
import * as verifyMerge from "./verifyMerge.js"

/** @param isVerified as for `landResult.land` */
export const propose = (ctx: RunContext, result: ObjectId, isVerified: boolean) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { emit, repository, snapshot } = ctx
    const { target, targetAt } = snapshot
    const remote = Remote.of(repository, target)
    if (Option.isNone(remote)) return yield* landResult.blocked(ctx, { reason: noRemote })
    if (!isVerified) yield* landResult.verify(ctx, result, targetAt)
    yield* ResultBranch.set(ctx, result)
    yield* git
      .push(repository, { remote: remote.value, branch: ctx.result, commit: result })
      .pipe(
        Effect.catchAll(({ message }) =>
          landResult.blocked(ctx, { reason: `${ctx.result} could not be pushed to ${remote.value.name}: ${message}` })
        )
      )
    const proposal = yield* Option.match(Remote.forge(remote.value), {
      onNone: () => Effect.succeed<Proposal>({ isOpen: false }),
      onSome: (forge) => pullRequest(ctx, forge)
    })
    yield* emit("orch.proposed", { target, branch: ctx.result, remote: remote.value.name, ...proposal })
    return proposal
  })

export const noRemote = "the repository has no remote: add one with: git remote add origin URL"

interface Proposal {
  /** The pull request, or the page on which to open one. */
  readonly url?: string
  readonly isOpen: boolean
  /** Why `gh` has not opened it. */
  readonly problem?: string
}

/** A failure may be temporary, such as a lost network connection. */
const attempts = 3
const pause = Duration.seconds(1)

const pullRequest = (ctx: RunContext, { host, path }: Remote.Forge) =>
  Effect.gen(function* () {
    const { result, snapshot } = ctx
    const about = ["--repo", `${host}/${path}`, "--base", snapshot.target, "--head", result]
    const page = `https://${host}/${path}/compare/${encodeURI(`${snapshot.target}...${result}`)}?expand=1`
    for (let attempt = 1; ; attempt++) {
      const found = yield* gh(ctx, ["list", ...about, "--state", "all", "--json", "url", "--jq", ".[0].url"])
      const made =
        found.url === undefined && found.problem === undefined
          ? yield* gh(ctx, ["create", ...about, ...text(ctx)])
          : found
      if (made.url !== undefined) return { isOpen: true, url: made.url } satisfies Proposal
      if (!made.isInstalled) return { isOpen: false, url: page } satisfies Proposal
      const { problem = "gh printed no URL" } = made
      if (attempt === attempts) return { isOpen: false, url: page, problem } satisfies Proposal
      yield* Effect.sleep(Duration.times(pause, 2 ** (attempt - 1)))
    }
  })

/** Title and text of the pull request: what was done, by unit. */
const text = (ctx: RunContext): ReadonlyArray<string> => {
  const done = verifyMerge.doneTasks(ctx)
  const units = [...new Set(done.map(({ unit }) => unit))]
  const title = ctx.snapshot.plan.settings.title ?? `${units.join(", ")}`
  const sections = units.map((unit) =>
    [
      `### ${unit}`,
      "",
      ...done.filter((one) => one.unit === unit).map(({ task }) => `* ${plainText.line(task.title)}`)
    ].join("\n")
  )
  const body = [...sections, `Charlotte job ${ctx.job.id}`].join("\n\n")
  return ["--title", title.slice(0, 200), "--body", body]
}

/** Variables with which `gh` finds its account; gates and agents do not get them. */
const inherit = [
  "GH_TOKEN",
  "GITHUB_TOKEN",
  "GH_ENTERPRISE_TOKEN",
  "GITHUB_ENTERPRISE_TOKEN",
  "GH_HOST",
  "GH_CONFIG_DIR"
].concat(["http_proxy", "https_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]))

const limit = Duration.minutes(2)

/** Runs `gh pr`. As a process of the job, it is ended after a crash before the next attempt begins: so it opens no second one. */
const gh = ({ directories, job }: RunContext, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const runner = yield* ProcessRunner
    const { outcome, output } = yield* runner.run({
      jobId: job.id,
      attempt: job.attempt,
      purpose: "pull request",
      command: ["gh", "pr", ...args],
      // With --repo, it looks at no repository of this machine.
      cwd: "/",
      inherit,
      env: { GH_PROMPT_DISABLED: "1", GH_NO_UPDATE_NOTIFIER: "1", NO_COLOR: "1" },
      output: `${directories.logs}/_landing/pull-request-${job.attempt}.log`,
      limits: { total: limit },
      grace: () => job.grace,
      graceOver: job.graceOver
    })
    const reason = runCommand.reasonOf(outcome)
    return {
      isInstalled: outcome._tag !== "CouldNotStart",
      url: reason === undefined ? /https:\/\/[^\s"']+/.exec(output.tail)?.[0] : undefined,
      problem:
        reason === undefined
          ? undefined
          : `gh pr ${args[0]} ${runCommand.reasonWithOutput({ reason, moved: [], tail: output.tail, log: { file: "", from: 0, to: output.size } })}`
    }
  })
