/**
 * Descriptions and examples of fields in the OpenAPI document, by field name, or by schema and field name where a name has several
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

const fields: { readonly [name: string]: FieldDoc } = {
  _tag: ["The name of the error or of the kind of issue.", "JobNotFound"],
  active: ["Number of active jobs.", 3],
  actual: ["The actual value.", "0"],
  additions: ["Number of added lines; 0 for a binary file, and for one that is too large to compare.", 12],
  address: ["The address of the server.", "/home/me/.charlotte/socket"],
  after: ["Only events after this position.", 41],
  agent: ["The name of the agent profile.", "claude"],
  all: ["Must be true.", true],
  at: ["When it happened.", time],
  attempt: ["1 for the first attempt; each resume or retry increments it.", 1],
  attempts: ["Number of attempts.", 3],
  base: ["The commit that the work starts from.", commit],
  by: ["Who sent the signal, as the sender says.", "ann"],
  before: ["Only jobs older than this one.", id],
  binary: ["Whether the content is not text; there is no patch then.", false],
  branch: ["The branch that holds the result.", `charlotte/${id}/result`],
  calls: ["Number of agent calls for the task.", 1],
  cancelled: ["Number of cancelled jobs.", 0],
  capacity: ["Maximum number of active jobs; missing where the server does not know.", 10],
  cause: ["The full cause, rendered as text.", "Error: the agent exited with code 1"],
  charlotte: ["The version of the format.", 1],
  class: ["How the turn of the agent ended.", "usageLimit"],
  client: ["The version of the client.", "0.1.0"],
  code: ["The one-time code.", "q1vZ7pF0n2sKx8Wb3yTeRg"],
  command: ["The shell command that runs.", "npm test"],
  commandLine: ["The command line of the process, truncated.", "sleep 1000"],
  commit: ["The commit that holds the work.", commit],
  complete: ["False if the job is not over.", false],
  completed: ["Number of completed tasks.", 3],
  concurrency: ["Number of units that run in parallel.", 4],
  config: ["The submitted configuration, with defaults.", config],
  createdAt: ["When the job was submitted.", time],
  cursor: ["Increases over all jobs of a database.", 1042],
  daemon: ["The version of the server.", "0.2.0"],
  delay: ["Milliseconds before which the job does not begin.", "60000"],
  deletions: ["Number of deleted lines; 0 for a binary file, and for one that is too large to compare.", 3],
  dependsOn: ["What must complete first.", ["api"]],
  dryRun: ["Only validate and print the plan; change nothing.", false],
  duration: [
    "From the start of the last attempt of a job to its end, in milliseconds; missing where none has ended.",
    latency
  ],
  elapsed: ["Milliseconds from the stop request to the response.", 120],
  ended: ["How many have ended.", 1],
  endedAt: ["When the run reached a terminal status.", time],
  "Prune.dryRun": ["Only say what would be removed.", true],
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
  grace: ["Milliseconds to terminate gracefully before the job is killed.", 5000],
  head: ["The last commit of the work.", commit],
  holder: ["The job that holds the key.", id],
  holderStatus: ["The status of that job.", "running"],
  id: ["The id of the job.", id],
  "idempotency-key": ["Requests with the same key start one job.", "deploy-2026-01-31"],
  installed: ["Whether its command is installed on this machine.", true],
  inUse: ["Number of turns of the agent that are at work.", 2],
  issues: ["The problem of each field.", [{ path: ["repoPath"], message: "must be an absolute path" }]],
  jobId: ["The id of the job.", id],
  jobs: ["The jobs of this page.", []],
  key: ["No two active jobs may have the same key.", "branch main of repository 65024:11274545"],
  keyName: ["What the key stands for.", "branch main of /home/me/project"],
  killed: ["Processes that were killed.", [{ pid: 4711, command: "sleep 1000" }]],
  keys: ["Keys of a job that is not over: at most one job holds each.", []],
  kind: ["The kind of the job.", "tasks"],
  kinds: ["The kinds of jobs that the server has.", ["tasks"]],
  label: ["A label that the job must have, as KEY=VALUE; may be repeated.", ["team=web"]],
  labels: ["Names and values to filter jobs by.", { team: "web" }],
  land: ["Advance the target branch to the result when all units have completed.", true],
  "last-event-id": ["The id of the last event received; takes precedence over `after`.", "41"],
  limit: ["Maximum number of jobs in the page, 1 to 1000.", "100"],
  log: ["The range of the log file that holds the output.", log],
  name: ["The name of the signal.", "approve"],
  max: ["The longest.", 95_000],
  minutes: ["The last 60 minutes, oldest first; the last one is not over.", []],
  maxQueued: ["Maximum number of pending runs.", 10_000],
  maxJobs: ["Maximum number of active jobs.", 10],
  message: ["The error message.", "job 01ARZ3NDEKTSV4RRFFQ69G5FAV not found"],
  method: ["The method of the request.", "GET"],
  mode: ["How the job ended: gracefully, forced, before the request, or not yet (timed out).", "graceful"],
  next: ["The value of `before` for the next page; missing on the last page.", id],
  nonce: ["A random text of 16 to 256 characters, never used before.", "b5pQk0w3Zr1mN8uXc7LtYg"],
  note: ["A note for the user.", "the agent changed the task file"],
  notes: ["Notes for the user.", []],
  number: ["The number of the task in its unit.", 1],
  oldMode: ["The former mode, as git writes it; missing for an added file.", "100644"],
  oldPath: ["The former path of a renamed file.", "src/login.ts"],
  oldestPending: ["Age of the oldest pending job in milliseconds; it may wait for a time or a key.", 4_000],
  origin: ["Whether the key was given to the start, or found out by the check of the job.", "start"],
  operation: ["The database operation.", "start"],
  parameter: ["The query parameter.", "unit"],
  path: ["The path.", "/api/v1/jobs"],
  p50: ["The median, to within 5 %.", 30_000],
  p95: ["The 95th percentile, to within 5 %.", 90_000],
  patch: [
    "The hunks of a unified diff, without a header and a line break at the end; missing where the file is binary or too large.",
    "@@ -1 +1 @@\n-one\n+two"
  ],
  pause: ["Backoff in milliseconds until the next attempt.", 1000],
  payload: ["The payload, as JSON.", { attempt: 1 }],
  pending: ["Number of pending tasks.", 2],
  pinned: ["Whether the job is kept, whatever the retention of its kind says.", true],
  order: ["With `queue`, pending jobs in the order in which they begin; newest first otherwise.", "queue"],
  root: ["The span of the first attempt, as a `traceparent`; missing until that has begun.", traceparent],
  runs: ["How many jobs.", 1],
  parked: ["What a parked job waits for.", { reason: "needs an approval", signal: "approve" }],
  phase: ["`running` or `stopping`; missing when the job is not active.", "running"],
  pid: ["The id of the process.", 4711],
  position: ["The index in the plan, from 0.", 0],
  priority: ["Among the runs that wait for a permit, higher ones begin first.", 0],
  problem: ["The problem.", "must not be less than from"],
  problems: ["Why the server is not ready.", ["the disk is full"]],
  processes: ["Processes that were killed; at most 100.", [{ pid: 4711, command: "sleep 1000" }]],
  progress: [
    "Number of tasks in each state; missing when the job has no tasks.",
    { pending: 2, running: 1, completed: 3, failed: 0, skipped: 0 }
  ],
  proof: ["HMAC-SHA-256 of the nonce, with the token as the key, in hexadecimal.", "9f86d081884c7d659a2feaa0c55ad015"],
  purpose: ["What the processes were started for.", "task 1 of unit api"],
  q: ["Words, or beginnings of words, that the job must have.", "welcome ann"],
  ready: ["Always true.", true],
  reason: ["Why.", "exited with code 1"],
  refusals: ["How often in a row the agent was refused without saying when its limit resets; 0 if it does say so.", 0],
  repoPath: ["The git repository to work in; an absolute path.", path],
  result: ["The result of the orchestrator, as JSON.", { branch: `charlotte/${id}/result` }],
  retryOf: ["The failed or cancelled job that this one retries; its completed work is not repeated.", id],
  run: ["The record of the job.", { id, kind: "tasks", status: "completed" }],
  running: ["Number of running tasks.", 1],
  seq: ["1, 2, 3 … within the job.", 1],
  signal: ["The name of the signal.", "approve"],
  signals: ["The signals, in order.", []],
  since: ["Throughput and latencies are counted in memory from this time on.", time],
  skipped: ["Number of tasks that were complete when the job was submitted.", 0],
  startAt: ["The job does not begin before this time.", time],
  startedAt: ["When the current attempt started.", time],
  startedBy: ["The span that started the job, as a `traceparent`.", traceparent],
  state: ["The state of the unit or task.", "running"],
  status: ["The status of the run.", "running"],
  target: ["The branch that the result lands on.", "main"],
  targetBranch: ["The branch that the result lands on.", "main"],
  task: ["The number of the task in its unit.", 1],
  tasks: ["The tasks, in the order of the plan.", []],
  tasksDir: ["The directory of units and tasks: absolute, or relative to the repository.", "tasks"],
  title: ["The first heading of the task.", "Add the login page"],
  token: ["The bearer token of the session.", "T3JXl0q9s2m5v8yBwEzHcKfNiQlToWrZu1x4A7D0G3M"],
  to: ["End offset in bytes, exclusive.", 1024],
  tooLarge: ["The patch is left out: it is larger than 1 MiB, or the file larger than 8 MiB.", true],
  total: ["Number of processes killed.", 1],
  trace: ["Where the job is in traces; missing where none were made.", { root: traceparent }],
  type: ["The type of the event.", "task.completed"],
  unit: ["The name of the unit.", "api"],
  units: ["The units, in the order of the plan.", []],
  used: ["Whether the job was resumed by it, or by a later one of its name.", true],
  until: ["The job goes on at this time at the latest.", time],
  wait: ["From the submission of a job to its start, in milliseconds; missing where none has started.", latency],
  whenFull: ["At capacity: refuse the job, or record it as pending.", "queue"],
  whenKeyTaken: ["What to do where another job holds the key.", "queue"],
  version: ["The version of the server.", "0.2.0"],
  waitsFor: ["What a job waits for that is not over and not running.", "permit"],
  // Names with another meaning in these schemas.
  "AgentStatus.limit": [
    "The usage limit that it has reached; missing when it is not at its limit.",
    { reason: "usage limit reached", until: time, refusals: 0 }
  ],
  "AgentStatus.name": ["The name of the agent profile.", "claude"],
  "CursorAhead.after": ["The requested position.", 1000],
  "Diff.base": ["The commit at which the job, or the unit, started.", commit],
  "Diff.next": [
    "The value of `after` for the next page, which is about the same two commits.",
    `${commit}-${commit}-1000`
  ],
  "DiffFile.mode": ["The mode, as git writes it; missing for a deleted file.", "100644"],
  "DiffFile.path": ["The path in the repository.", "src/login/page.ts"],
  "DiffFile.status": ["How the file differs.", "modified"],
  "DiffUnavailable.problem": ["What git or the repository said.", "there is nothing"],
  "DiffUnavailable.reason": ["Why there is no diff.", "gone"],
  "IdempotencyKeyReused.key": ["The idempotency key.", "deploy-2026-01-31"],
  "Issue.path": ["The path of the field.", ["limit"]],
  "JobEvent.orch.started.agent": ["The name of the agent profile.", "claude"],
  "JobEvent.orch.started.status": ["The status in the task file.", "pending"],
  "JobEvent.orch.started.id": ["The name of the unit.", "api"],
  "JobEvent.task.agent.started.log": ["The file that receives the output.", log.file],
  "JobEvent.task.gate.started.log": ["The file that receives the output.", log.file],
  "Challenge.id": ["The id of the session.", "q1vZ7pF0n2sKx8Wb3yTeRg"],
  "InvalidJobConfig.path": ["The path of the field; empty for the whole config.", ["labels", "team"]],
  "Minute.at": ["When the minute began.", time],
  "Minute.completed": ["Number of completed jobs.", 3],
  "Minute.failed": ["Number of failed jobs.", 0],
  "ReachedLimit.reason": ["Why, in the words of the agent.", "usage limit reached"],
  "ReachedLimit.until": ["No turn of the agent begins before.", time],
  "System.parked": ["Number of parked jobs; 10,000 means that many or more.", 1],
  "System.pending": ["Number of pending jobs.", 2],
  "RequestRefused.reason": ["The check that the request failed.", "token"],
  "PageUnavailable.address": ["Where the page should be served.", "127.0.0.1:7433"],
  "PageUnavailable.problem": ["Why it cannot be.", "listen EADDRINUSE: address already in use 127.0.0.1:7433"],
  "RunError.kind": ["Why the run did not complete.", "failure"],
  "StoreError.cause": ["The error of the database.", { name: "Error", message: "database or disk is full" }],
  "StoreError.reason": ["The kind of failure.", "full"],
  "Session.id": ["The id of the session.", "q1vZ7pF0n2sKx8Wb3yTeRg"],
  "SessionCode.id": ["Identifies the code; it is no secret.", "Jm3xK9dQ"],
  "SessionCode.origin": ["The origin of the page.", "http://127.0.0.1:7433"],
  "StopAll.kind": ["Only jobs of this kind.", "tasks"],
  "TaskRecord.log": ["The file with the output of the last attempt.", log.file],
  "TaskRecord.state": ["The state of the task.", "completed"],
  "UnitRecord.state": ["The state of the unit.", "merged"]
}

type Json = { readonly [name: string]: unknown }

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** An example that is valid for the schema of the field. */
const exampleOf = (schema: string, field: Json, example: unknown): unknown => {
  const permitted = field["enum"]
  if (Array.isArray(permitted)) return permitted.includes(example) ? example : permitted[0]
  return isJson(field["properties"])
    ? mapValues(field["properties"], (inner, name) => fieldDoc(schema, name, inner).examples?.[0])
    : example
}

const fieldDoc = (
  schema: string,
  name: string,
  field: unknown
): { readonly description?: string; readonly examples?: ReadonlyArray<unknown> } => {
  const found = fields[`${schema}.${name}`] ?? fields[name]
  if (found === undefined) return {}
  const [description, example] = found
  return { description, examples: [isJson(field) ? exampleOf(schema, field, example) : example] }
}

/** A description beside `$ref` is allowed in OpenAPI 3.1. */
const describeFields = (schema: string, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item) => describeFields(schema, item))
  if (!isJson(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "properties" && isJson(inner)
        ? Object.fromEntries(
            Object.entries(inner).map(([name, field]) => [
              name,
              { ...mapValues(describeFields(schema, field), (value) => value), ...fieldDoc(schema, name, field) }
            ])
          )
        : describeFields(schema, inner)
    ])
  )
}

const describeParameter = (parameter: unknown): unknown => {
  if (!isJson(parameter)) return parameter
  const { description, examples } = fieldDoc("", String(parameter["name"]), parameter["schema"])
  return description === undefined ? parameter : { ...parameter, description, example: examples?.[0] }
}

const namesIn = (value: unknown): ReadonlyArray<string> =>
  [...JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].flatMap(([, name]) => name ?? [])

/** Describes a response by the names of its schemas; the default is "Error". */
const describeResponse = (response: unknown): unknown => {
  const names = isJson(response) ? namesIn(response["content"]) : []
  return isJson(response) && names.length > 0 ? { ...response, description: names.join(", ") } : response
}

const mapValues = (value: unknown, f: (inner: unknown, key: string) => unknown): Json =>
  isJson(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, f(inner, key)])) : {}

const describeOperation = (operation: unknown, isOurs: boolean): unknown =>
  isJson(operation)
    ? {
        ...operation,
        parameters: Array.isArray(operation["parameters"]) ? operation["parameters"].map(describeParameter) : [],
        ...(operation["requestBody"] === undefined || !isOurs
          ? {}
          : { requestBody: describeFields("JobConfig", operation["requestBody"]) }),
        responses: mapValues(operation["responses"], describeResponse)
      }
    : operation

/** Schema classes are named `charlotte/…`. */
const withoutPrefix = (document: Json): Json => {
  const text = JSON.stringify(document).replaceAll("#/components/schemas/charlotte~1", "#/components/schemas/")
  const renamed: Json = JSON.parse(text)
  const components = isJson(renamed["components"]) ? renamed["components"] : {}
  const schemas = Object.entries(isJson(components["schemas"]) ? components["schemas"] : {})
  return {
    ...renamed,
    components: {
      ...components,
      schemas: Object.fromEntries(schemas.map(([name, schema]) => [name.replace(/^charlotte\//, ""), schema]))
    }
  }
}

/**
 * Adds a description and an example to each field of the document, but to those of the schemas that are not ours: the same name
 * has another meaning there.
 */
export const describe = (document: Json, isOurs: (schema: string) => boolean): Json => {
  const named = withoutPrefix(document)
  const components = isJson(named["components"]) ? named["components"] : {}
  return {
    ...named,
    paths: mapValues(named["paths"], (item, path) =>
      mapValues(item, (operation) => describeOperation(operation, !path.includes("/kinds/")))
    ),
    components: {
      ...components,
      schemas: mapValues(components["schemas"], (schema, name) =>
        isOurs(name) ? describeFields(name, schema) : schema
      )
    }
  }
}
