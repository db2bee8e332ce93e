import { Effect } from "effect"
import { AlreadyManaged } from "../../domain/errors.js"
import { KernelRef } from "../../internal/ProcessIdentity.js"
import { MachineRef } from "../../internal/Machine.js"
import type { Owner } from "../port/RunStoreService.js"

/** Fails, and names the owner: its pid is meaningful only on its machine and in its pid namespace. */
export const alreadyManaged = ({ kind, machine, process }: Owner): Effect.Effect<never, AlreadyManaged> =>
  Effect.gen(function* () {
    const { self } = yield* KernelRef
    const isHere = machine === undefined || machine === (yield* MachineRef)
    const isNear = isHere && process.pidNamespace === self.pidNamespace
    const isSelf = isNear && process.pid === self.pid && process.startTime === self.startTime
    return yield* new AlreadyManaged({
      kind,
      pid: process.pid,
      ...(machine !== undefined && { machine }),
      ...(isHere && !isNear && { pidNamespace: process.pidNamespace }),
      ...(isSelf && { isSelf })
    })
  })
