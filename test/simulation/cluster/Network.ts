/**
 * The engine of the nodes: locks on shards that expire by the virtual clock, which each node renews, and requests from node to node
 * that are late, are lost, or come twice.
 */
import { Cause, Effect, Option, Schedule, type Scope } from "effect"
import type { JobId } from "../../../src/domain/JobId.js"
import { StoreError } from "../../../src/domain/errors.js"
import { type Requests, type Service, Unrouted } from "../../../src/cluster/Engine.js"
import { allShards, shardOf } from "../../../src/store/port/shard.js"
import type { Life } from "../Life.js"
import type { Machine } from "../Machine.js"

export interface Faults {
  /** How probable it is that a message is lost, and that a request comes twice. */
  readonly loss: number
  readonly repetition: number
  /** How probable it is that a node takes a shard for its own: the engine decides who should have a job, and nothing else. */
  readonly confusion: number
}

export const faultless: Faults = { loss: 0, repetition: 0, confusion: 0 }

export const faulty: Faults = { loss: 0.3, repetition: 0.3, confusion: 0.2 }

export interface Network {
  /** The engine of a node, for as long as the scope lives. */
  readonly join: (address: string, life: Life) => Effect.Effect<Service, never, Scope.Scope>
  readonly setFaults: (faults: Faults) => void
  /** The address of the node that has the lock on the shard of a job. */
  readonly holder: (id: JobId) => string | undefined
}

/** As of the real one, in milliseconds. */
const expiration = 10_000
const refreshInterval = 3_000
const assignmentInterval = 1_000
const pingInterval = 1_000

const reroute = Schedule.spaced("300 millis").pipe(Schedule.upTo("2 seconds"))

interface Member {
  readonly address: string
  readonly life: Life
  /** The shards whose locks it has, as far as it knows, and when it last renewed them. */
  readonly held: Map<number, number>
  readonly serving: Map<string, Requests>
  isOpen: boolean
}

interface Question<A, E> {
  readonly kind: string
  readonly jobId: JobId
  readonly by: "address" | "shard"
  readonly use: (requests: Requests) => Effect.Effect<A, E | Unrouted>
}

export const make = (
  { random, timeline, trace }: Machine,
  { hasDatabase }: { readonly hasDatabase: (life: Life) => boolean }
): Network => {
  // As the database has them.
  const seen = new Map<string, number>()
  const locks = new Map<number, { readonly address: string; renewedAt: number }>()
  let members: ReadonlyArray<Member> = []
  let faults = faultless

  const isFresh = (since: number) => since > timeline.now() - expiration
  const lockOf = (shard: number) => {
    const lock = locks.get(shard)
    return lock !== undefined && isFresh(lock.renewedAt) ? lock : undefined
  }
  const holder = (id: JobId) => lockOf(shardOf(id))?.address
  const hasShard = ({ held, isOpen }: Member, id: JobId) =>
    isOpen && (isFresh(held.get(shardOf(id)) ?? -Infinity) || random.chance(faults.confusion))

  const refresh = ({ address, held, life }: Member) => {
    if (!hasDatabase(life)) return
    const now = timeline.now()
    seen.set(address, now)
    for (const shard of held.keys()) {
      const lock = locks.get(shard)
      if (lock?.address !== address) held.delete(shard)
      else {
        lock.renewedAt = now
        held.set(shard, now)
      }
    }
  }

  const release = ({ address, held }: Member, shard: number) => {
    held.delete(shard)
    if (locks.get(shard)?.address === address) locks.delete(shard)
  }

  const assign = (member: Member) => {
    const { address, held, life } = member
    if (!hasDatabase(life)) return
    const before = held.size
    const alive = [...seen].flatMap(([address, at]) => (isFresh(at) ? [address] : [])).sort()
    for (const shard of allShards) {
      if (alive[shard % alive.length] !== address) {
        if (held.has(shard)) release(member, shard)
        continue
      }
      if (held.has(shard) || (lockOf(shard)?.address ?? address) !== address) continue
      locks.set(shard, { address, renewedAt: timeline.now() })
      held.set(shard, timeline.now())
    }
    if (held.size !== before) trace.say(`${address} has ${held.size} shards`)
  }

  const every = (member: Member, millis: number, action: () => void): void =>
    void member.life.after(millis, () => {
      if (!member.isOpen) return
      action()
      every(member, millis, action)
    })

  const enter = (address: string, life: Life): Member => {
    const member: Member = { address, life, held: new Map(), serving: new Map(), isOpen: true }
    members = [...members.filter((other) => other.life.isAlive()), member]
    refresh(member)
    every(member, refreshInterval, () => refresh(member))
    life.after(random.between(0, assignmentInterval), () => {
      assign(member)
      every(member, assignmentInterval, () => assign(member))
    })
    return member
  }

  const leave = (member: Member) => {
    member.isOpen = false
    members = members.filter((other) => other !== member)
    if (!hasDatabase(member.life)) return
    for (const shard of member.held.keys()) release(member, shard)
    seen.delete(member.address)
  }

  const answer = <A, E>(member: Member, { by, jobId, kind, use }: Question<A, E>): Effect.Effect<A, E | Unrouted> =>
    Effect.suspend(() => {
      const requests = member.serving.get(kind)
      if (requests === undefined || (by === "shard" && !hasShard(member, jobId))) return new Unrouted({ jobId })
      return Effect.catchAllCause(use(requests), (cause) =>
        Cause.isInterruptedOnly(cause) ? new Unrouted({ jobId }) : Effect.failCause(cause)
      )
    })

  /** It goes on when the caller goes away. */
  const here = <A, E>(member: Member, question: Question<A, E>) =>
    Effect.async<A, E | Unrouted>((resume) => {
      member.life.fork(answer(member, question), (exit) => resume(exit))
    })

  const delay = () => (random.chance(0.1) ? random.between(0, 1_500) : random.between(0, 30))

  const there = <A, E>(from: Member, address: string, question: Question<A, E>) =>
    Effect.async<A, E | Unrouted>((resume) => {
      const { jobId } = question
      let isOver = false
      let to: Member | undefined
      let isLost = random.chance(faults.loss)
      const end = (answer: Effect.Effect<A, E | Unrouted>) => {
        if (!isOver && from.life.isAlive()) resume(answer)
        isOver = true
      }
      const deliver = () => {
        const found = members.find((member) => member.address === address && member.isOpen)
        if (found === undefined || !found.life.isAlive()) return end(new Unrouted({ jobId }))
        to = found
        found.life.fork(answer(found, question), (exit) => {
          if (random.chance(faults.loss)) isLost = true
          else timeline.after(delay(), () => end(exit))
        })
      }
      /** A node that has died or stands still does not answer the next ping, and a broken connection is noticed by then. */
      const ping = (): void =>
        void from.life.after(pingInterval, () => {
          if (isOver) return
          if (isLost || to?.life.isAlive() === false || to?.life.isFrozen() === true) end(new Unrouted({ jobId }))
          else ping()
        })
      if (!isLost) timeline.after(delay(), deliver)
      if (random.chance(faults.repetition)) timeline.after(delay(), deliver)
      ping()
      return Effect.sync(() => void (isOver = true))
    })

  const unreachable = new StoreError({
    operation: "find a node",
    reason: "unreachable",
    cause: new Error("the database does not answer")
  })

  const engineOf = (own: Member): Service => {
    const { address, held, life, serving } = own
    const routed = <A, E>(question: Question<A, E>, to: string | undefined): Effect.Effect<A, E | Unrouted> =>
      Effect.suspend(() => {
        const { by, jobId } = question
        if (by === "address" ? to === address : hasShard(own, jobId)) return here(own, question)
        const found = to ?? (hasDatabase(life) ? holder(jobId) : undefined)
        return found === undefined || found === address ? new Unrouted({ jobId }) : there(own, found, question)
      }).pipe(Effect.retry({ while: (error) => error instanceof Unrouted, schedule: reroute }))

    return {
      address,
      hasShard: (id) => hasShard(own, id),
      shards: () => {
        const isConfused = random.chance(faults.confusion)
        return allShards.filter((shard) => own.isOpen && (isConfused || isFresh(held.get(shard) ?? -Infinity)))
      },
      holders: Effect.suspend(() =>
        hasDatabase(life)
          ? Effect.succeed(new Map(allShards.map((shard) => [shard, lockOf(shard)?.address ?? ""])))
          : unreachable
      ),
      nodesOf: (ids) =>
        Effect.suspend(() =>
          hasDatabase(life) ? Effect.succeed(ids.map((id) => Option.fromNullable(holder(id)))) : unreachable
        ),
      serve: (kind, requests) =>
        Effect.acquireRelease(
          Effect.sync(() => serving.set(kind, requests)),
          () => Effect.sync(() => serving.delete(kind))
        ),
      ask: (kind, to) => {
        const by = to === undefined ? "shard" : "address"
        return {
          wake: (jobId) =>
            Effect.sync(() => {
              const sent = routed({ kind, jobId, by, use: ({ wake }) => wake(jobId) }, to)
              life.fork(Effect.ignore(Effect.timeout(sent, "2 seconds")))
            }),
          stop: (jobId, grace) => routed({ kind, jobId, by, use: ({ stop }) => stop(jobId, grace) }, to)
        }
      }
    }
  }

  return {
    holder,
    setFaults: (next) => {
      faults = next
    },
    join: (address, life) =>
      Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => enter(address, life)),
          (member) => Effect.sync(() => leave(member))
        ),
        engineOf
      )
  }
}
