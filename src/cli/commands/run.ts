/**
 * `charlotte run`: works through a directory of tasks, and shows how.
 */
import * as Command from "@effect/cli/Command"
import { Effect, Option } from "effect"
import * as Host from "../../daemon/Host.js"
import { JobConfig } from "../../domain/JobConfig.js"
import * as Git from "../../tasks/Git.js"
import type { Repository } from "../../tasks/git/Repository.js"
import * as Admission from "../../tasks/work/Admission.js"
import * as Embedded from "../Embedded.js"
import * as Place from "../Place.js"
import * as PlanTree from "../PlanTree.js"
import { UsageError } from "../UsageError.js"
import * as parameters from "./parameters.js"

const { agent, concurrency, dryRun, json, labels, noLand, repo, target, tasksDir } = parameters

export const run = Command.make(
  "run",
  { tasksDir, repo, target, agent, concurrency, noLand, dryRun, labels, json },
  ({ json, ...given }) =>
    Effect.gen(function* () {
      const { repository, tasksDir } = yield* Place.find(given)
      const config = {
        repoPath: repository.topLevel,
        tasksDir,
        targetBranch: Option.isSome(given.target) ? given.target.value : yield* checkedOut(repository),
        dryRun: given.dryRun,
        land: !given.noLand,
        labels: given.labels,
        ...Option.match(given.concurrency, { onNone: () => ({}), onSome: (concurrency) => ({ concurrency }) }),
        ...Option.match(given.agent, { onNone: () => ({}), onSome: (agent) => ({ agent }) })
      }
      if (given.dryRun) return yield* show(new JobConfig({ concurrency: 4, ...config }), json)
      yield* Embedded.follow({ begin: (manager) => manager.start(config), json })
    }).pipe(Effect.provide(Git.layer))
).pipe(
  Command.withDescription(
    parameters.about(
      "Works through a directory of tasks, and shows how. Ctrl-C leaves the job interrupted; twice, it forces the end.",
      "charlotte run tasks --target main --agent claude --concurrency 2 --label team=web"
    )
  )
)

const checkedOut = (repository: Repository) =>
  Effect.flatMap(Git.Git, (git) =>
    Effect.flatMap(git.head(repository), (head) =>
      head._tag === "Detached"
        ? new UsageError({
            problem: "HEAD is detached, so there is no branch to work for; name one with --target",
            help: "charlotte run --help"
          })
        : Effect.succeed(head.branch)
    )
  )

/** All that would keep the job from being taken, or else what it would do. */
const show = (config: JobConfig, json: boolean) =>
  Effect.flatMap(Admission.read(config), ({ plan }) => PlanTree.write(plan, json)).pipe(Effect.provide(Host.check))
