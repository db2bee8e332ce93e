/**
 * Every command, by the words that lead to it.
 */
import type { Group } from "./CommandTree.js"

const daemon: Group = {
  description: "Manage the background daemon, whose jobs do not depend on a terminal.",
  children: {
    start: async () => (await import("../commands/daemon/start.js")).start,
    stop: async () => (await import("../commands/daemon/stop.js")).stop,
    restart: async () => (await import("../commands/daemon/restart.js")).restart,
    status: async () => (await import("../commands/daemon/status.js")).status
  },
  synonyms: { up: ["start"], down: ["stop"], kill: ["stop"], info: ["status"], ps: ["status"] }
}

export const charlotte: Group = {
  description:
    "Work through a directory of Markdown tasks in a git repository with any agent. A task counts as done only when its own check passes.",
  children: {
    run: async () => (await import("../commands/run.js")).run,
    plan: async () => (await import("../commands/plan.js")).plan,
    start: async () => (await import("../commands/start.js")).start,
    jobs: async () => (await import("../commands/jobs.js")).jobs,
    show: async () => (await import("../commands/show.js")).show,
    watch: async () => (await import("../commands/watch.js")).watch,
    logs: async () => (await import("../commands/logs.js")).logs,
    stop: async () => (await import("../commands/stop.js")).stop,
    resume: async () => (await import("../commands/resume.js")).resume,
    retry: async () => (await import("../commands/retry.js")).retry,
    prune: async () => (await import("../commands/prune.js")).prune,
    doctor: async () => (await import("../commands/doctor.js")).doctor,
    daemon
  },
  synonyms: {
    ls: ["jobs"],
    list: ["jobs"],
    ps: ["jobs"],
    cancel: ["stop"],
    kill: ["stop"],
    status: ["daemon status", "show"],
    get: ["show"],
    info: ["show"],
    follow: ["watch"],
    attach: ["watch"],
    tail: ["logs"],
    submit: ["start"],
    exec: ["run"],
    continue: ["resume"],
    rerun: ["retry"],
    clean: ["prune"],
    check: ["doctor", "plan"],
    up: ["daemon start"],
    serve: ["daemon start"],
    down: ["daemon stop"],
    restart: ["daemon restart"]
  }
}
