/**
 * The tree of all commands.
 */
import { answer } from "../commands/answer.js"
import { approve, reject } from "../commands/approve.js"
import { cluster } from "../commands/cluster.js"
import { daemon } from "../commands/daemon.js"
import { diff } from "../commands/diff.js"
import { doctor } from "../commands/doctor.js"
import { exported } from "../commands/export.js"
import { exportHome, importHome } from "../commands/home.js"
import { init } from "../commands/init.js"
import { jobs } from "../commands/jobs.js"
import { land } from "../commands/land.js"
import { logs } from "../commands/logs.js"
import { mcp } from "../commands/mcp.js"
import { notify } from "../commands/notify.js"
import { open } from "../commands/open.js"
import { limit, pause, unpause } from "../commands/pause.js"
import { pin, unpin } from "../commands/pin.js"
import { plan } from "../commands/plan.js"
import { prune } from "../commands/prune.js"
import { rehearse } from "../commands/rehearse.js"
import { remove } from "../commands/remove.js"
import { reschedule } from "../commands/reschedule.js"
import { resume } from "../commands/resume.js"
import { retry } from "../commands/retry.js"
import { run } from "../commands/run.js"
import { schedules } from "../commands/schedules.js"
import { show } from "../commands/show.js"
import { signal } from "../commands/signal.js"
import { start } from "../commands/start.js"
import { stop } from "../commands/stop.js"
import { subscribers } from "../commands/subscribers.js"
import { summary } from "../commands/summary.js"
import { task } from "../commands/task.js"
import { watch } from "../commands/watch.js"
import type { Group } from "./CommandTree.js"

export const charlotte: Group = {
  description:
    "Work through a directory of Markdown tasks in a git repository with any agent. A task counts as done only when its own check passes.",
  children: {
    init,
    task,
    run,
    plan,
    start,
    jobs,
    summary,
    show,
    watch,
    open,
    logs,
    diff,
    approve,
    reject,
    answer,
    export: exported,
    stop,
    signal,
    resume,
    reschedule,
    retry,
    land,
    pause,
    unpause,
    limit,
    pin,
    unpin,
    remove,
    prune,
    doctor,
    rehearse,
    notify,
    mcp,
    "export-home": exportHome,
    "import-home": importHome,
    daemon,
    cluster,
    schedules,
    subscribers
  },
  synonyms: {
    new: ["init", "task new"],
    create: ["init", "task new"],
    add: ["task new"],
    setup: ["init"],
    ls: ["jobs"],
    list: ["jobs"],
    ps: ["jobs"],
    cancel: ["stop"],
    kill: ["stop"],
    status: ["daemon status", "show"],
    morning: ["summary"],
    report: ["summary"],
    get: ["show"],
    info: ["show"],
    follow: ["watch"],
    page: ["open"],
    ui: ["open"],
    web: ["open"],
    browser: ["open"],
    attach: ["watch"],
    tail: ["logs"],
    patch: ["diff"],
    changes: ["diff"],
    dump: ["export", "export-home"],
    backup: ["export-home"],
    migrate: ["export-home", "import-home"],
    submit: ["start"],
    exec: ["run"],
    hold: ["pause"],
    priority: ["reschedule"],
    delay: ["reschedule"],
    continue: ["resume", "unpause"],
    wake: ["resume", "signal"],
    send: ["signal"],
    accept: ["approve"],
    decline: ["reject"],
    deny: ["reject"],
    reply: ["answer"],
    respond: ["answer"],
    rerun: ["retry"],
    merge: ["land"],
    clean: ["prune"],
    rm: ["remove"],
    delete: ["remove"],
    check: ["doctor", "plan"],
    up: ["daemon start"],
    serve: ["daemon start"],
    down: ["daemon stop"],
    restart: ["daemon restart"],
    nodes: ["cluster status"]
  }
}
