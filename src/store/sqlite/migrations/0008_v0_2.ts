import { Effect } from "effect"
import { agents } from "./v0_2/agents.js"
import { children } from "./v0_2/children.js"
import { cluster } from "./v0_2/cluster.js"
import { decisions } from "./v0_2/decisions.js"
import { generation } from "./v0_2/generation.js"
import { groups } from "./v0_2/groups.js"
import { labels, labelTriggers } from "./v0_2/labels.js"
import { processes } from "./v0_2/processes.js"
import { questions } from "./v0_2/questions.js"
import { retention } from "./v0_2/retention.js"
import { runs } from "./v0_2/runs.js"
import { schedules } from "./v0_2/schedules.js"
import { search } from "./v0_2/search.js"
import { stateMachine } from "./v0_2/stateMachine.js"
import { steps } from "./v0_2/steps.js"
import { subscribers } from "./v0_2/subscribers.js"
import { waiting } from "./v0_2/waiting.js"
import { work } from "./v0_2/work.js"

/** The additions of version 0.2.0 to the schema of 0.1.0. The labels come first: the copy of the runs reads their index. */
export default Effect.all(
  [
    labels,
    runs,
    stateMachine,
    labelTriggers,
    waiting,
    retention,
    search,
    agents,
    processes,
    cluster,
    generation,
    work,
    questions,
    subscribers,
    schedules,
    steps,
    children,
    decisions,
    groups
  ],
  { discard: true }
)
