/**
 * Values that an application exports without a type annotation, in two modules, of which the second imports nothing of Charlotte. Their
 * declarations have to name every type by a module of the package.
 */
import { Database, JobKind, JobManager, Orchestrator, Runs, RunStore } from "charlotte"
import { Engine, Guard, JobKind as ClusterKind, JobManager as ClusterManager } from "charlotte/cluster"
import { JobClient, JobsApi, Server } from "charlotte/http"
import { Agents, Git, ProcessRunner, Prune, TaskOrchestrator } from "charlotte/tasks"
import { Step, TestManager } from "charlotte/testing"
import { Effect, Layer, Schema } from "effect"

export class Report extends JobKind.Tag<Report>()("report", {
  config: Schema.Struct({ title: Schema.String }),
  events: { "report.drafted": Schema.Struct({ pages: Schema.Number }) }
}) {}

export const reports = Report.layer({ run: ({ signal }) => signal("approve") })
export const tasks = JobManager.layer({ maxJobs: 1 })
export const configured = JobManager.layerConfig
export const orchestrator = Orchestrator.layer((job) => job.flush)
export const store = Layer.provide(RunStore.layer, Database.layer({ filename: "app.db" }))
export const decode = JobKind.decodeRun(Report)

export const operations = Effect.map(Report, (manager) => manager)
export const running = Effect.flatMap(Report, (manager) => manager.start({ title: "A" }))
export const ended = Effect.flatMap(running, (id) => Effect.flatMap(Report, (manager) => manager.await(id)))
export const stopped = Effect.flatMap(running, (id) => Effect.flatMap(Report, (manager) => manager.stop(id)))
export const found = Effect.flatMap(running, (id) => Effect.flatMap(Report, (manager) => manager.get(id)))
export const followed = Effect.map(running, (id) => Effect.map(Report, (manager) => manager.events(id)))
export const health = Effect.flatMap(Report, (manager) => manager.health)
export const listed = Effect.flatMap(Runs.Runs, (runs) => runs.list({}))
export const pruned = Effect.flatMap(Runs.Runs, (runs) => runs.prune({}))

export const api = JobsApi.make([Report])
export const handlers = JobsApi.layer(api)
export const server = Server.layer({ listen: { socket: "app.socket" }, api })
export const tasksServer = Server.layer({ listen: { socket: "app.socket" } })
export const client = JobClient.layer({ socket: "app.socket" })
export const page = Effect.flatMap(JobClient.JobClient, (client) => client.list({}))
export const state = Effect.flatMap(JobClient.JobClient, (client) => client.health)
export const ReportClient = JobClient.of(Report)
export const reportClient = ReportClient.layer({ socket: "app.socket" })
export const asked = Effect.flatMap(ReportClient, (client) => client.start({ title: "A" }))

export const engine = Engine.layer
export const guard = Guard.layer
export const node = ClusterManager.layerCluster
export const kindOnNodes = ClusterKind.layerCluster

export const script = TestManager.layerOf(Report, { script: () => [Step.wait("1 day")] })
export const scripts = TestManager.layer({ script: () => [Step.wait("1 day")] })

export const work = TaskOrchestrator.layer
export const agents = Agents
export const git = Git
export const processes = ProcessRunner
export const prune = Prune
