/**
 * All tools. Few, so that an agent reads all of their descriptions.
 */
import type { Permission } from "./Permission.js"
import { approve, reject } from "./decide.js"
import { explain } from "./explain.js"
import { follow } from "./follow.js"
import { list } from "./list.js"
import { plan } from "./plan.js"
import { answer, land, remove, retry, stop } from "./act.js"
import { prune } from "./prune.js"
import { show } from "./show.js"
import { start } from "./start.js"
import type { Tool } from "./Tool.js"

export const all = (allowed: ReadonlySet<Permission>): ReadonlyArray<Tool> => [
  plan,
  start(allowed),
  list,
  show,
  follow,
  explain(allowed),
  answer,
  retry,
  stop,
  ...(allowed.has("approve") ? [approve, reject] : []),
  ...(allowed.has("land") ? [land] : []),
  ...(allowed.has("prune") ? [prune] : []),
  ...(allowed.has("remove") ? [remove] : [])
]
