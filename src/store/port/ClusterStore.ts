/**
 * The state that the nodes of a cluster share for a kind: the nodes, the limit of running jobs, and which node has which job.
 *
 * @since 0.2.0
 */
import type { Effect, Option } from "effect"
import type {
  AlreadyManaged,
  IdempotencyKeyReused,
  JobConflict,
  KindPaused,
  MaxJobsReached,
  NodeConflict,
  QueueFull,
  StoreError,
  Superseded
} from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run, RunTrace } from "../../domain/Run.js"
import type { UnfinishedRun } from "./RunReads.js"
import type { Beginning, Created, NewRun } from "./RunWrites.js"

/** Milliseconds without a heartbeat after which the record of a node is deleted when the next node joins. */
export const forgottenAfter = 24 * 3_600_000

/** How many refused runs are read at once. */
export const mostRefused = 200

/**
 * The nodes of a cluster, and the placement of jobs on them.
 *
 * @since 0.2.0
 * @category models
 */
export interface ClusterStore {
  /**
   * Records a node. It replaces a dead node of the same kind and address; it fails while that node is alive, and if the kind has an
   * owner outside the cluster. Nodes that have been dead for a day are deleted.
   */
  readonly join: (node: NewNode) => Effect.Effect<void, NodeConflict | AlreadyManaged | StoreError>

  /** Records a heartbeat; `false` if the node is no longer recorded. */
  readonly renew: (node: string) => Effect.Effect<boolean, StoreError>

  /** Ends the connections in use: if the database has gone silent, they would wait until TCP gives up. */
  readonly disconnect: Effect.Effect<void>

  readonly leave: (node: string) => Effect.Effect<void, StoreError>

  /** The nodes of a kind, oldest first. */
  readonly nodes: (kind: string) => Effect.Effect<ReadonlyArray<Node>, StoreError>

  /** Keeps jobs from beginning on the node, or lets them begin again, until the node leaves. */
  readonly drain: (node: string, draining: boolean) => Effect.Effect<void, StoreError>

  /** Records how many jobs of a kind may run in the cluster, unless a limit is recorded already. Returns the recorded limit. */
  readonly limit: (query: { readonly kind: string; readonly maxJobs: number }) => Effect.Effect<number, StoreError>

  /** How many jobs of a kind may run; none if no node has recorded it. */
  readonly currentLimit: (kind: string) => Effect.Effect<Option.Option<number>, StoreError>

  /** Changes how many jobs of a kind may run. */
  readonly setLimit: (query: { readonly kind: string; readonly maxJobs: number }) => Effect.Effect<void, StoreError>

  /**
   * Like `create`, but within the limit of the kind: the run is placed on the candidate with most room, under the id of that candidate.
   * If the run begins at once on the address of `taker`, that node takes it in the same transaction.
   */
  readonly admit: (
    run: Omit<NewRun, "id" | "isQueued">,
    placement: Placement,
    taker?: Taker
  ) => Effect.Effect<
    Admitted,
    MaxJobsReached | JobConflict | KindPaused | QueueFull | IdempotencyKeyReused | StoreError
  >

  /** Like `begin`, but within the limit of the kind: this node gets the attempt. */
  readonly begin: (
    beginning: Beginning,
    by: Runner
  ) => Effect.Effect<"running" | "stopping" | "waits", KindPaused | MaxJobsReached | Superseded | StoreError>

  /**
   * Like `begin`, but on the candidate with most room, which has to take the attempt. Returns its address, or none if the run waits
   * for a key, or is due for a stop: a node begins it by itself.
   */
  readonly place: (
    beginning: Beginning,
    candidates: NonEmpty<Location>
  ) => Effect.Effect<Option.Option<string>, KindPaused | MaxJobsReached | Superseded | StoreError>

  /** Takes an attempt that was placed; fails if another node has taken it, or if it has ended. */
  readonly take: (
    attempt: { readonly jobId: JobId; readonly attempt: number; readonly trace?: RunTrace | undefined },
    by: Runner
  ) => Effect.Effect<void, Superseded | StoreError>

  /**
   * The first run that may begin among the runs of some shards and the runs that other versions of the kind have refused, in the order of `due`.
   * Of a paused kind the first of any shard that is due for a stop, and none that this version has refused: if it is the head of a group,
   * the next of the group takes its place.
   */
  readonly next: (query: {
    readonly kind: string
    readonly statuses: ReadonlyArray<"interrupted" | "parked" | "pending">
    readonly version: string
    readonly shards: ReadonlyArray<number>
  }) => Effect.Effect<Option.Option<UnfinishedRun>, StoreError>

  /**
   * Records that a version of the kind cannot decode these runs, if they wait for a permit: its nodes no longer see them as due, until
   * they have begun on a node of another version.
   */
  readonly refuse: (version: string, refusals: ReadonlyArray<Refusal>) => Effect.Effect<void, StoreError>

  /**
   * The runs that wait for a permit and that a version has refused this many milliseconds ago, by the clock of the database: at most
   * 200, the longest refused first.
   */
  readonly refused: (query: {
    readonly kind: string
    readonly millis: number
  }) => Effect.Effect<ReadonlyArray<Run>, StoreError>

  /** The running runs of a kind, oldest first. */
  readonly held: (kind: string) => Effect.Effect<ReadonlyArray<HeldRun>, StoreError>

  /** The runs that are placed on an address and that no node has taken. */
  readonly placed: (query: {
    readonly kind: string
    readonly address: string
  }) => Effect.Effect<ReadonlyArray<HeldRun>, StoreError>

  /** The run, if it is running. */
  readonly heldRun: (id: JobId) => Effect.Effect<Option.Option<HeldRun>, StoreError>
}

/**
 * A run that a version of its kind cannot decode.
 *
 * @since 0.2.0
 * @category models
 */
export interface Refusal {
  readonly jobId: JobId
  /** What does not decode, as in the error of a run that fails for it. */
  readonly reason: string
}

/**
 * Hashes of definitions, by name.
 *
 * @since 0.2.0
 * @category models
 */
export interface Definitions {
  readonly [name: string]: string
}

/**
 * A node: one manager of one kind in one process.
 *
 * @since 0.2.0
 * @category models
 */
export interface NewNode {
  /** Identifies this incarnation of the node: a restart gets another id. */
  readonly id: string
  readonly kind: string
  /** How other nodes reach the node: `HOST:PORT`. */
  readonly address: string
  readonly pid: number
  /** The machine; see `Owner.machine`. */
  readonly machine: string
  /** How many jobs the node runs at once. */
  readonly capacity: number
  /** Where other nodes reach the HTTP server of the node, if they do: `https://HOST:PORT`. */
  readonly url?: string | undefined
  /** Hashes of what the node defines under these names: nodes that have the same name should define the same. */
  readonly definitions?: Definitions | undefined
  /** The version of the kind that the node has. */
  readonly version?: string | undefined
}

/**
 * A node as it is recorded.
 *
 * @since 0.2.0
 * @category models
 */
export interface Node extends NewNode {
  readonly isAlive: boolean
  readonly isDraining: boolean
  /** How many jobs of the kind run there. */
  readonly running: number
  /** Milliseconds since the last heartbeat, by the clock of the database. */
  readonly seenAgo: number
}

/**
 * The node that runs an attempt.
 *
 * @since 0.2.0
 * @category models
 */
export interface Runner {
  /** The id of the node. */
  readonly node: string
  /** The address of the node. */
  readonly address: string
  /** How many jobs the node runs at once. */
  readonly capacity: number
}

/**
 * A node that takes a run as it is placed.
 *
 * @since 0.2.0
 * @category models
 */
export interface Taker extends Runner {
  /** The trace of the run, recorded if the node takes it. */
  readonly trace: RunTrace | undefined
}

/**
 * The result of `admit`.
 *
 * @since 0.2.0
 * @category models
 */
export interface Admitted {
  readonly id: JobId
  readonly created: Created
  /** Whether the taker has taken the run. Otherwise a running run is taken by the node on which it is placed. */
  readonly isTaken: boolean
}

/**
 * Where a new run may be placed.
 *
 * @since 0.2.0
 * @category models
 */
export interface Placement {
  /** One candidate per accepting node, with a job id that hashes to one of its shards. */
  readonly candidates: NonEmpty<Candidate>
  /** What to do if no job may begin. */
  readonly whenFull: "refuse" | "queue"
  /** The statuses whose runs begin before a new run while they wait for a permit. */
  readonly waiting: ReadonlyArray<"interrupted" | "parked" | "pending">
}

/**
 * A node on which an attempt may be placed.
 *
 * @since 0.2.0
 * @category models
 */
export interface Location {
  readonly address: string
  readonly capacity: number
  /** Whether the node has another version of the kind, and may not decode the run: others with room are preferred. */
  readonly isOtherVersion?: boolean
}

/**
 * A node on which a new run may be placed.
 *
 * @since 0.2.0
 * @category models
 */
export interface Candidate extends Location {
  readonly id: JobId
}

type NonEmpty<A> = readonly [A, ...ReadonlyArray<A>]

/**
 * A running run, and the node that has taken its attempt.
 *
 * @since 0.2.0
 * @category models
 */
export interface HeldRun extends UnfinishedRun {
  /** The address on which it is placed. */
  readonly address: string | undefined
  /** The node that has taken the run, if any. */
  readonly runner: Option.Option<{ readonly node: string; readonly isAlive: boolean }>
}
