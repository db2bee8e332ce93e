/**
 * Whether a node of a cluster, or a process of another home, perhaps on another machine, manages the jobs in this home's database.
 */
import { Effect, Option } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { KernelRef } from "../../internal/ProcessIdentity.js"
import type { Service } from "../../store/port/RunStoreService.js"

/** A process on another machine, or in another container, is assumed to be alive: that cannot be checked from here. */
export const isManaged = (
  { cluster, owners }: Pick<Service, "cluster" | "owners">,
  kind: string
): Effect.Effect<boolean, StoreError> =>
  Effect.gen(function* () {
    if ((yield* cluster.nodes(kind)).some((node) => node.isAlive)) return true
    const owner = yield* owners.get(kind)
    if (Option.isNone(owner)) return false
    const { process } = owner.value
    const { isAlive, self } = yield* KernelRef
    return process.bootId === self.bootId && process.pidNamespace === self.pidNamespace ? yield* isAlive(process) : true
  })
