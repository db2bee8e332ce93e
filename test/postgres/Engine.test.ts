import { conformance } from "../cluster/engine/conformance.js"
import { cluster } from "./engine.js"

conformance("on @effect/cluster and PostgreSQL", cluster)
