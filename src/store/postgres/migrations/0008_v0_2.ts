import { agents } from "./v0_2/agents.js"
import { attachedKeys } from "./v0_2/attachedKeys.js"
import { attempts } from "./v0_2/attempts.js"
import { children } from "./v0_2/children.js"
import { cluster } from "./v0_2/cluster.js"
import { decisions } from "./v0_2/decisions.js"
import { events } from "./v0_2/events.js"
import { groups } from "./v0_2/groups.js"
import { labels } from "./v0_2/labels.js"
import { outbox } from "./v0_2/outbox.js"
import { owners } from "./v0_2/owners.js"
import { questions } from "./v0_2/questions.js"
import { retention } from "./v0_2/retention.js"
import { runs } from "./v0_2/runs.js"
import { schedules } from "./v0_2/schedules.js"
import { search } from "./v0_2/search.js"
import { steps } from "./v0_2/steps.js"
import { subscribers } from "./v0_2/subscribers.js"
import { waiting } from "./v0_2/waiting.js"
import { work } from "./v0_2/work.js"

/** The schema of version 0.2.0, the first version with a schema on PostgreSQL. */
export default [
  ...runs,
  ...events,
  ...owners,
  ...attempts,
  ...work,
  ...questions,
  ...labels,
  ...waiting,
  ...outbox,
  ...search,
  ...agents,
  ...retention,
  ...attachedKeys,
  ...cluster,
  ...subscribers,
  ...schedules,
  ...steps,
  ...children,
  ...decisions,
  ...groups
]
