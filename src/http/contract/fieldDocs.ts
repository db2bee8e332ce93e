/**
 * Descriptions and examples of fields in the OpenAPI document, by field name, or by schema and field name if a name has several
 * meanings.
 */

type FieldDoc = readonly [description: string, example: unknown]

const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
const time = "2026-01-31T12:00:00.000Z"
const commit = "9fceb02d0ae598e95dc970b74767f19372d61af8"
const log = { file: "/home/me/.charlotte/logs/01ARZ3NDEKTSV4RRFFQ69G5FAV/api-1-1.log", from: 0, to: 1024 }
const config = { repoPath: "/home/me/project", tasksDir: "tasks", targetBranch: "main" }
const path = "/home/me/project"
const latency = { p50: 30_000, p95: 90_000, max: 95_000 }
const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

const taskSession: FieldDoc = [
  "The session of its last turn, if its agent can resume sessions.",
  { agent: "claude", directory: `/home/me/.charlotte/worktrees/${id}/api`, attempt: 1, log: log.file }
]

const cost: FieldDoc = [
  "What it has cost so far: an estimate, at the prices of the API; missing if no agent has reported that.",
  { input: 1_200, cached: 10_000, output: 1_100, usd: 0.41 }
]

const handled: FieldDoc = [
  "Whether it has failed as a child whose parent has not ended, or has received the failure; missing otherwise.",
  true
]

const reachedLimits: FieldDoc = [
  "The limits of what the job may spend that it has reached; it continues once a person resumes it with others.",
  { usd: 20 }
]

export const fieldDocs: { readonly [name: string]: FieldDoc } = {
  _tag: ["The name of the error, or of the kind of issue or note.", "JobNotFound"],
  active: ["Number of active jobs.", 3],
  actual: ["The actual value.", "0"],
  additions: ["Number of added lines; 0 for a binary file, and for one that is too large to compare.", 12],
  address: ["The address of the server.", "/home/me/.charlotte/socket"],
  after: ["Only what comes after this position.", 41],
  again: ["Also retry a completed job.", "true"],
  agent: ["The name of the agent profile.", "claude"],
  all: ["Must be true.", true],
  approval: ["The result that a person is asked to approve.", { commit, base: commit }],
  at: ["When it happened.", time],
  attempt: ["1 for the first attempt; each resume or retry increments it.", 1],
  attempts: ["Number of attempts.", 3],
  base: ["The commit that the work starts from.", commit],
  answer: ["The answer of a person; missing while the question is open.", "Use port 8080."],
  answeredAt: ["When it was answered.", time],
  answers: ["How many answers the prompts of the session had.", 1],
  askedAt: ["When it was asked.", time],
  by: ["The name of the sender, which is not verified.", "ann"],
  via: [
    "How the request came in: library (a call in the process), socket, port, page or schedule; another version may record another text.",
    "socket"
  ],
  because: [
    "What is wrong with the result; with a unit, the prompt of its next task.",
    "The error needs a line number."
  ],
  before: ["Only jobs older than this one.", id],
  binary: ["Whether the content is not text; if so, there is no patch.", false],
  branch: ["The branch that holds the result.", `charlotte/${id}/result`],
  cached: ["Tokens of prompts that were read from a cache.", 10_000],
  calls: ["Number of agent calls for the task.", 1],
  cancelled: ["Number of cancelled jobs.", 0],
  capacity: ["Maximum number of active jobs; missing if the server does not know it.", 10],
  cause: ["The full cause, rendered as text.", "Error: the agent exited with code 1"],
  charlotte: ["The version of the format.", 1],
  class: ["How the turn of the agent ended.", "usageLimit"],
  client: ["The version of the client.", "0.1.0"],
  code: ["The one-time code.", "q1vZ7pF0n2sKx8Wb3yTeRg"],
  command: ["The shell command that runs.", "npm test"],
  commandLine: ["The command line of the process, truncated.", "sleep 1000"],
  commit: ["The commit that holds the work.", commit],
  complete: ["False if the job has not ended.", false],
  completed: ["Number of completed tasks.", 3],
  concurrency: ["Number of units that run in parallel.", 4],
  conflicts: [
    "What happens to a unit that conflicts with those merged before it: agent, one turn of its agent; or fail, also if missing and charlotte.yaml says nothing.",
    "agent"
  ],
  config: ["The submitted configuration, with defaults.", config],
  cost,
  createdAt: ["When the job was submitted.", time],
  cursor: ["Increases over all jobs of a database.", 1042],
  daemon: ["The version of the server.", "0.2.0"],
  delay: ["Milliseconds to wait before the job starts.", "60000"],
  deletions: ["Number of deleted lines; 0 for a binary file, and for one that is too large to compare.", 3],
  dependsOn: ["What must complete first.", ["api"]],
  dryRun: ["Only validate and print the plan; change nothing.", false],
  duration: [
    "From the start of the last attempt of a job to its end, in milliseconds; missing if none has ended.",
    latency
  ],
  during: ["The commands of the job that were running when its manager died.", ["gate of task 1 of unit api"]],
  elapsed: ["Milliseconds from the stop request to the response.", 120],
  ended: ["How many have ended.", 1],
  endedAt: ["When the run reached a terminal status.", time],
  "Prune.dryRun": ["Only report what would be removed.", true],
  "Prune.kind": ["Only jobs of this kind.", "tasks"],
  "PrunedJobs.jobs": ["The first 1,000 of the jobs.", [id]],
  error: [
    "The error as JSON; an `Error` keeps its name and message.",
    { name: "Error", message: "exited with code 1" }
  ],
  expiresAt: ["When it can no longer be used.", time],
  events: ["The events, in order.", []],
  failed: ["Number of failed tasks.", 0],
  failures: ["Number of failed attempts.", 0],
  fastForward: ["Whether it was a fast-forward, without a merge commit.", true],
  file: ["The path of a log file: absolute, or relative to the directory of logs.", log.file],
  files: ["The files that differ, in the order of their paths.", []],
  follow: ["Stream until the task has ended.", "true"],
  from: ["Start offset in bytes.", 0],
  fresh: ["Whether a retry begins units that were not merged, or those in `units`, from the start.", false],
  grace: ["Milliseconds to terminate gracefully before the job is killed.", 5000],
  head: ["The last commit of the work.", commit],
  holder: ["The job that holds the key.", id],
  holderStatus: ["The status of that job.", "running"],
  id: ["The id of the job.", id],
  "idempotency-key": ["Requests with the same key start one job.", "deploy-2026-01-31"],
  input: ["Tokens of prompts that no cache had.", 1_200],
  isApproximate: ["Whether the true amount may differ, since not every turn reports all that it has used.", true],
  installed: ["Whether its command is installed on this machine.", true],
  inUse: ["Number of running turns of the agent.", 2],
  issues: ["The problem of each field.", [{ path: ["repoPath"], message: "must be an absolute path" }]],
  jobId: ["The id of the job.", id],
  jobs: ["The jobs of this page.", []],
  key: ["No two active jobs may have the same key.", "branch main of repository 9f86d081884c7d659a2feaa0c55ad015"],
  keyName: ["What the key stands for.", "branch main of /home/me/project"],
  killed: ["Processes that were killed.", [{ pid: 4711, command: "sleep 1000" }]],
  keys: ["Keys of a job that has not ended: at most one job holds each.", []],
  kind: ["The kind of the job.", "tasks"],
  kinds: ["The kinds of jobs that the server has.", ["tasks"]],
  label: ["A label that the job must have, as KEY=VALUE; may be repeated.", ["team=web"]],
  labels: ["Names and values to filter jobs by.", { team: "web" }],
  land: [
    "What lands on the target: auto (or true), all units or nothing; done, what is done; never (or false).",
    "auto"
  ],
  landedAs: ["The job that has landed all that this one had done.", id],
  landOf: ["The ended job whose work this one lands; no agent is called.", id],
  last: ["The value of `before` for the next request; missing if nothing is left.", id],
  "last-event-id": ["The id of the last event received; takes precedence over `after`.", "41"],
  left: ["The units that have not landed.", ["docs"]],
  limit: ["Maximum number of jobs in the page, 1 to 1000.", "100"],
  log: ["The range of the log file that holds the output.", log],
  name: ["The name of the signal, step, schedule or subscriber.", "approve"],
  max: ["The longest.", 95_000],
  minutes: ["The last 60 minutes, oldest first, including the current one.", []],
  maxQueued: ["Maximum number of pending runs.", 10_000],
  maxJobs: ["Maximum number of active jobs.", 10],
  message: ["The error message.", "job 01ARZ3NDEKTSV4RRFFQ69G5FAV not found"],
  method: ["The method of the request.", "GET"],
  mode: ["How the job ended: gracefully, forced, before the request, or not yet (timed out).", "graceful"],
  next: ["The value of `before` for the next page; missing on the last page.", id],
  nonce: ["A random text of 16 to 256 characters, never used before.", "b5pQk0w3Zr1mN8uXc7LtYg"],
  note: ["A remark for the user, or what is known about the gate of the task.", "the agent changed the task file"],
  notes: ["Remarks for the user, and what is known about the gate of the task.", []],
  number: ["The number of the task in its unit.", 1],
  oldMode: ["The former mode in git's notation; missing for an added file.", "100644"],
  oldPath: ["The former path of a renamed file.", "src/login.ts"],
  oldestPending: ["Age of the oldest pending job in milliseconds; it may be waiting for a time or a key.", 4_000],
  origin: ["Whether the key is an option of the start, or was determined by the check of the job.", "start"],
  operation: ["The database operation.", "start"],
  output: ["Tokens that the model has written.", 1_100],
  parameter: ["The query parameter.", "unit"],
  path: ["The path.", "/api/v1/jobs"],
  p50: ["The median, to within 5 %.", 30_000],
  p95: ["The 95th percentile, to within 5 %.", 90_000],
  patch: [
    "The hunks of a unified diff, without a header or a trailing line break; missing if the file is binary or too large.",
    "@@ -1 +1 @@\n-one\n+two"
  ],
  pause: ["Backoff in milliseconds until the next attempt.", 1000],
  payload: ["The payload, as JSON.", { attempt: 1 }],
  pending: ["Number of pending tasks.", 2],
  paused: ["Since when no job of the kind begins; missing if the kind is not paused.", { at: time, by: "ann" }],
  pinned: ["Whether the job is kept, regardless of the retention of its kind.", true],
  order: ["With `queue`, pending jobs in the order in which they will start; newest first otherwise.", "queue"],
  root: ["The span of the first attempt, as a `traceparent`; missing until it has started.", traceparent],
  runs: ["How many jobs.", 1],
  oldestWriteSeconds: ["How many seconds the oldest write waits; missing below 1.", 2],
  parked: ["What a parked job waits for.", { reason: "needs an approval", signal: "approve" }],
  phase: ["`running` or `stopping`; missing when the job is not active.", "running"],
  pid: ["The id of the process.", 4711],
  position: ["The index in the plan, from 0.", 0],
  priority: ["Of the runs that wait for a permit, those with a higher priority start first.", 0],
  problem: ["The problem.", "must not be less than from"],
  problems: ["Why the server is not ready.", ["the disk is full"]],
  processes: ["Processes that were killed; at most 100.", [{ pid: 4711, command: "sleep 1000" }]],
  progress: [
    "How far the job is, as it has reported last; missing if it has reported nothing.",
    { done: 60, total: 100, text: "resizing images" }
  ],
  "ListedJob.progress": [
    "How far the job is: as it has reported last, or the number of its tasks, also in each state; missing if it has neither.",
    { done: 3, total: 6, pending: 2, running: 1, completed: 3, failed: 0, skipped: 0 }
  ],
  done: ["How many are done.", 60],
  "Progress.total": ["How many there are.", 100],
  "JobProgress.total": ["How many there are.", 100],
  "Progress.text": ["What it is doing, at most 200 bytes.", "resizing images"],
  "JobProgress.text": ["What it is doing, at most 200 bytes.", "resizing images"],
  proof: ["HMAC-SHA-256 of the nonce, with the token as the key, in hexadecimal.", "9f86d081884c7d659a2feaa0c55ad015"],
  purpose: ["What the processes were started for.", "task 1 of unit api"],
  q: ["Words, or beginnings of words, that the job must contain.", "welcome ann"],
  question: ["What the agent asks.", "Which port?"],
  questions: ["The questions of agents, in a list of jobs only open ones; missing if there are none.", []],
  ready: ["Always true.", true],
  reason: ["Why.", "exited with code 1"],
  refusals: ["Number of consecutive refusals without a reset time; 0 if the agent gave one.", 0],
  refusedBy: [
    "In a cluster, why nodes cannot decode the configuration of the waiting job, by the version of its kind that they have; missing if they can.",
    { "5d41402abc4b": "invalid job configuration: template: is missing" }
  ],
  refusedAt: [
    "When the first of these nodes has refused the job: ten minutes later it fails, unless a node of another version has begun it.",
    time
  ],
  removed: ["How many of the lines that existed before the task are gone.", 38],
  repoPath: ["The git repository to work in; an absolute path.", path],
  gateFailures: [
    "The latest runs of the gate that failed, with an id of the files on which they did.",
    [{ files: "8c1f", log: "LOG" }]
  ],
  resolves: ["The files in conflict, if it is the turn of an agent at a conflict of its unit.", ["src/login.ts"]],
  result: ["The result of the orchestrator, as JSON.", { branch: `charlotte/${id}/result` }],
  refused: ["How many jobs were refused, for example because another job holds their key.", 1],
  retried: ["With `true`, only jobs that another job retries; with `false`, only the others.", "false"],
  retriedAs: ["The job that retries this one.", id],
  retriesCost: [
    "The sum over the job, the jobs that it retries and the jobs that retry it; missing if there are none.",
    { input: 2_400, cached: 30_000, output: 2_100, usd: 1.2 }
  ],
  retryOf: ["The job that this one retries.", id],
  chain: ["The first of the jobs that retry each other, to which their steps belong; missing if it is this one.", id],
  handled: [
    "With `true`, only failed children whose parents handle the failure; with `false`, only other jobs.",
    "false"
  ],
  "Job.handled": handled,
  "ListedJob.handled": handled,
  "Run.handled": handled,
  parent: ["The job that has started this one as its child.", id],
  children: [
    "The newest 100 children, in order, including the children of the jobs that it retries; missing if there are none.",
    []
  ],
  "RecordedChild.name": ["The name of the child.", "charge"],
  "RecordedChild.jobId": ["The job that the child is; the last one, if it was retried.", id],
  "RecordedChild.kind": ["The kind of the child.", "payment"],
  "RecordedChild.status": ["The status of the child; missing once it is pruned.", "running"],
  onParentStop: ["What a stop of the parent does with the child: stop it, too, or leave it.", "stop"],
  "Parked.children": ["How many children it waits for; the end of one of them wakes it.", 2],
  "JobEvent.job.parked.children": ["How many children it waits for; the end of one of them wakes it.", 2],
  steps: [
    "The newest 100 steps, in order, including the steps of the jobs that it retries; missing if there are none.",
    []
  ],
  "StepNotFound.step": ["The name of the step.", "charge"],
  "JobStep.attempt": ["The attempt that has done it.", 1],
  "JobStep.jobId": ["The job that has done it: this one, or one that it retries.", id],
  "JobStep.name": ["The name of the step.", "charge"],
  "JobStep.seq": ["1, 2, 3 … within the job and the jobs that it retries.", 1],
  "JobStep.value": ["Its success or its failure, as JSON; missing if that is undefined.", { receipt: "r-17" }],
  "RecordedStep.attempt": ["The attempt that has done it.", 1],
  "RecordedStep.jobId": ["The job that has done it: this one, or one that it retries.", id],
  "RecordedStep.name": ["The name of the step.", "charge"],
  "RecordedStep.seq": ["1, 2, 3 … within the job and the jobs that it retries.", 1],
  ok: ["Whether the step succeeded; otherwise it failed.", true],
  millis: ["How long it took, in milliseconds.", 1_200],
  run: ["The record of the job.", { id, kind: "tasks", status: "completed" }],
  running: ["Number of running tasks.", 1],
  session: [
    "The session in which it was asked; missing if the agent has none.",
    "0d0c5d5a-4c6b-4a55-9f1c-2b9a2f6f8e11"
  ],
  said: ["What the agent said last.", "All tests pass."],
  seq: ["1, 2, 3 … within the job.", 1],
  signal: ["The name of the signal.", "approve"],
  signals: ["The signals, in order.", []],
  since: ["Throughput and latencies are counted in memory from this time on.", time],
  skipped: ["Number of tasks that were complete when the job was submitted.", 0],
  startAt: ["The job does not start before this time.", time],
  startedAt: ["When the current attempt started.", time],
  startedBy: ["The span that started the job, as a `traceparent`.", traceparent],
  state: ["The state of the unit or task.", "running"],
  status: ["The status of the run.", "running"],
  target: ["The branch that the result lands on.", "main"],
  targetBranch: ["The branch that the result lands on.", "main"],
  task: ["The number of the task in its unit.", 1],
  tasks: ["The tasks, in the order of the plan.", []],
  tasksDir: ["The directory of units and tasks: absolute, or relative to the repository.", "tasks"],
  text: ["The answer, at most 64 KiB.", "Use port 8080."],
  title: ["The first heading of the task.", "Add the login page"],
  tokens: ["How many tokens of all kinds the job may use in all.", 5_000_000],
  token: ["The bearer token of the session.", "T3JXl0q9s2m5v8yBwEzHcKfNiQlToWrZu1x4A7D0G3M"],
  to: ["End offset in bytes, exclusive.", 1024],
  tooLarge: ["The patch is omitted: it is larger than 1 MiB, or the file is larger than 8 MiB.", true],
  total: ["Number of processes killed.", 1],
  trace: ["The spans of the job; missing if it was not traced.", { root: traceparent }],
  type: ["The type of the event.", "task.completed"],
  unit: ["The name of the unit.", "api"],
  unitNames: ["The names of the first units; missing when the job has none.", ["api", "web"]],
  units: ["The units, in the order of the plan.", []],
  usd: ["How much the job may spend in all, in US dollars.", 30],
  used: ["Whether the job was resumed by it, or by a later one of its name.", true],
  until: ["The job continues at this time at the latest.", time],
  waiting: ["The units that wait for an answer.", ["api", "web"]],
  wait: ["From the submission of a job to its start, in milliseconds; missing where none has started.", latency],
  clockAheadSeconds: [
    "By how many seconds the clock of the machine is ahead of that of the database, negative if it is behind; missing up to 5 seconds.",
    7
  ],
  whenFull: ["At capacity: refuse the job, or record it as pending.", "queue"],
  whenKeyTaken: ["What to do if another job holds the key.", "queue"],
  version: ["The version of the server.", "0.2.0"],
  "Limit.maxJobs": ["How many jobs run at once, or default.", 10],
  "JobEvent.job.rescheduled.from": ["When it was to begin.", { priority: 0, startAt: time }],
  "JobEvent.job.rescheduled.to": ["When it begins now.", { priority: 5 }],
  "JobEvent.job.step.name": ["The name of the step.", "charge"],
  "JobEvent.job.timeout.limit": ["The time limit of an attempt, in milliseconds.", 600_000],
  n: ["The number of the retry, from 1.", 2],
  of: ["The maximum number of retries.", 5],
  overdue: ["The jobs that have not ended within their grace: a fiber or a finalizer of theirs runs.", [id]],
  retry: ["The next attempt, if the job is parked because an attempt has failed.", { n: 2, of: 5 }],
  tries: ["The number of retries so far; missing if there was none.", 1],
  group: ["The group of the job, of which a limited number run at once; missing if it has none.", "customer-7"],
  waitsFor: [
    "What a job that is neither running nor over waits for: permit, time, key, signal, child or group (its turn in its group), or paused while its kind is paused; later versions may add others.",
    "permit"
  ],
  worktree: ["The directory in which the unit is worked on.", `/home/me/.charlotte/worktrees/${id}/api`],
  // Names with another meaning in these schemas.
  "AgentStatus.limit": [
    "The usage limit that it has reached; missing if it is not at its limit.",
    { reason: "usage limit reached", until: time, refusals: 0 }
  ],
  "AgentStatus.refused": [
    "Why its login, its key or its account was refused in its last turn that this server has seen; missing otherwise.",
    "Invalid API key"
  ],
  "AgentStatus.name": ["The name of the agent profile.", "claude"],
  "CursorAhead.after": ["The requested position.", 1000],
  "Diff.base": ["The commit at which the job, the unit, or the task, started.", commit],
  "Diff.next": [
    "The value of `after` for the next page, which compares the same two commits.",
    `${commit}-${commit}-1000`
  ],
  "DiffFile.mode": ["The mode in git's notation; missing for a deleted file.", "100644"],
  "DiffFile.path": ["The path in the repository.", "src/login/page.ts"],
  "DiffFile.status": ["How the file differs.", "modified"],
  "DiffUnavailable.problem": ["The error message of git.", "it does not exist"],
  "DiffUnavailable.reason": ["Why there is no diff.", "gone"],
  "Approve.by": ["The name of the person, which is not verified.", "ann"],
  "Approve.commit": ["The commit that lands: parked.approval.commit, or its first 7 digits or more.", commit],
  "ApprovalRefused.result": ["The commit that waits for approval, or that was decided on before.", commit],
  "ApprovalRefused.reason": ["Why nothing was decided.", "otherCommit"],
  "Reject.by": ["The name of the person, which is not verified.", "ann"],
  "Reject.commit": ["The rejected commit; by default the one that waits for approval.", commit],
  "Reject.unit": ["The unit that continues with one more task; without it, the job fails.", "api"],
  "GateNote.checkChanged.files": [
    "Files that the gate runs, with how many of the lines that existed before the task are gone.",
    [{ path: "test/login.test.js", removed: 38 }]
  ],
  "GateNote.flaky.logs": ["The outputs of the two runs.", [log.file]],
  "GateNote.protected.files": ["The files that were put back before the gate ran.", ["test/login.test.js"]],
  "GateNote.protected.patch": ["The file that keeps the changes, as a patch.", "/logs/01-attempt-1.1.protected.patch"],
  "GateNote.refsMoved.advice": [
    "What was done about it, or what to do.",
    "in its own clone of the repository, where they were reset"
  ],
  "GateNote.refsMoved.by": ["The command that has done it.", "agent of attempt 1"],
  "GateNote.refsMoved.what": ["What was done to which refs.", `moved refs/heads/main from ${commit} to ${commit}`],
  "GateNote.resolved.by": ["The agent that resolved the conflict.", "claude"],
  "GateNote.resolved.files": ["The files that were in conflict.", ["src/login.ts"]],
  "GateNote.testsAdded.files": ["The files of tests that were added.", ["test/logout.test.js"]],
  "IdempotencyKeyReused.key": ["The idempotency key.", "deploy-2026-01-31"],
  "Issue.path": ["The path of the field.", ["limit"]],
  "JobConfig.units": [
    "The units to work on, besides those that they depend on; of a retry, besides those that depend on them; with landOf, those that land.",
    ["api"]
  ],
  "JobEvent.job.resumed.by": [
    "What ended the wait: its time, a signal, the end of a child, a stop, or a person who resumed the job.",
    "time"
  ],
  "JobEvent.job.resumed.sender": ["Who resumed or stopped the job, which is not verified.", "ann"],
  "JobEvent.other.type": ["The type of an event that another orchestrator emits.", "email.sent"],
  "JobEvent.orch.baseline.took": ["How long it took, in milliseconds.", 12_000],
  "JobEvent.orch.started.agent": ["The names of the agents, separated by commas.", "claude, codex"],
  "JobEvent.orch.started.leftOut": ["Units of the plan that are not part of this retry.", ["web"]],
  "JobEvent.orch.started.status": ["The status in the task file.", "pending"],
  "JobEvent.orch.started.id": ["The name of the unit.", "api"],
  "JobEvent.task.agent.started.log": ["The file that receives the output.", log.file],
  "JobEvent.task.gate.before.log": ["The file that receives the output.", log.file],
  "JobEvent.task.gate.started.log": ["The file that receives the output.", log.file],
  "JobEvent.orch.proposed.isOpen": ["Whether there is a pull request.", true],
  "JobEvent.orch.proposed.problem": ["Why it could not be opened.", "gh pr create exited with code 4"],
  "JobEvent.orch.proposed.remote": ["The name of the remote to which the branch was pushed.", "origin"],
  "JobEvent.orch.proposed.url": [
    "The pull request, or the page on which to open one; missing if the remote is a path.",
    "https://github.com/acme/app/pull/7"
  ],
  "JobEvent.unit.blocked.waitsFor": ["The units before it that did not complete.", ["api"]],
  "JobEvent.unit.waiting.waitsFor": ["The units that have to be merged before it.", ["api"]],
  "JobProgress.interrupted": ["Number of tasks that were cut short.", 1],
  "JobProgress.waiting": ["Number of tasks that wait while the job is parked.", 1],
  "JobTask.log": ["The file with the output of the last attempt.", log.file],
  "JobTask.session": taskSession,
  turn: [
    "The turn of an agent that is not counted in the cost yet.",
    { agent: "claude", log: "/logs/01-attempt-1.1.agent.log" }
  ],
  "Cost.usd": ["In US dollars; missing if no agent reports money and no prices are configured.", 0.41],
  "OpenTurn.total": ["What the turns of its session had cost before.", { input: 1_200, cached: 10_000, output: 1_100 }],
  "OpenTurn.log": ["The file that receives the output.", log.file],
  "TaskSession.total": ["What the turns of the session have cost in all.", { input: 1_200, cached: 0, output: 1_100 }],
  "JobEvent.task.spent.cost": ["What the turn has cost.", cost[1]],
  "JobEvent.task.spent.total": ["What all turns at the task have cost so far.", cost[1]],
  "JobEvent.job.parked.limits": reachedLimits,
  "Parked.limits": reachedLimits,
  "JobTask.state": ["The state of the task.", "completed"],
  "NoOpenQuestion.unit": ["The unit that the answer names.", "api"],
  childEnds: ["How many ends of children its attempt has read; one more wakes it.", 0],
  "JobEvent.job.parked.decisions": ["How many decisions about it its attempt has read; one more wakes it.", 1],
  "Parked.decisions": ["How many decisions about it its attempt has read; one more wakes it.", 1],
  "JobEvent.job.parked.questions": ["How many questions it waits for; an answer to one of them wakes it.", 1],
  tentative: ["Whether it only tries again at that time: the end of what it waits for is unknown.", true],
  "ServedKind.counts": [
    "The number of jobs in each status.",
    { pending: 2, running: 1, interrupted: 0, parked: 0, completed: 1_000, failed: 3, cancelled: 0 }
  ],
  "StatusCounts.pending": ["Number of pending jobs.", 2],
  "StatusCounts.running": ["Number of running jobs.", 1],
  "StatusCounts.interrupted": ["Number of interrupted jobs.", 0],
  "StatusCounts.parked": ["Number of parked jobs.", 0],
  "StatusCounts.completed": ["Number of completed jobs, counted up to 1,000.", 1_000],
  "StatusCounts.failed": ["Number of failed jobs, counted up to 1,000.", 3],
  "StatusCounts.cancelled": ["Number of cancelled jobs, counted up to 1,000.", 0],
  "Parked.questions": ["How many questions it waits for; an answer to one of them wakes it.", 1],
  "Question.by": ["Who has answered, which is not verified.", "ann"],
  "AlreadyAnswered.by": ["Who has answered, which is not verified.", "ann"],
  "JobEvent.unit.answered.by": ["Who has answered, which is not verified.", "ann"],
  "JobUnit.state": ["The state of the unit.", "merged"],
  "JobLog.at": ["When it was last written to.", time],
  "JobLog.file": [
    "Its path in the directory of logs, for `/logs?file=`.",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV/api/01-attempt-1.1.agent.log"
  ],
  "JobLog.host": [
    "The machine that has the complete log, if it cannot be reached; only the end of the log is available then.",
    "node1"
  ],
  "JobLog.size": ["The size in bytes.", 1024],
  "Challenge.id": ["The id of the session.", "q1vZ7pF0n2sKx8Wb3yTeRg"],
  "InvalidJobConfig.path": ["The path of the field; empty for the whole config.", ["labels", "team"]],
  "MaxJobsReached.reason": [
    "Whether all permits are in use (permits), runs that are due take those that are free (queue), or as many jobs of the group run, or wait, as may run at once (group).",
    "permits"
  ],
  "MaxJobsReached.group": ["With the reason group: the group.", "customer-7"],
  "Minute.at": ["When the minute began.", time],
  "Minute.completed": ["Number of completed jobs.", 3],
  "Minute.failed": ["Number of failed jobs.", 0],
  "ReachedLimit.reason": ["The agent's own message.", "usage limit reached"],
  "ReachedLimit.until": ["No turn of the agent starts before this time.", time],
  "RetriedSubscriber.retried": ["How many events are tried again.", 2],
  "InvalidCron.cron": ["The cron expression.", "0 2 30 2 *"],
  "InvalidCron.issue": ["Why it is refused.", "it has no tick"],
  "InvalidCron.schedule": ["The name of the schedule.", "nightly"],
  "InvalidCron.timeZone": ["Its time zone.", "Europe/Berlin"],
  "Schedule.cron": ["Its cron expression.", "0 2 * * *"],
  "Schedule.isLive": ["Whether the process that answers runs it.", true],
  "Schedule.lastRun": ["The job that it has started last, which may have been pruned.", id],
  "Schedule.lastSkipped": [
    "The last tick that has started no job, and why.",
    { tick: time, reason: "its last job 01ARZ3NDEKTSV4RRFFQ69G5FAV is running" }
  ],
  "Schedule.lastReset": [
    "When its last tick went back, as the clock had been ahead, and from which time. A time in between has had its job twice.",
    { at: time, from: time }
  ],
  "Schedule.lastTick": ["Its last tick.", time],
  "Schedule.missed": ["Ticks at which nothing ran it: one job for all of them (once), or none (skip).", "once"],
  "Schedule.name": ["Its name.", "nightly"],
  "Schedule.nextTick": ["Its next tick; missing while it is paused.", time],
  "Schedule.overlap": ["A tick while its last job is not over: no job (skip), or one that waits (queue).", "skip"],
  "Schedule.pausedAt": ["When it was paused; missing if it is not.", time],
  "Schedule.pausedBy": ["Who has paused it, as claimed.", "ann@laptop"],
  "Schedule.since": ["Its ticks count from this time on.", time],
  "Schedule.skipped": ["Number of ticks that have started no job, though one was due.", 0],
  "Schedule.timeZone": ["Its time zone.", "Europe/Berlin"],
  "ScheduleNotFound.schedule": ["The name of the schedule.", "nightly"],
  "ScheduleNotLive.schedule": ["The name of the schedule.", "nightly"],
  "SkippedTick.reason": ["Why it has started no job.", "the queue is full: 10000 runs are pending"],
  "SkippedTick.tick": ["The time of the tick.", time],
  "Subscriber.aside": ["Number of events that were put aside, as their handler has failed for too long.", 1],
  "Subscriber.behind": ["The latest cursor minus its cursor; events of other kinds and types count, too.", 12],
  "Subscriber.createdAt": ["When it was registered first.", time],
  "Subscriber.cursor": ["All events up to this one are handled, or among the undelivered ones.", 41],
  "Subscriber.failing": ["Number of events whose handler has failed, and is tried again.", 0],
  "Subscriber.gap": [
    "The first and the last event that it has missed, since their runs were pruned.",
    { from: 3, to: 9 }
  ],
  "Subscriber.hold": ["How long retention keeps a run for it after its end, in milliseconds.", 604_800_000],
  "Subscriber.kinds": ["The kinds of its events; missing for all.", ["email"]],
  "Subscriber.movedAt": ["When its cursor was moved last.", time],
  "Subscriber.name": ["Its name.", "invoices"],
  "Subscriber.skipped": ["Number of runs that were skipped, as they no longer decode.", 0],
  "Subscriber.types": ["The types of its events; missing for all.", ["job.completed"]],
  "Subscriber.undelivered": [
    "The first of the failing and put aside events, at most 10.",
    [{ jobId: id, cursor: 41, type: "job.completed", failedAt: time, isAside: true, error: "Error: timed out" }]
  ],
  "SubscriberInUse.subscriber": ["The name of the subscriber.", "invoices"],
  "SubscriberNotFound.subscriber": ["The name of the subscriber.", "invoices"],
  "Undelivered.cursor": ["The cursor of the event.", 41],
  "Undelivered.error": ["The last failure of the handler.", "Error: timed out"],
  "Undelivered.failedAt": ["When the handler failed first, or when the event was to be tried again.", time],
  "Undelivered.isAside": ["Whether it was put aside, so that it is not tried again by itself.", true],
  "Undelivered.type": ["The type of the event.", "job.completed"],
  "System.parked": ["Number of parked jobs; 10,000 means that many or more.", 1],
  "System.pending": ["Number of pending jobs.", 2],
  "NotRetryable.field": ["The field of the job that no longer decodes, as a path.", "config.to"],
  "RetriedJobs.problem": [
    "Why the first of the refused jobs was refused.",
    "the queue is full: 10000 runs are pending"
  ],
  "RetriedJobs.retried": ["How many jobs are retried.", 199],
  "RetryMany.before": ["Only jobs older than this one: the value of `last` of the request before.", id],
  "RequestRefused.reason": ["The check that the request failed.", "token"],
  "PageUnavailable.address": ["The address on which the page should be served.", "127.0.0.1:7433"],
  "PageUnavailable.problem": ["The error.", "listen EADDRINUSE: address already in use 127.0.0.1:7433"],
  "RunError.kind": [
    "Why the run did not complete: failure, defect, interrupted, recovery or timeout; later versions may add others.",
    "failure"
  ],
  "StoreError.cause": ["The error of the database.", { name: "Error", message: "database or disk is full" }],
  "StoreError.reason": ["The kind of failure.", "full"],
  "Session.id": ["The id of the session.", "q1vZ7pF0n2sKx8Wb3yTeRg"],
  "SessionCode.id": ["Identifies the code; it is no secret.", "Jm3xK9dQ"],
  "SessionCode.origin": ["The origin of the page.", "http://127.0.0.1:7433"],
  "StopAll.kind": ["Only jobs of this kind.", "tasks"],
  "TaskSession.attempt": ["The attempt of its last turn; 0 if that was in another job.", 1],
  "TaskSession.directory": [
    "The directory in which the session began; agents find a session only from there.",
    "/home/me/.charlotte/worktrees/01ARZ3NDEKTSV4RRFFQ69G5FAV/api"
  ],
  "TaskSession.id": [
    "The id that the agent gave it; missing until a turn has ended that named one.",
    "0d0c5d5a-4c6b-4a55-9f1c-2b9a2f6f8e11"
  ],
  "TaskSession.log": ["The output of its last turn.", log.file],
  "TaskRecord.log": ["The file with the output of the last attempt.", log.file],
  "TaskRecord.session": taskSession,
  "TaskRecord.state": ["The state of the task.", "completed"],
  "UnitRecord.state": ["The state of the unit.", "merged"]
}
