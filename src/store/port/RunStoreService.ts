/**
 * The interface of a run store. The SQL and the in-memory implementation pass one conformance suite.
 *
 * @since 0.1.0
 */
import type { DateTime, Duration, Effect } from "effect"
import type { AgentLimitStore } from "./AgentLimitStore.js"
import type { ChildStore } from "./ChildStore.js"
import type { ChildProcessStore } from "./ChildProcessStore.js"
import type { ClusterStore } from "./ClusterStore.js"
import type { DecisionStore } from "./DecisionStore.js"
import type { Outbox } from "./Outbox.js"
import type { GroupStore } from "./GroupStore.js"
import type { KindStore } from "./KindStore.js"
import type { OwnerStore } from "./OwnerStore.js"
import type { ProducerStore } from "./ProducerStore.js"
import type { QuestionStore } from "./QuestionStore.js"
import type { ScheduleStore } from "./ScheduleStore.js"
import type { StepStore } from "./StepStore.js"
import type { SubscriberStore } from "./SubscriberStore.js"
import type { TaskProgressStore } from "./TaskProgressStore.js"
import type { RunReads } from "./RunReads.js"
import type { RunWrites } from "./RunWrites.js"
import type { RunKeys } from "./RunKeys.js"
import type { RunQueue } from "./RunQueue.js"
import type { RunSignals } from "./RunSignals.js"
import type { RunRetention } from "./RunRetention.js"

export type * from "./Outbox.js"
export type * from "./RunKeys.js"
export type * from "./RunQueue.js"
export type * from "./RunReads.js"
export type * from "./RunRetention.js"
export type * from "./RunSignals.js"
export type * from "./RunWrites.js"

/**
 * The operations of a run store. Failures of the database are a `StoreError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service extends RunReads, RunWrites, RunKeys, RunQueue, RunSignals, RunRetention {
  /** The time that counts for what is recorded, due or pruned: of the `Clock`, or where machines share a database, of its clock. */
  readonly now: Effect.Effect<DateTime.Utc>

  /** By how many milliseconds the clock of this machine is ahead of that clock; negative if it is behind, 0 if they agree. */
  readonly clockAhead: Effect.Effect<number>

  /** Dies inside a transaction of the same SQL client, where a write would deadlock. */
  readonly outsideTransaction: Effect.Effect<void>

  /** How long the oldest waiting write has been tried; zero if none waits. */
  readonly oldestWrite: Effect.Effect<Duration.Duration>

  /** The runs that transactions of the application insert. In memory applications have no transactions. */
  readonly outbox: Outbox

  readonly owners: OwnerStore

  /** The pauses of kinds. */
  readonly kinds: KindStore

  /** The groups of kinds. */
  readonly groups: GroupStore

  /** What producers write, and what managers take up. */
  readonly producers: ProducerStore

  /** The schedules of jobs. */
  readonly schedules: ScheduleStore

  /** The cursors of subscribers. */
  readonly subscribers: SubscriberStore

  /** The nodes of a cluster. */
  readonly cluster: ClusterStore

  /** The child processes of jobs. */
  readonly childProcesses: ChildProcessStore

  /** The units and tasks of jobs. */
  readonly work: TaskProgressStore

  /** The usage limits of agents. */
  readonly agentLimits: AgentLimitStore

  /** The questions of agents. */
  readonly questions: QuestionStore

  /** The steps of jobs. */
  readonly steps: StepStore

  /** The children of jobs. */
  readonly children: ChildStore

  /** The decisions about executions of workflows. */
  readonly decisions: DecisionStore
}
