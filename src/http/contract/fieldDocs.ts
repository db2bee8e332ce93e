/**
 * Descriptions and examples of fields and parameters in the OpenAPI document.
 */

const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
const time = "2026-01-31T12:00:00.000Z"
const commit = "9fceb02d0ae598e95dc970b74767f19372d61af8"
const file = `/home/me/.charlotte/logs/${id}/api-1-1.log`
const path = "/home/me/project"
const latency = { p50: 30_000, p95: 90_000, max: 95_000 }
const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
const spent = { input: 1_200, cached: 10_000, output: 1_100, usd: 0.41 }
const exited = { name: "Error", message: "exited with code 1" }

/**
 * By the schemas, types of events and operations that have a field or a parameter, and its name. One that is not named here has no
 * description, and a test fails. Every schema with a `_tag` is `Tagged`.
 */
const rows: { readonly [fields: string]: readonly [description: string, example: unknown] } = {
  // What means the same in several of them.
  "ServedKind|System.active": ["Number of active jobs.", 3],
  "steps|ofJob|ofAll.after": ["Only what comes after this position.", 41],
  "Question|TaskSession|OpenTurn|task.agent.started|task.spent|submit.agent": [
    "The name of the agent profile.",
    "claude"
  ],
  "RecordedStep|ServedKind|JobEvent|ScheduleReset.at": ["When it happened.", time],
  "Run|job.started|job.resumed.attempt": ["1 for the first attempt; each resume or retry increments it.", 1],
  "unit.setup.started|unit.setup.failed|task.started|task.retry|task.completed|orch.landing.attempt": [
    "The number of the attempt, from 1.",
    1
  ],
  "Parked|UnitRecord|orch.started.base": ["The commit that the work starts from.", commit],
  "orch.started|orch.proposed.branch": ["The branch that holds the result.", `charlotte/${id}/result`],
  "Question|AlreadyAnswered|unit.answered.by": ["Who has answered, which is not verified.", "ann"],
  "StopAll|Reschedule|RetryMany|RemoveMany|Answer|Prune|ServedKind|Limit|job.queued|job.stopping|job.signalled|job.rescheduled|job.cancelled|stop|resume|retry|remove|signal|pin|unpin|pause|unpause|removeSubscriber|runSchedule|pauseSchedule|unpauseSchedule|removeSchedule.by":
    ["The name of the sender, which is not verified.", "ann"],
  "Approve|Reject.by": ["The name of the person, which is not verified.", "ann"],
  "task.agent.ended|task.retry.class": ["How the turn of the agent ended.", "usageLimit"],
  "SessionCode|Exchange.code": ["The one-time code.", "q1vZ7pF0n2sKx8Wb3yTeRg"],
  "StopReport|orch.killed.command": ["The name of the program, of which the kernel keeps 15 bytes.", "sleep"],
  "unit.setup.started|unit.setup.failed|unit.verifying|task.gate.before|task.gate.started|task.gate.passed|task.gate.failed.command":
    ["The shell command that runs.", "npm test"],
  "Parked|UnitRecord|TaskRecord|unit.merged|task.committed|task.completed|orch.landed.commit": [
    "The commit that holds the work.",
    commit
  ],
  "orch.started|submit.concurrency": ["Number of units that run in parallel.", 4],
  "ListedJob|Job|TaskRecord.cost": [
    "What it has cost so far: an estimate, at the prices of the API; missing if no agent has reported that.",
    spent
  ],
  "UnitRecord|orch.started.dependsOn": ["What must complete first.", ["api"]],
  "System|Minute.duration": [
    "From the start of the last attempt of a job to its end, in milliseconds; missing if none has ended.",
    latency
  ],
  "StopReport|StopTimedOut.elapsed": ["Milliseconds from the stop request to the response.", 120],
  "Run|UnitRecord|TaskRecord.endedAt": ["When the run reached a terminal status.", time],
  "Parked|RunError|job.failed|job.cancelled.error": [
    "The error as JSON; an `Error` keeps its name and message.",
    exited
  ],
  "SessionCode|Session.expiresAt": ["When it can no longer be used.", time],
  "Log|logs.file": ["The path of a log file: absolute, or relative to the directory of logs.", file],
  "RetryMany|submit.fresh": [
    "Whether a retry begins units that were not merged, or those in `units`, from the start.",
    false
  ],
  "Log|logs.from": ["Start offset in bytes.", 0],
  "Submitted|Run|land|get|steps|step|children|export|stop|resume|reschedule|retry|remove|signal|approve|reject|answer|pin|unpin|logs|logFiles|diff|ofJob.id":
    ["The id of the job.", id],
  "Session|Challenge.id": ["The id of the session.", "q1vZ7pF0n2sKx8Wb3yTeRg"],
  "submit|land.idempotency-key": ["Requests with the same key start one job.", "deploy-2026-01-31"],
  "HttpApiDecodeError|InvalidJobConfig.issues": [
    "The problem of each field.",
    [{ path: ["repoPath"], message: "must be an absolute path" }]
  ],
  "IdempotencyKeyReused|JobConflict|JobNotFound|StepNotFound|StopReport|StopTimedOut|NotResumable|NotReschedulable|NotRetryable|NotRemovable|JobEnded|TooManySignals|ApprovalRefused|AlreadyAnswered|NoOpenQuestion|LogNotFound|DiffUnavailable|JobEvent|Undelivered.jobId":
    ["The id of the job.", id],
  "JobConflict|JobKey|submit.key": [
    "No two active jobs may have the same key.",
    "branch main of repository 9f86d081884c7d659a2feaa0c55ad015"
  ],
  "KindPaused|NoSuchKind|Run|RetryMany|RemoveMany|PrunedJobs|ServedKind|Schedule|ScheduleNotFound|ScheduleNotLive|list|pause|unpause|limit|ofAll|runSchedule|pauseSchedule|unpauseSchedule|removeSchedule.kind":
    ["The kind of the job.", "tasks"],
  "Parked|RunError|job.failed|job.cancelled.kind": [
    "Why the run did not complete: failure, defect, interrupted, recovery or timeout; later versions may add others.",
    "failure"
  ],
  "StopAll|Prune.kind": ["Only jobs of this kind.", "tasks"],
  "Run|RetryMany|RemoveMany|submit.labels": ["Names and values to filter jobs by.", { team: "web" }],
  "ofJob|ofAll.last-event-id": ["The id of the last event received; takes precedence over `after`.", "41"],
  "OpenTurn|task.agent.started|task.gate.before|task.gate.started.log": ["The file that receives the output.", file],
  "unit.setup.failed|task.agent.ended|task.gate.passed|task.gate.failed|task.retry|task.failed.log": [
    "The range of the log file that holds the output.",
    { file, from: 0, to: 1024 }
  ],
  "MaxJobsReached|ServedKind.maxJobs": ["Maximum number of active jobs.", 10],
  "Tagged|InvalidJobConfig.message": ["The error message.", "job 01ARZ3NDEKTSV4RRFFQ69G5FAV not found"],
  "RecordedStep|job.step.millis": ["How long it took, in milliseconds.", 1_200],
  "JobConflict|Parked.n": ["The number of the retry, from 1.", 2],
  "RecordedStep|job.step|step.name": ["The name of the step.", "charge"],
  "RecordedSignal|job.signalled|signal.name": ["The name of the signal.", "approve"],
  "retrySubscriber|removeSubscriber.name": ["The name of the subscriber.", "invoices"],
  "runSchedule|pauseSchedule|unpauseSchedule|removeSchedule.name": ["The name of the schedule.", "nightly"],
  "JobConflict|Parked.of": ["The maximum number of retries.", 5],
  "RecordedStep|job.step.ok": ["Whether the step succeeded; otherwise it failed.", true],
  "Ready|System.overdue": [
    "The jobs that have not ended within their grace: a fiber or a finalizer of theirs runs.",
    [id]
  ],
  "RecordedSignal|JobEvent|job.signalled|signal.payload": ["The payload, as JSON.", { attempt: 1 }],
  "ServedKind|StatusCounts|System.pending": ["Number of pending jobs.", 2],
  "ListedJob|Job.phase": ["`running` or `stopping`; missing when the job is not active.", "running"],
  "StopReport|orch.killed|Health.pid": ["The id of the process.", 4711],
  "UnitRecord|TaskRecord.position": ["The index in the plan, from 0.", 0],
  "Run|Reschedule|job.queued|job.rescheduled|submit.priority": [
    "Of the runs that wait for a permit, those with a higher priority start first.",
    0
  ],
  "RetryMany|RemoveMany|list.q": ["Words, or beginnings of words, that the job must contain.", "welcome ann"],
  "Question|unit.asked.question": ["What the agent asks.", "Which port?"],
  "ListedJob|Job|Export.questions": [
    "The questions of agents, in a list of jobs only open ones; missing if there are none.",
    []
  ],
  "Parked|GateNote.unknownBefore|GateNote.couldNotRunBefore|UnitRecord|TaskRecord|NotResumable|NotReschedulable|NotRetryable|InvalidSignal|job.interrupted|orch.waiting|unit.setup.failed|unit.waiting|unit.failed|task.agent.slow|task.agent.ended|task.gate.failed|task.retry|task.failed.reason":
    ["Why.", "exited with code 1"],
  "JobConflict|Parked.retry": [
    "The next attempt, if the job is parked because an attempt has failed.",
    { n: 2, of: 5 }
  ],
  "Run|job.queued|submit.retryOf": ["The job that this one retries.", id],
  "TaskRecord|task.agent.ended.said": ["What the agent said last.", "All tests pass."],
  "ScheduleNotFound|ScheduleNotLive.schedule": ["The name of the schedule.", "nightly"],
  "RecordedSignal|JobEvent.seq": ["1, 2, 3 … within the job.", 1],
  "Parked|InvalidSignal.signal": ["The name of the signal.", "approve"],
  "Run|Reschedule|job.queued|job.rescheduled|submit.startAt": ["The job does not start before this time.", time],
  "Run|UnitRecord|TaskRecord.startedAt": ["When the current attempt started.", time],
  "JobConflict|Run|StopReport|NotResumable|NotReschedulable|NotRetryable|RetryMany|RemoveMany|JobEnded|ApprovalRefused|list.status":
    ["The status of the run.", "running"],
  "SubscriberNotFound|SubscriberInUse.subscriber": ["The name of the subscriber.", "invoices"],
  "orch.started|orch.landing|orch.proposed|orch.landed.target": ["The branch that the result lands on.", "main"],
  "Question|TaskRecord|DiffUnavailable|JobEvent|unit.asked|unit.answered|unit.failed|logs|diff.task": [
    "The number of the task in its unit.",
    1
  ],
  "Job|Export|orch.started.tasks": ["The tasks, in the order of the plan.", []],
  "Parked|unit.waiting.tentative": [
    "Whether it only tries again at that time: the end of what it waits for is unknown.",
    true
  ],
  "TaskRecord|orch.started|task.started.title": ["The first heading of the task.", "Add the login page"],
  "Log|logs.to": ["End offset in bytes, exclusive.", 1024],
  "SpendingLimits|resume.tokens": ["How many tokens of all kinds the job may use in all.", 5_000_000],
  "Question|UnitRecord|TaskRecord|ApprovalRefused|Answer|AlreadyAnswered|DiffUnavailable|JobEvent|logs|diff.unit": [
    "The name of the unit.",
    "api"
  ],
  "Job|Export|orch.started.units": ["The units, in the order of the plan.", []],
  "SpendingLimits|resume.usd": ["How much the job may spend in all, in US dollars.", 30],
  "job.queued|job.stopping|job.resumed|job.signalled|job.rescheduled|job.cancelled|unit.answered.via": [
    "How the request came in: library (a call in the process), socket, port, page or schedule; another version may record another text.",
    "socket"
  ],
  "System|Minute.wait": [
    "From the submission of a job to its start, in milliseconds; missing where none has started.",
    latency
  ],
  "Run|job.queued.waitsFor": [
    "What a job that is neither running nor over waits for: permit, time, key, signal, child or group (its turn in its group), or paused while its kind is paused; later versions may add others.",
    "permit"
  ],
  // What means something in one of them.
  "Tagged._tag": ["The name of the error, or of the kind of issue or note.", "JobNotFound"],
  "Issue.path": ["The path of the field.", ["limit"]],
  "PropertyKey.key": ["The key of the symbol.", "id"],
  "RequestRefused.reason": ["The check that the request failed.", "token"],
  "StoreError.operation": ["The database operation.", "start"],
  "StoreError.reason": ["The kind of failure.", "full"],
  "StoreError.cause": ["The error of the database.", { name: "Error", message: "database or disk is full" }],
  "NoSuchRoute.method": ["The method of the request.", "GET"],
  "NoSuchRoute.path": ["The path.", "/api/v1/jobs"],
  "VersionMismatch.client": ["The version of the client.", "0.1.0"],
  "VersionMismatch.daemon": ["The version of the server.", "0.2.0"],
  "InvalidJobConfig.path": ["The path of the field; empty for the whole config.", ["labels", "team"]],
  "IdempotencyKeyReused.key": ["The idempotency key.", "deploy-2026-01-31"],
  "JobConflict.keyName": ["What the key stands for.", "branch main of /home/me/project"],
  "JobConflict.at": ["When it starts.", time],
  "MaxJobsReached.reason": [
    "Whether all permits are in use (permits), runs that are due take those that are free (queue), or as many jobs of the group run, or wait, as may run at once (group).",
    "permits"
  ],
  "MaxJobsReached.group": ["With the reason group: the group.", "customer-7"],
  "QueueFull.maxQueued": ["Maximum number of pending runs.", 10_000],
  "JobPage.jobs": ["The jobs of this page.", []],
  "JobPage.next": ["The value of `before` for the next page; missing on the last page.", id],
  "ListedJob.progress": [
    "How far the job is: as it has reported last, or the number of its tasks, also in each state; missing if it has neither.",
    { done: 3, total: 6, pending: 2, running: 1, completed: 3, failed: 0, skipped: 0 }
  ],
  "ListedJob.unitNames": ["The names of the first units; missing when the job has none.", ["api", "web"]],
  "Parked.until": ["The job continues at this time at the latest.", time],
  "Parked.approval": ["The result that a person is asked to approve.", { commit, base: commit }],
  "Parked.questions": ["How many questions it waits for; an answer to one of them wakes it.", 1],
  "Parked.children": ["How many children it waits for; the end of one of them wakes it.", 2],
  "Parked.childEnds": ["How many ends of children its attempt has read; one more wakes it.", 0],
  "Parked.decisions": ["How many decisions about it its attempt has read; one more wakes it.", 1],
  "Parked.limits": [
    "The limits of what the job may spend that it has reached; it continues once a person resumes it with others.",
    { usd: 20 }
  ],
  "JobProgress.pending": ["Number of pending tasks.", 2],
  "JobProgress.running": ["Number of running tasks.", 1],
  "JobProgress.waiting": ["Number of tasks that wait while the job is parked.", 1],
  "JobProgress.interrupted": ["Number of tasks that were cut short.", 1],
  "JobProgress.completed": ["Number of completed tasks.", 3],
  "JobProgress.failed": ["Number of failed tasks.", 0],
  "JobProgress.skipped": ["Number of tasks that were complete when the job was submitted.", 0],
  "RunTrace.root": ["The span of the first attempt, as a `traceparent`; missing until it has started.", traceparent],
  "RunTrace.startedBy": ["The span that started the job, as a `traceparent`.", traceparent],
  "RunError.cause": ["The full cause, rendered as text.", "Error: the agent exited with code 1"],
  "Cost.input": ["Tokens of prompts that no cache had.", 1_200],
  "Cost.cached": ["Tokens of prompts that were read from a cache.", 10_000],
  "Cost.output": ["Tokens that the model has written.", 1_100],
  "Cost.usd": ["In US dollars; missing if no agent reports money and no prices are configured.", 0.41],
  "Cost.isApproximate": [
    "Whether the true amount may differ, since not every turn reports all that it has used.",
    true
  ],
  "Question.seq": ["1, 2, 3 … within the task.", 1],
  "Question.session": [
    "The session in which it was asked; missing if the agent has none.",
    "0d0c5d5a-4c6b-4a55-9f1c-2b9a2f6f8e11"
  ],
  "Question.askedAt": ["When it was asked.", time],
  "Question.answer": ["The answer of a person; missing while the question is open.", "Use port 8080."],
  "Question.answeredAt": ["When it was answered.", time],
  "NoSuchKind.kinds": ["The kinds of jobs that the server has.", ["tasks"]],
  "Job.keys": ["Keys of a job that has not ended: at most one job holds each.", []],
  "Job.retriesCost": [
    "The sum over the job, the jobs that it retries and the jobs that retry it; missing if there are none.",
    { input: 2_400, cached: 30_000, output: 2_100, usd: 1.2 }
  ],
  "Job.landedAs": ["The job that has landed all that this one had done.", id],
  "Job.steps": [
    "The newest 100 steps, in order, including the steps of the jobs that it retries; missing if there are none.",
    []
  ],
  "Job.children": [
    "The newest 100 children, in order, including the children of the jobs that it retries; missing if there are none.",
    []
  ],
  "Progress.done": ["How many are done.", 60],
  "Progress.total": ["How many there are.", 100],
  "Progress.text": ["What it is doing, at most 200 bytes.", "resizing images"],
  "JobKey.origin": ["Whether the key is an option of the start, or was determined by the check of the job.", "start"],
  "JobKey.holder": ["The job that holds the key.", id],
  "JobKey.holderStatus": ["The status of that job.", "running"],
  "TaskSession.directory": [
    "The directory in which the session began; agents find a session only from there.",
    "/home/me/.charlotte/worktrees/01ARZ3NDEKTSV4RRFFQ69G5FAV/api"
  ],
  "TaskSession.attempt": ["The attempt of its last turn; 0 if that was in another job.", 1],
  "TaskSession.log": ["The output of its last turn.", file],
  "TaskSession.answers": ["How many answers the prompts of the session had.", 1],
  "TaskSession.id": [
    "The id that the agent gave it; missing until a turn has ended that named one.",
    "0d0c5d5a-4c6b-4a55-9f1c-2b9a2f6f8e11"
  ],
  "TaskSession.total": ["What the turns of the session have cost in all.", { input: 1_200, cached: 0, output: 1_100 }],
  "OpenTurn.total": ["What the turns of its session had cost before.", { input: 1_200, cached: 10_000, output: 1_100 }],
  "GateFailure.files": ["The id of a commit with the files on which the gate failed.", "8c1f"],
  "GateFailure.log": ["The output of the run.", file],
  "GateNote.resolved.files": ["The files that were in conflict.", ["src/login.ts"]],
  "GateNote.resolved.by": ["The agent that resolved the conflict.", "claude"],
  "GateNote.flaky.logs": ["The outputs of the two runs.", [file]],
  "GateNote.checkChanged.files": [
    "Files that the gate runs, with how many of the lines that existed before the task are gone.",
    [{ path: "test/login.test.js", removed: 38 }]
  ],
  "GateNote.checkChanged.path": ["The path of the file.", "test/login.test.js"],
  "GateNote.checkChanged.removed": ["How many of the lines that existed before the task are gone.", 38],
  "GateNote.testsAdded.files": ["The files of tests that were added.", ["test/logout.test.js"]],
  "GateNote.protected.files": ["The files that were put back before the gate ran.", ["test/login.test.js"]],
  "GateNote.protected.patch": ["The file that keeps the changes, as a patch.", "/logs/01-attempt-1.1.protected.patch"],
  "GateNote.refsMoved.by": ["The command that has done it.", "agent of attempt 1"],
  "GateNote.refsMoved.what": ["What was done to which refs.", `moved refs/heads/main from ${commit} to ${commit}`],
  "GateNote.refsMoved.advice": [
    "What was done about it, or what to do.",
    "in its own clone of the repository, where they were reset"
  ],
  "RecordedStep.seq": ["1, 2, 3 … within the job and the jobs that it retries.", 1],
  "RecordedStep.jobId": ["The job that has done it: this one, or one that it retries.", id],
  "RecordedStep.attempt": ["The attempt that has done it.", 1],
  "RecordedChild.name": ["The name of the child.", "charge"],
  "RecordedChild.jobId": ["The job that the child is; the last one, if it was retried.", id],
  "RecordedChild.kind": ["The kind of the child.", "payment"],
  "RecordedChild.status": ["The status of the child; missing once it is pruned.", "running"],
  "RecordedChild.onParentStop": ["What a stop of the parent does with the child: stop it, too, or leave it.", "stop"],
  "JobStep.value": ["Its success or its failure, as JSON; missing if that is undefined.", { receipt: "r-17" }],
  "StepNotFound.step": ["The name of the step.", "charge"],
  "Export.charlotte": ["The version of the format.", 1],
  "Export.complete": ["False if the job has not ended.", false],
  "Export.run": ["The record of the job.", { id, kind: "tasks", status: "completed" }],
  "Export.events": ["The events, in order.", []],
  "Export.signals": ["The signals, in order.", []],
  "Run.tries": ["The number of retries so far; missing if there was none.", 1],
  "Run.config": [
    "The submitted configuration, with defaults.",
    { repoPath: path, tasksDir: "tasks", targetBranch: "main" }
  ],
  "Run.createdAt": ["When the job was submitted.", time],
  "Run.group": ["The group of the job, of which a limited number run at once; missing if it has none.", "customer-7"],
  "Run.parked": ["What a parked job waits for.", { reason: "needs an approval", signal: "approve" }],
  "Run.chain": [
    "The first of the jobs that retry each other, to which their steps belong; missing if it is this one.",
    id
  ],
  "Run.parent": ["The job that has started this one as its child.", id],
  "Run.retriedAs": ["The job that retries this one.", id],
  "Run.handled": [
    "Whether it has failed as a child whose parent has not ended, or has received the failure; missing otherwise.",
    true
  ],
  "Run.progress": [
    "How far the job is, as it has reported last; missing if it has reported nothing.",
    { done: 60, total: 100, text: "resizing images" }
  ],
  "Run.pinned": ["Whether the job is kept, regardless of the retention of its kind.", true],
  "Run.refusedBy": [
    "In a cluster, why nodes cannot decode the configuration of the waiting job, by the version of its kind that they have; missing if they can.",
    { "5d41402abc4b": "invalid job configuration: template: is missing" }
  ],
  "Run.refusedAt": [
    "When the first of these nodes has refused the job: ten minutes later it fails, unless a node of another version has begun it.",
    time
  ],
  "Run.trace": ["The spans of the job; missing if it was not traced.", { root: traceparent }],
  "Run.result": ["The result of the orchestrator, as JSON.", { branch: `charlotte/${id}/result` }],
  "Run.error": [
    "Why the job did not complete.",
    { kind: "failure", error: exited, cause: "Error: exited with code 1" }
  ],
  "UnitRecord.state": ["The state of the unit.", "merged"],
  "UnitRecord.worktree": ["The directory in which the unit is worked on.", `/home/me/.charlotte/worktrees/${id}/api`],
  "TaskRecord.state": ["The state of the task.", "completed"],
  "TaskRecord.failures": ["Number of failed attempts.", 0],
  "TaskRecord.calls": ["Number of agent calls for the task.", 1],
  "TaskRecord.log": ["The file with the output of the last attempt.", file],
  "TaskRecord.session": [
    "The session of its last turn, if its agent can resume sessions.",
    { agent: "claude", directory: `/home/me/.charlotte/worktrees/${id}/api`, attempt: 1, log: file }
  ],
  "TaskRecord.turn": [
    "The turn of an agent that is not counted in the cost yet.",
    { agent: "claude", log: "/logs/01-attempt-1.1.agent.log" }
  ],
  "TaskRecord.resolves": [
    "The files in conflict, if it is the turn of an agent at a conflict of its unit.",
    ["src/login.ts"]
  ],
  "TaskRecord.gateFailures": [
    "The latest runs of the gate that failed, with an id of the files on which they did.",
    [{ files: "8c1f", log: "LOG" }]
  ],
  "TaskRecord.notes": ["Remarks for the user, and what is known about the gate of the task.", []],
  "RecordedSignal.attempt": ["The attempt during which the signal came, or the last one before it.", 1],
  "RecordedSignal.used": ["Whether the job was resumed by it, or by a later one of its name.", true],
  "StopReport.mode": ["How the job ended: gracefully, forced, before the request, or not yet (timed out).", "graceful"],
  "StopReport.killed": ["Processes that were killed.", [{ pid: 4711, command: "sleep" }]],
  "StopAll.all": ["Must be true.", true],
  "NotRetryable.field": ["The field of the job that no longer decodes, as a path.", "config.to"],
  "RetryMany|RemoveMany.before": ["Only jobs older than this one: the value of `last` of the request before.", id],
  "RetriedJobs.retried": ["How many jobs are retried.", 199],
  "RetriedJobs.refused": ["How many jobs were refused, for example because another job holds their key.", 1],
  "RetriedJobs.problem": [
    "Why the first of the refused jobs was refused.",
    "the queue is full: 10000 runs are pending"
  ],
  "RetriedJobs|RemovedJobs.last": ["The value of `before` for the next request; missing if nothing is left.", id],
  "NotRemovable.reason": ["Why it was not removed.", "active"],
  "NotRemovable.other": ["The job that it depends on, if that is another one.", id],
  "RemoveMany.pinned": ["Also remove pinned jobs.", true],
  "remove.pinned": ["Also remove pinned jobs.", "true"],
  "remove.stop": ["Stop the job first if it is not over.", "true"],
  "RemovedJobs.removed": [
    "How many of the jobs that match are removed; the jobs that they retry are not counted.",
    199
  ],
  "RemovedJobs.refused": ["How many jobs were refused, for example because they are pinned.", 1],
  "RemovedJobs.problem": [
    "Why the first of the refused jobs was refused.",
    "job 01JZ8QF7M5T9W3X6Y2B4C8D0EA cannot be removed: it is pinned"
  ],
  "TooManySignals.limit": ["How many signals the job keeps.", 1_000],
  "Approve.commit": ["The commit that lands: parked.approval.commit, or its first 7 digits or more.", commit],
  "ApprovalRefused.reason": ["Why nothing was decided.", "otherCommit"],
  "ApprovalRefused.result": ["The commit that waits for approval, or that was decided on before.", commit],
  "Reject.commit": ["The rejected commit; by default the one that waits for approval.", commit],
  "Reject.unit": ["The unit that continues with one more task; without it, the job fails.", "api"],
  "Reject.because": [
    "What is wrong with the result; with a unit, the prompt of its next task.",
    "The error needs a line number."
  ],
  "Answer.text": ["The answer, at most 64 KiB.", "Use port 8080."],
  "NoOpenQuestion.unit": ["The unit that the answer names.", "api"],
  "NoOpenQuestion.waiting": ["The units that wait for an answer.", ["api", "web"]],
  "Prune.dryRun": ["Only report what would be removed.", true],
  "PrunedJobs.runs": ["How many jobs.", 1],
  "PrunedJobs.jobs": ["The first 1,000 of the jobs.", [id]],
  "ServedKind.counts": [
    "The number of jobs in each status.",
    { pending: 2, running: 1, interrupted: 0, parked: 0, completed: 1_000, failed: 3, cancelled: 0 }
  ],
  "ServedKind.paused": [
    "Since when no job of the kind begins; missing if the kind is not paused.",
    { at: time, by: "ann" }
  ],
  "StatusCounts.running": ["Number of running jobs.", 1],
  "StatusCounts.interrupted": ["Number of interrupted jobs.", 0],
  "StatusCounts.parked": ["Number of parked jobs.", 0],
  "StatusCounts.completed": ["Number of completed jobs, counted up to 1,000.", 1_000],
  "StatusCounts.failed": ["Number of failed jobs, counted up to 1,000.", 3],
  "StatusCounts.cancelled": ["Number of cancelled jobs, counted up to 1,000.", 0],
  "Limit.maxJobs": ["How many jobs run at once, or default.", 10],
  "InvalidQuery.parameter": ["The query parameter.", "unit"],
  "InvalidQuery.problem": ["The problem.", "must not be less than from"],
  "LogNotFound.log": ["The requested file or task.", "task 1 of unit api"],
  "JobLog.file": [
    "Its path in the directory of logs, for `/logs?file=`.",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV/api/01-attempt-1.1.agent.log"
  ],
  "JobLog.size": ["The size in bytes.", 1024],
  "JobLog.at": ["When it was last written to.", time],
  "JobLog.host": [
    "The machine that has the complete log, if it cannot be reached; only the end of the log is available then.",
    "node1"
  ],
  "Diff.base": ["The commit at which the job, the unit, or the task, started.", commit],
  "Diff.head": ["The last commit of the work.", commit],
  "Diff.files": ["The files that differ, in the order of their paths.", []],
  "Diff.next": [
    "The value of `after` for the next page, which compares the same two commits.",
    `${commit}-${commit}-1000`
  ],
  "DiffFile.path": ["The path in the repository.", "src/login/page.ts"],
  "DiffFile.oldPath": ["The former path of a renamed file.", "src/login.ts"],
  "DiffFile.status": ["How the file differs.", "modified"],
  "DiffFile.oldMode": ["The former mode in git's notation; missing for an added file.", "100644"],
  "DiffFile.mode": ["The mode in git's notation; missing for a deleted file.", "100644"],
  "DiffFile.additions": ["Number of added lines; 0 for a binary file, and for one that is too large to compare.", 12],
  "DiffFile.deletions": ["Number of deleted lines; 0 for a binary file, and for one that is too large to compare.", 3],
  "DiffFile.binary": ["Whether the content is not text; if so, there is no patch.", false],
  "DiffFile.tooLarge": ["The patch is omitted: it is larger than 1 MiB, or the file is larger than 8 MiB.", true],
  "DiffFile.patch": [
    "The hunks of a unified diff, without a header or a trailing line break; missing if the file is binary or too large.",
    "@@ -1 +1 @@\n-one\n+two"
  ],
  "DiffUnavailable.reason": ["Why there is no diff.", "gone"],
  "DiffUnavailable.problem": ["The error message of git.", "it does not exist"],
  "JobEvent.cursor": ["Increases over all jobs of a database.", 1042],
  "JobEvent.type": ["The type of the event.", "task.completed"],
  "job.timeout.limit": ["The time limit of an attempt, in milliseconds.", 600_000],
  "job.resumed.by": [
    "What ended the wait: its time, a signal, the end of a child, a stop, or a person who resumed the job.",
    "time"
  ],
  "job.resumed.sender": ["Who resumed or stopped the job, which is not verified.", "ann"],
  "job.interrupted.during": [
    "The commands of the job that were running when its manager died.",
    ["gate of task 1 of unit api"]
  ],
  "job.rescheduled.from": ["When it was to begin.", { priority: 0, startAt: time }],
  "job.rescheduled.to": ["When it begins now.", { priority: 5 }],
  "orch.started.agent": ["The names of the agents, separated by commas.", "claude, codex"],
  "orch.started.leftOut": ["Units of the plan that are not part of this retry.", ["web"]],
  "orch.started.id": ["The name of the unit.", "api"],
  "orch.started.number": ["The number of the task in its unit.", 1],
  "orch.started.status": ["The status in the task file.", "pending"],
  "orch.killed.purpose": ["What the processes were started for.", "task 1 of unit api"],
  "orch.killed.processes": ["Processes that were killed; at most 100.", [{ pid: 4711, command: "sleep" }]],
  "orch.killed.total": ["Number of processes killed.", 1],
  "orch.baseline.commit": ["The commit on which it has passed.", commit],
  "orch.baseline.took": ["How long it took, in milliseconds.", 12_000],
  "unit.waiting.until": ["The unit continues at this time at the latest.", time],
  "unit.waiting.waitsFor": ["The units that have to be merged before it.", ["api"]],
  "unit.answered.answer": ["The answer of a person.", "Use port 8080."],
  "unit.merged.fastForward": ["Whether it was a fast-forward, without a merge commit.", true],
  "unit.blocked.waitsFor": ["The units before it that did not complete.", ["api"]],
  "task.spent.cost": ["What the turn has cost.", spent],
  "task.spent.total": ["What all turns at the task have cost so far.", spent],
  "task.retry.pause": ["Backoff in milliseconds until the next attempt.", 1000],
  "task.noted.note": [
    "A remark for the user, or what is known about the gate of the task.",
    "the agent changed the task file"
  ],
  "task.failed.attempts": ["Number of attempts.", 3],
  "orch.proposed.remote": ["The name of the remote to which the branch was pushed.", "origin"],
  "orch.proposed.isOpen": ["Whether there is a pull request.", true],
  "orch.proposed.url": [
    "The pull request, or the page on which to open one; missing if the remote is a path.",
    "https://github.com/acme/app/pull/7"
  ],
  "orch.proposed.problem": ["Why it could not be opened.", "gh pr create exited with code 4"],
  "orch.landed.units": ["The units that have landed.", ["api"]],
  "orch.landed.left": ["The units that have not landed.", ["docs"]],
  "JobEvent.other.type": ["The type of an event that another orchestrator emits.", "email.sent"],
  "CursorAhead.after": ["The requested position.", 1000],
  "Health.version": ["The version of the server.", "0.2.0"],
  "Ready.ready": ["Always true.", true],
  "Ready.oldestWriteSeconds": ["How many seconds the oldest write waits; missing below 1.", 2],
  "Ready.clockAheadSeconds": [
    "By how many seconds the clock of the machine is ahead of that of the database, negative if it is behind; missing up to 5 seconds.",
    7
  ],
  "NotReady.problems": ["Why the server is not ready.", ["the disk is full"]],
  "SessionCode.id": ["Identifies the code; it is no secret.", "Jm3xK9dQ"],
  "SessionCode.origin": ["The origin of the page.", "http://127.0.0.1:7433"],
  "PageUnavailable.address": ["The address on which the page should be served.", "127.0.0.1:7433"],
  "PageUnavailable.problem": ["The error.", "listen EADDRINUSE: address already in use 127.0.0.1:7433"],
  "Session.token": ["The bearer token of the session.", "T3JXl0q9s2m5v8yBwEzHcKfNiQlToWrZu1x4A7D0G3M"],
  "Challenge.nonce": ["A random text of 16 to 256 characters, never used before.", "b5pQk0w3Zr1mN8uXc7LtYg"],
  "SessionProof.proof": [
    "HMAC-SHA-256 of the nonce, with the token as the key, in hexadecimal.",
    "9f86d081884c7d659a2feaa0c55ad015"
  ],
  "EndedSessions.ended": ["How many have ended.", 1],
  "System.capacity": ["Maximum number of active jobs; missing if the server does not know it.", 10],
  "System.parked": ["Number of parked jobs; 10,000 means that many or more.", 1],
  "System.oldestPending": [
    "Age of the oldest pending job in milliseconds; it may be waiting for a time or a key.",
    4_000
  ],
  "System.since": ["Throughput and latencies are counted in memory from this time on.", time],
  "System.minutes": ["The last 60 minutes, oldest first, including the current one.", []],
  "Latency.p50": ["The median, to within 5 %.", 30_000],
  "Latency.p95": ["The 95th percentile, to within 5 %.", 90_000],
  "Latency.max": ["The longest.", 95_000],
  "Minute.at": ["When the minute began.", time],
  "Minute.completed": ["Number of completed jobs.", 3],
  "Minute.failed": ["Number of failed jobs.", 0],
  "Minute.cancelled": ["Number of cancelled jobs.", 0],
  "AgentStatus.name": ["The name of the agent profile.", "claude"],
  "AgentStatus.installed": ["Whether its command is installed on this machine.", true],
  "AgentStatus.inUse": ["Number of running turns of the agent.", 2],
  "AgentStatus.limit": [
    "The usage limit that it has reached; missing if it is not at its limit.",
    { reason: "usage limit reached", until: time, refusals: 0 }
  ],
  "AgentStatus.refused": [
    "Why its login, its key or its account was refused in its last turn that this server has seen; missing otherwise.",
    "Invalid API key"
  ],
  "ReachedLimit.reason": ["The agent's own message.", "usage limit reached"],
  "ReachedLimit.until": ["No turn of the agent starts before this time.", time],
  "ReachedLimit.refusals": ["Number of consecutive refusals without a reset time; 0 if the agent gave one.", 0],
  "Subscriber.name": ["Its name.", "invoices"],
  "Subscriber.kinds": ["The kinds of its events; missing for all.", ["email"]],
  "Subscriber.types": ["The types of its events; missing for all.", ["job.completed"]],
  "Subscriber.cursor": ["All events up to this one are handled, or among the undelivered ones.", 41],
  "Subscriber.behind": ["The latest cursor minus its cursor; events of other kinds and types count, too.", 12],
  "Subscriber.hold": ["How long retention keeps a run for it after its end, in milliseconds.", 604_800_000],
  "Subscriber.createdAt": ["When it was registered first.", time],
  "Subscriber.movedAt": ["When its cursor was moved last.", time],
  "Subscriber.failing": ["Number of events whose handler has failed, and is tried again.", 0],
  "Subscriber.aside": ["Number of events that were put aside, as their handler has failed for too long.", 1],
  "Subscriber.skipped": ["Number of runs that were skipped, as they no longer decode.", 0],
  "Subscriber.gap": [
    "The first and the last event that it has missed, since their runs were pruned.",
    { from: 3, to: 9 }
  ],
  "Subscriber.undelivered": [
    "The first of the failing and put aside events, at most 10.",
    [{ jobId: id, cursor: 41, type: "job.completed", failedAt: time, isAside: true, error: "Error: timed out" }]
  ],
  "Subscriber.from": ["The cursor of the first event.", 3],
  "Subscriber.to": ["The cursor of the last event.", 9],
  "Undelivered.cursor": ["The cursor of the event.", 41],
  "Undelivered.type": ["The type of the event.", "job.completed"],
  "Undelivered.failedAt": ["When the handler failed first, or when the event was to be tried again.", time],
  "Undelivered.isAside": ["Whether it was put aside, so that it is not tried again by itself.", true],
  "Undelivered.error": ["The last failure of the handler.", "Error: timed out"],
  "RetriedSubscriber.retried": ["How many events are tried again.", 2],
  "Schedule.name": ["Its name.", "nightly"],
  "Schedule.cron": ["Its cron expression.", "0 2 * * *"],
  "Schedule.timeZone": ["Its time zone.", "Europe/Berlin"],
  "Schedule.missed": ["Ticks at which nothing ran it: one job for all of them (once), or none (skip).", "once"],
  "Schedule.overlap": ["A tick while its last job is not over: no job (skip), or one that waits (queue).", "skip"],
  "Schedule.since": ["Its ticks count from this time on.", time],
  "Schedule.nextTick": ["Its next tick; missing while it is paused.", time],
  "Schedule.lastTick": ["Its last tick.", time],
  "Schedule.lastRun": ["The job that it has started last, which may have been pruned.", id],
  "Schedule.pausedAt": ["When it was paused; missing if it is not.", time],
  "Schedule.pausedBy": ["Who has paused it, as claimed.", "ann@laptop"],
  "Schedule.skipped": ["Number of ticks that have started no job, though one was due.", 0],
  "Schedule.lastSkipped": [
    "The last tick that has started no job, and why.",
    { tick: time, reason: "its last job 01ARZ3NDEKTSV4RRFFQ69G5FAV is running" }
  ],
  "Schedule.lastReset": [
    "When its last tick went back, as the clock had been ahead, and from which time. A time in between has had its job twice.",
    { at: time, from: time }
  ],
  "Schedule.isLive": ["Whether the process that answers runs it.", true],
  "SkippedTick.tick": ["The time of the tick.", time],
  "SkippedTick.reason": ["Why it has started no job.", "the queue is full: 10000 runs are pending"],
  "ScheduleReset.from": ["The last tick until then.", time],
  "submit.whenFull": ["At capacity: refuse the job, or record it as pending.", "queue"],
  "submit.whenKeyTaken": ["What to do if another job holds the key.", "queue"],
  "submit.delay": ["Milliseconds to wait before the job starts.", "60000"],
  "submit.repoPath": ["The git repository to work in; an absolute path.", path],
  "submit.tasksDir": ["The directory of units and tasks: absolute, or relative to the repository.", "tasks"],
  "submit.targetBranch": ["The branch that the result lands on.", "main"],
  "submit.dryRun": ["Only validate and print the plan; change nothing.", false],
  "submit.land": [
    "What lands on the target: auto (or true), all units or nothing; done, what is done; never (or false).",
    "auto"
  ],
  "submit.conflicts": [
    "What happens to a unit that conflicts with those merged before it: agent, one turn of its agent; or fail, also if missing and charlotte.yaml says nothing.",
    "agent"
  ],
  "submit.landOf": ["The ended job whose work this one lands; no agent is called.", id],
  "submit.units": [
    "The units to work on, besides those that they depend on; of a retry, besides those that depend on them; with landOf, those that land.",
    ["api"]
  ],
  "list.label": ["A label that the job must have, as KEY=VALUE; may be repeated.", ["team=web"]],
  "list.retried": ["With `true`, only jobs that another job retries; with `false`, only the others.", "false"],
  "list.handled": [
    "With `true`, only failed children whose parents handle the failure; with `false`, only other jobs.",
    "false"
  ],
  "list.order": ["With `queue`, pending jobs in the order in which they will start; newest first otherwise.", "queue"],
  "list.limit": ["Maximum number of jobs in the page, 1 to 1000.", "100"],
  "list.before": ["Only jobs older than this one.", id],
  "land.units": ["The units that land, with all that they depend on; all that are done by default.", ["api"]],
  "steps.limit": ["Maximum number of steps in the page, 1 to 1000.", "100"],
  "children.before": ["Only children older than this one.", id],
  "children.limit": ["Maximum number of children in the page, 1 to 1000.", "100"],
  "stop.grace": ["Milliseconds to terminate gracefully before the job is killed.", 5000],
  "retry.fresh": ["Whether a retry begins units that were not merged, or those in `units`, from the start.", "true"],
  "retry.again": ["Also retry a completed job.", "true"],
  "logs.follow": ["Stream until the task has ended.", "true"],
  "diff.after": ["The value of `next` of the page before.", `${commit}-${commit}-1000`]
}

/** The schemas whose fields others repeat. */
const origins: { readonly [name: string]: string } = {
  Job: "Run",
  JobProgress: "Progress",
  JobStep: "RecordedStep",
  JobTask: "TaskRecord",
  JobUnit: "UnitRecord",
  ListedJob: "Run",
  "job.parked": "Parked"
}

/** By the schema, type of event or operation, and the field: `StopAll.by`. */
export const fieldDocs = new Map(
  Object.entries(rows).flatMap(([fields, [description, example]]) => {
    const end = fields.lastIndexOf(".")
    const names = fields.slice(0, end).split("|")
    return names.map((name) => [`${name}${fields.slice(end)}`, { description, example }] as const)
  })
)

export const docOf = (name: string, field: string) =>
  fieldDocs.get(`${name}.${field}`) ?? fieldDocs.get(`${origins[name]}.${field}`)
