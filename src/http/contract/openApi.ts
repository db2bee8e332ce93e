/**
 * What the OpenAPI document says beside what follows from the schemas: a description and an example of each field, by its name, or
 * by schema and name where a name means several things.
 */

type About = readonly [description: string, example: unknown]

const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
const time = "2026-01-31T12:00:00.000Z"
const commit = "9fceb02d0ae598e95dc970b74767f19372d61af8"
const log = { file: "/home/me/.charlotte/logs/01ARZ3NDEKTSV4RRFFQ69G5FAV/api-1-1.log", from: 0, to: 1024 }
const config = { repoPath: "/home/me/project", tasksDir: "tasks", targetBranch: "main" }
const path = "/home/me/project"

const fields: { readonly [name: string]: About } = {
  _tag: ["The name of the error or of the kind of issue.", "JobNotFound"],
  actual: ["What was given.", "0"],
  address: ["The address that was used.", "/home/me/.charlotte/socket"],
  after: ["Only events after this position.", 41],
  agent: ["The name of the agent profile that works on the tasks.", "claude"],
  all: ["Must be true.", true],
  at: ["When it happened.", time],
  attempt: ["1 for the first attempt; each continuation or retry counts one up.", 1],
  attempts: ["How many attempts were made.", 3],
  base: ["The commit at which the work begins.", commit],
  before: ["The page begins with the newest job that is older than this one.", id],
  branch: ["The branch that holds the result.", `charlotte/${id}/result`],
  calls: ["How often an agent was called for the task.", 1],
  cause: ["The whole cause, rendered for people.", "Error: the agent exited with code 1"],
  client: ["The version of the client.", "0.1.0"],
  command: ["The shell command that runs.", "npm test"],
  commandLine: ["The command line of the process, cut short.", "sleep 1000"],
  commit: ["The commit that holds the work.", commit],
  completed: ["How many tasks are complete.", 3],
  concurrency: ["How many units are worked on in parallel.", 4],
  config: ["The configuration as it was submitted, with defaults filled in.", config],
  createdAt: ["When the job was submitted.", time],
  cursor: ["Rises over all jobs of a database.", 1042],
  daemon: ["The version of the server.", "0.2.0"],
  dependsOn: ["What has to be complete before this.", ["api"]],
  dryRun: ["Only check and show the plan; change nothing.", false],
  elapsed: ["Milliseconds from the request to stop to the answer.", 120],
  endedAt: ["When it ended for good.", time],
  error: [
    "The error as JSON; an `Error` keeps its name and message.",
    { name: "Error", message: "exited with code 1" }
  ],
  failed: ["How many tasks have failed.", 0],
  failures: ["How many attempts have failed.", 0],
  fastForward: ["Whether the merge made no merge commit.", true],
  file: ["The absolute path of a log file, or a path below the directory of logs.", log.file],
  follow: ["Keep sending until the task is over.", "true"],
  from: ["The offset in bytes at which it begins.", 0],
  grace: ["Milliseconds that the job may take to end politely.", 5000],
  id: ["The id of the job.", id],
  "idempotency-key": ["The same key gives the same job.", "deploy-2026-01-31"],
  issues: ["What is wrong, field by field.", [{ path: ["repoPath"], message: "must be an absolute path" }]],
  jobId: ["The id of the job.", id],
  jobs: ["The jobs of this page.", []],
  key: ["What no two active jobs may share.", "/home/me/project main"],
  killed: ["Processes that had to be killed.", [{ pid: 4711, command: "sleep 1000" }]],
  kind: ["The kind of manager that runs the job.", "tasks"],
  label: ["A label that the job must have, as KEY=VALUE; may be repeated.", ["team=web"]],
  labels: ["Names and values to find the job by.", { team: "web" }],
  land: ["Advance the target branch to the result when all units are complete.", true],
  "last-event-id": ["The id of the last event that was received; it takes precedence over `after`.", "41"],
  limit: ["How many jobs a page has at most; from 1 to 1000.", "100"],
  log: ["The piece of the log file that holds the output.", log],
  maxJobs: ["How many jobs may run at once.", 10],
  message: ["A sentence for people.", "job 01ARZ3NDEKTSV4RRFFQ69G5FAV not found"],
  method: ["The method of the request.", "GET"],
  mode: ["How the job ended: by itself, by force, before the request, or not yet.", "graceful"],
  next: ["Ask for the next page with `before` set to this; missing on the last page.", id],
  note: ["Something that a person should know.", "the agent changed the task file"],
  notes: ["What else a person should know.", []],
  number: ["The number of the task in its unit.", 1],
  operation: ["What the database was asked to do.", "start"],
  parameter: ["The query parameter.", "unit"],
  path: ["The path.", "/api/v1/jobs"],
  pause: ["Milliseconds until the next attempt.", 1000],
  payload: ["What the event says, as JSON.", { attempt: 1 }],
  pending: ["How many tasks wait.", 2],
  phase: ["What an active job does at the moment; missing when it is not active.", "running"],
  pid: ["The id of the process.", 4711],
  position: ["The place in the order of the plan, from 0.", 0],
  problem: ["What is wrong.", "must not be before from"],
  problems: ["What keeps the server from being ready.", ["the disk is full"]],
  processes: ["Processes that were killed; at most 100.", [{ pid: 4711, command: "sleep 1000" }]],
  progress: [
    "How many tasks are in each state; missing where there are no tasks.",
    { pending: 2, running: 1, completed: 3, failed: 0, skipped: 0 }
  ],
  purpose: ["What the processes were started for.", "task 1 of unit api"],
  ready: ["Always true.", true],
  reason: ["Why.", "exited with code 1"],
  repoPath: ["The git repository to work in; an absolute path.", path],
  result: ["What the orchestrator succeeded with, as JSON.", { branch: `charlotte/${id}/result` }],
  retryOf: ["A failed or cancelled job whose completed work is not repeated.", id],
  running: ["How many tasks are worked on.", 1],
  seq: ["1, 2, 3 … within the job.", 1],
  skipped: ["How many tasks were complete when the job was submitted.", 0],
  startedAt: ["When the current attempt began.", time],
  state: ["How far it has come.", "running"],
  status: ["The status of the run.", "running"],
  target: ["The branch that the result is landed on.", "main"],
  targetBranch: ["The branch that the result is landed on.", "main"],
  task: ["The number of the task in its unit.", 1],
  tasks: ["The tasks, in the order of the plan.", []],
  tasksDir: ["The directory of units and tasks; absolute, or relative to the repository.", "tasks"],
  title: ["The first heading of the task.", "Add the login page"],
  to: ["The offset in bytes at which it ends; exclusive.", 1024],
  total: ["How many processes were killed.", 1],
  type: ["What happened.", "task.completed"],
  unit: ["The name of the unit.", "api"],
  units: ["The units, in the order of the plan.", []],
  version: ["The version of the server.", "0.2.0"],
  waitsFor: ["The units that failed.", ["api"]],
  // Where a name means something else.
  "CursorAhead.after": ["The position that was asked for.", 1000],
  "IdempotencyKeyReused.key": ["The idempotency key.", "deploy-2026-01-31"],
  "Issue.path": ["The way to the field.", ["limit"]],
  "JobEvent.orch.started.agent": ["The name of the agent profile.", "claude"],
  "JobEvent.orch.started.status": ["The status in the task file.", "pending"],
  "JobEvent.orch.started.id": ["The name of the unit.", "api"],
  "JobEvent.task.agent.started.log": ["The file that the output goes to.", log.file],
  "JobEvent.task.gate.started.log": ["The file that the output goes to.", log.file],
  "InvalidJobConfig.path": ["The way to the field; empty for the whole.", ["labels", "team"]],
  "RequestRefused.reason": ["Which check the request did not pass.", "token"],
  "RunError.kind": ["Why the run ended without completing.", "failure"],
  "StoreError.cause": ["What the database said.", { name: "Error", message: "database or disk is full" }],
  "StoreError.reason": ["What kind of failure it is.", "full"],
  "StopAll.kind": ["Only if the jobs of the server are of this kind.", "tasks"],
  "TaskRecord.log": ["The file with the output of the last attempt.", log.file],
  "TaskRecord.state": ["How far the task has come.", "completed"],
  "UnitRecord.state": ["How far the unit has come.", "merged"]
}

type Json = { readonly [name: string]: unknown }

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** An example that the schema of the field permits. */
const exampleOf = (schema: string, field: Json, example: unknown): unknown => {
  const permitted = field["enum"]
  if (Array.isArray(permitted)) return permitted.includes(example) ? example : permitted[0]
  return isJson(field["properties"])
    ? mapValues(field["properties"], (inner, name) => about(schema, name, inner).examples?.[0])
    : example
}

const about = (
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
              { ...mapValues(describeFields(schema, field), (value) => value), ...about(schema, name, field) }
            ])
          )
        : describeFields(schema, inner)
    ])
  )
}

const describeParameter = (parameter: unknown): unknown => {
  if (!isJson(parameter)) return parameter
  const { description, examples } = about("", String(parameter["name"]), parameter["schema"])
  return description === undefined ? parameter : { ...parameter, description, example: examples?.[0] }
}

const namesIn = (value: unknown): ReadonlyArray<string> =>
  [...JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].flatMap(([, name]) => name ?? [])

/** An answer says which schemas it has, and not only "Error". */
const describeAnswer = (answer: unknown): unknown => {
  const names = isJson(answer) ? namesIn(answer["content"]) : []
  return isJson(answer) && names.length > 0 ? { ...answer, description: names.join(", ") } : answer
}

const mapValues = (value: unknown, f: (inner: unknown, key: string) => unknown): Json =>
  isJson(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, f(inner, key)])) : {}

const describeOperation = (operation: unknown): unknown =>
  isJson(operation)
    ? {
        ...operation,
        parameters: Array.isArray(operation["parameters"]) ? operation["parameters"].map(describeParameter) : [],
        ...(operation["requestBody"] === undefined
          ? {}
          : { requestBody: describeFields("JobConfig", operation["requestBody"]) }),
        responses: mapValues(operation["responses"], describeAnswer)
      }
    : operation

/** Classes have the name of the package in theirs. */
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

/** The document with a description and an example of each field. */
export const describe = (document: Json): Json => {
  const named = withoutPrefix(document)
  const components = isJson(named["components"]) ? named["components"] : {}
  return {
    ...named,
    paths: mapValues(named["paths"], (item) => mapValues(item, describeOperation)),
    components: {
      ...components,
      schemas: mapValues(components["schemas"], (schema, name) => describeFields(name, schema))
    }
  }
}
