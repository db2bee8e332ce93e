/** Fast-forwards a branch: the ref alone, or together with its only checkout. */
import { Effect, Option } from "effect"
import * as Checkouts from "./Checkouts.js"
import * as ContentFilters from "./ContentFilters.js"
import { BranchMoved, CheckoutInTheWay, type GitFailed, NotFastForward } from "./GitError.js"
import * as History from "./History.js"
import { mutate, patiently } from "./withRepositoryLock.js"
import type { BranchName, ObjectId } from "./RefNames.js"
import * as Refs from "./Refs.js"
import type { Repository } from "./Repository.js"

/** How a branch was advanced: not at all, since it was already there; as a ref only; or together with a checkout. */
export type Advanced =
  { readonly _tag: "Already" } | { readonly _tag: "Reference" } | { readonly _tag: "Checkout"; readonly path: string }

export interface AdvanceOptions {
  readonly from: ObjectId
  readonly to: ObjectId
}

/** Git lists the files that it would have overwritten, each on a line after a tab. */
const refusal = (path: string, branch: BranchName, { detail }: GitFailed) => {
  const files = [...detail.matchAll(/^\t(.+)$/gm)].map(([, file = ""]) => file)
  return new CheckoutInTheWay({ path, branch, files, detail })
}

/**
 * Git's own fast-forward, which refuses rather than overwrites; nothing is stashed, and ignored files are the user's work as well.
 */
const inCheckout = (
  repository: Repository,
  branch: BranchName,
  checkout: Checkouts.Checkout,
  { from, to }: AdvanceOptions
) =>
  Effect.gen(function* () {
    const { gitDir, path } = checkout
    yield* Checkouts.verify(repository, checkout)
    const operation = yield* Checkouts.operation(checkout)
    if (Option.isSome(operation)) return yield* operation.value
    yield* ContentFilters.refuseIn(repository, { tree: to, since: from, checkout: path })
    const disarmed = { ...repository, settings: { ...repository.settings, ...ContentFilters.disarmed(repository) } }
    const args = [
      "merge",
      "--ff-only",
      // If this process is killed, printing to the broken pipe would end git halfway.
      "--quiet",
      "--no-stat",
      "--no-autostash",
      "--no-verify-signatures",
      "--no-overwrite-ignore"
    ]
    yield* patiently(disarmed, [...args, "--end-of-options", to], { gitDir, workTree: path }).pipe(
      Effect.catchTag("GitFailed", (failure) => refusal(path, branch, failure))
    )
    const now = yield* Refs.resolve(repository, branch)
    if (now !== to) return yield* new BranchMoved({ branch, expected: from, actual: now })
    const advanced: Advanced = { _tag: "Checkout", path }
    return advanced
  })

const byReference = (repository: Repository, branch: BranchName, { from, to }: AdvanceOptions) =>
  Effect.gen(function* () {
    yield* Refs.move(repository, branch, { from: Option.some(from), to: Option.some(to) })
    const advanced: Advanced = { _tag: "Reference" }
    return advanced
  })

/**
 * Moves a branch from its expected commit to a descendant. Uninterruptible once it has started: a checkout that was advanced
 * halfway would look like uncommitted changes of the user.
 */
export const advance = (repository: Repository, branch: BranchName, options: AdvanceOptions) =>
  Effect.gen(function* () {
    const { from, to } = options
    const checkouts = yield* Checkouts.of(repository, branch)
    const locks = checkouts.flatMap(({ gitDir }) => [`${gitDir}/index.lock`, `${gitDir}/HEAD.lock`])
    return yield* mutate(repository, { locks: [...locks, Refs.lockOf(repository, branch)] })(
      Effect.gen(function* () {
        const now = yield* Refs.resolve(repository, branch)
        const already: Advanced = { _tag: "Already" }
        if (now === to) return already
        if (now !== from) return yield* new BranchMoved({ branch, expected: from, actual: now })
        if (!(yield* History.isAncestor(repository, from, to))) return yield* new NotFastForward({ branch, from, to })
        const [checkout, another] = yield* Checkouts.of(repository, branch)
        if (checkout === undefined) return yield* byReference(repository, branch, options)
        if (another === undefined) return yield* inCheckout(repository, branch, checkout, options)
        const detail = `it is checked out in ${another.path} as well`
        return yield* new CheckoutInTheWay({ path: checkout.path, branch, files: [], detail })
      }).pipe(Effect.uninterruptible)
    )
  })
