/**
 * The nodes of a run: they come, close, are killed, stand still, and lose the database, each by itself.
 */
import { Cause, Exit, Option } from "effect"
import type { Cut } from "../Database.js"
import * as LifeModule from "../Life.js"
import * as Machine from "../Machine.js"
import type { Manager } from "../Manager.js"
import type { Operations } from "../Operations.js"
import * as Guards from "./Guards.js"
import type { Lapses } from "./Lapses.js"
import { boot as bootNode, type Shared } from "./Node.js"

interface Node {
  readonly address: string
  readonly life: LifeModule.Life
  readonly manager: Manager
  readonly guard: Guards.Guard
  isCut: boolean
  /** It loses the database for so long as soon as it has taken a job, before it learns of that. */
  cutWhenTaken: number | undefined
}

export interface Nodes {
  readonly lives: () => ReadonlyArray<LifeModule.Life>
  readonly isAlive: (pid: number) => boolean
  /** Those that callers can ask. */
  readonly ready: () => ReadonlyArray<Manager>
  readonly hasDatabase: (life: LifeModule.Life) => boolean
  /** One more, at an address that no other has. */
  readonly join: () => void
  /** The process of one is killed; its children live on. */
  readonly crash: () => void
  readonly close: () => void
  readonly freeze: () => void
  /** The database does not answer one. */
  readonly cutOff: () => void
  /** One has taken a job. */
  readonly taken: (life: LifeModule.Life) => void
  /** All that stand still continue, and all have the database; there is one at least. */
  readonly mend: () => void
  /** No more come. */
  readonly closeAll: () => void
  readonly figures: () => { readonly crashes: number; readonly alive: number }
}

const addresses = ["a:1", "b:1", "c:1", "d:1"] as const

export const make = (
  world: Shared,
  options: {
    readonly operations: Operations
    readonly stopGrace: number
    readonly recovery: "automatic" | "manual"
    /** Whether all nodes run on one machine; otherwise each has its own. */
    readonly isOneMachine: boolean
    readonly lapses: Lapses
    readonly skews: boolean
  }
): Nodes => {
  const { database, machine, maxJobs, processes } = world
  const { random, timeline, trace, violate } = machine
  const { isOneMachine, lapses, operations, recovery, stopGrace } = options
  const nodes = new Map<number, Node>()
  const boots = new Map<string, number>()
  let pids = 1
  let crashes = 0
  let alive = 0
  let isOver = false

  const all = () => [...nodes.values()]
  const isTaken = (address: string) => all().some((node) => node.address === address)
  const machineOf = (address: string) => (isOneMachine ? "machine" : `machine of ${address}`)
  const pick = (which: (node: Node) => boolean) => {
    const [first, ...rest] = all().filter(which)
    return first === undefined ? undefined : random.pick([first, ...rest])
  }
  const isReady = ({ life, manager }: Node) =>
    life.isAlive() && !life.isFrozen() && manager.service() !== undefined && !manager.isClosing()

  const end = (node: Node) => {
    node.life.kill()
    operations.forget(node.manager)
  }

  const boot = (address: string) => {
    const name = machineOf(address)
    const bootId = `boot ${boots.get(name) ?? 1} of ${name}`
    const skew = options.skews ? random.between(-1_500, 1_500) : 0
    const pid = pids++
    const life = LifeModule.make(
      { ...machine, wallClock: () => machine.wallClock() + skew },
      {
        pid,
        bootId,
        isAlive: (other) => nodes.has(other),
        onKilled: (life) => {
          nodes.delete(life.pid)
          database.abandon(life)
        }
      }
    )
    const guard = Guards.make(machine, {
      life,
      processes,
      mayKill: () => !life.isAlive() || life.isFrozen() || lapses.hasLapsed(life)
    })
    trace.say(`${pid} boots at ${address}`)
    const begunInCalm = world.isCalm()
    const manager = bootNode(
      life,
      world,
      {
        address,
        machine: name,
        guard,
        options: { maxJobs, stopGrace, recovery }
      },
      (exit) => {
        trace.say(`${pid} ${Exit.isSuccess(exit) ? "is a node" : `is not: ${Machine.firstLine(exit.cause)}`}`)
        if (Exit.isSuccess(exit)) return
        const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
        if (failure?._tag !== "StoreError" || begunInCalm)
          violate(`no node came up at ${address}: ${Machine.firstLine(exit.cause)}`)
        guard.end()
        end(node)
        bootLater(address)
      }
    )
    const node: Node = { address, life, manager, guard, isCut: false, cutWhenTaken: undefined }
    nodes.set(pid, node)
  }

  const bootLater = (address: string) =>
    void timeline.after(random.between(0, 12_000), () => {
      if (!isOver && !isTaken(address)) boot(address)
    })

  const crash = () => {
    const node = pick(() => true)
    if (node === undefined) return
    const { address, guard, life } = node
    crashes += 1
    if (processes.running().length > 0) alive += 1
    trace.say(`${life.pid} at ${address} is killed`)
    end(node)
    if (!isOneMachine && random.chance(0.1)) {
      trace.say("and its machine with it")
      processes.killAll(({ startedBy }) => startedBy === life.pid)
      boots.set(machineOf(address), (boots.get(machineOf(address)) ?? 1) + 1)
      guard.kill()
    } else if (isOneMachine && random.chance(0.3)) {
      trace.say("and its guard with it")
      guard.kill()
    } else guard.end()
    if (random.chance(0.7)) bootLater(address)
  }

  const closeNode = (node: Node) => {
    const { address, guard, life, manager } = node
    trace.say(`${life.pid} at ${address} closes`)
    manager.close(() => {
      trace.say(`${life.pid} at ${address} has closed`)
      end(node)
      guard.end()
    })
  }

  /** For longer than its lease, or not. */
  const span = () => (random.chance(0.3) ? random.between(100, 4_000) : random.between(5_000, 20_000))

  const thaw = ({ life }: Node) => {
    if (!life.isAlive() || !life.isFrozen()) return
    trace.say(`${life.pid} continues`)
    lapses.end(life)
    life.thaw()
  }

  const cut = (node: Node, how: Cut, millis: number) => {
    const { life } = node
    trace.say(`${life.pid} has no database for ${millis} ms: ${how}`)
    node.isCut = true
    lapses.begin(life)
    database.cutOff(life, how)
    timeline.after(millis, () => reconnect(node))
  }

  const reconnect = (node: Node) => {
    node.cutWhenTaken = undefined
    if (!node.life.isAlive() || !node.isCut) return
    trace.say(`${node.life.pid} has the database again`)
    node.isCut = false
    lapses.end(node.life)
    database.reconnect(node.life)
  }

  return {
    lives: () => all().map(({ life }) => life),
    isAlive: (pid) => nodes.has(pid),
    ready: () => all().flatMap((node) => (isReady(node) ? [node.manager] : [])),
    hasDatabase: (life) => nodes.get(life.pid)?.isCut !== true,
    join: () => {
      const [first, ...rest] = addresses.filter((address) => !isTaken(address))
      if (first !== undefined) boot(random.pick([first, ...rest]))
    },
    crash,
    close: () => {
      const node = pick(isReady)
      if (node === undefined) return
      closeNode(node)
      if (random.chance(0.7)) bootLater(node.address)
    },
    freeze: () => {
      const node = pick(({ life }) => !life.isFrozen())
      if (node === undefined) return
      const { life } = node
      const millis = span()
      trace.say(`${life.pid} stands still for ${millis} ms`)
      lapses.begin(life)
      life.freeze()
      database.disconnect(life)
      timeline.after(millis, () => thaw(node))
    },
    cutOff: () => {
      const node = pick(({ isCut }) => !isCut)
      if (node === undefined) return
      if (random.chance(0.3)) node.cutWhenTaken = span()
      else cut(node, random.pick(["refused", "silent"]), span())
    },
    taken: ({ pid }) => {
      const node = nodes.get(pid)
      if (node?.cutWhenTaken === undefined || node.isCut) return
      cut(node, "silent", node.cutWhenTaken)
      node.cutWhenTaken = undefined
    },
    mend: () => {
      for (const node of all()) {
        thaw(node)
        reconnect(node)
      }
      if (all().every(({ manager }) => manager.isClosing()))
        boot(addresses.find((address) => !isTaken(address)) ?? "e:1")
    },
    closeAll: () => {
      isOver = true
      for (const node of all()) if (!node.manager.isClosing()) closeNode(node)
    },
    figures: () => ({ crashes, alive })
  }
}
