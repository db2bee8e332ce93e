/**
 * The part of the in-memory store for the owners of kinds.
 */
import { Effect, Option } from "effect"
import * as Ownership from "../sqlite/Ownership.js"
import type { Owner, OwnerStore } from "../port/OwnerStore.js"

export const make = (): OwnerStore => {
  const owned = new Map<string, Owner>()
  const owners: Omit<OwnerStore, "acquire"> = {
    get: (kind) => Effect.sync(() => Option.fromNullable(owned.get(kind))),
    claim: (owner, replacing) =>
      Effect.sync(() => {
        const unchanged = owned.get(owner.kind)?.id === Option.getOrUndefined(replacing)?.id
        if (unchanged) owned.set(owner.kind, owner)
        return unchanged
      }),
    release: (owner) =>
      Effect.sync(() => {
        if (owned.get(owner.kind)?.id === owner.id) owned.delete(owner.kind)
      })
  }
  return { ...owners, acquire: Ownership.acquire(owners, undefined) }
}
