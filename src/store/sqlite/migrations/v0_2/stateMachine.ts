import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { isTransition, statuses, terminalEvents } from "../../../sql/stateMachine.js"

/** Every column but `pinned`, `pruned`, `parent`, `child_ends`, `trace`, `node` and `runner`: the recorded data of a run, which is final once it has ended. */
const recorded =
  "id, kind, status, attempt, key, start_key, config, labels, submission, idempotency_key, request, priority, created_at, start_at, " +
  "started_at, stopping_at, ended_at, waits_for, due_at, parked, woken_by, sender, replaces, crashes, tries, result, error, outbox, searched, progress, retry_of, chain, grp"

/** The state machine of a run. */
export const stateMachine = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_status BEFORE INSERT ON charlotte_runs
    WHEN NEW.status NOT IN ${statuses}
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a run has no such status');
    END`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_transition BEFORE UPDATE OF ${recorded} ON charlotte_runs
    WHEN NOT (
      ${isTransition}
    )
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: this change of status is not in the state machine');
    END`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_attempt BEFORE UPDATE ON charlotte_runs
    WHEN NEW.attempt <> OLD.attempt + (OLD.status IN ('interrupted', 'parked') AND NEW.status = 'running')
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: an interrupted or parked run goes on as its next attempt, and nothing else begins one');
    END`)

  // A start in a transaction of the application defers the check: its submission is recorded while the run is pending. A run may be
  // rescheduled: its priority until it has ended, its start time before its first attempt.
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_identity
    BEFORE UPDATE OF id, kind, config, labels, submission, start_key, idempotency_key, request, priority, created_at, start_at,
      retry_of, chain, grp
    ON charlotte_runs
    WHEN NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.config <> OLD.config OR NEW.labels <> OLD.labels
      OR (NEW.submission IS NOT OLD.submission AND (OLD.submission IS NOT NULL OR OLD.status <> 'pending'))
      OR NEW.start_key IS NOT OLD.start_key
      OR NEW.idempotency_key IS NOT OLD.idempotency_key OR NEW.request IS NOT OLD.request
      OR (NEW.priority <> OLD.priority AND OLD.ended_at IS NOT NULL) OR NEW.created_at <> OLD.created_at
      OR (NEW.start_at IS NOT OLD.start_at AND OLD.status <> 'pending')
      OR NEW.retry_of IS NOT OLD.retry_of OR NEW.chain IS NOT OLD.chain OR NEW.grp IS NOT OLD.grp
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: what a run was submitted with never changes');
    END`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_events_terminal_status BEFORE INSERT ON charlotte_events
    WHEN NEW.type IN ${terminalEvents}
      AND 'job.' || (SELECT status FROM charlotte_runs WHERE id = NEW.job_id) IS NOT NEW.type
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a terminal event says what the status of its run says');
    END`)
})
