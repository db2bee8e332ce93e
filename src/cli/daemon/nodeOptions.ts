/**
 * The options about a node of a cluster, as settings.
 */
import { Option } from "effect"
import type { NodeSettings } from "../../daemon/NodeSettings.js"

export interface Given {
  readonly advertise: Option.Option<string>
  readonly capacity: Option.Option<number>
  readonly insecureCluster: boolean
  readonly sharedRepositories: boolean
}

/** What is not there is left to the environment and `config.yaml`. */
export const settings = ({ advertise, capacity, insecureCluster, sharedRepositories }: Given): NodeSettings => ({
  ...(Option.isSome(advertise) && { advertise: advertise.value }),
  ...(Option.isSome(capacity) && { capacity: capacity.value }),
  ...(insecureCluster && { insecureCluster }),
  ...(sharedRepositories && { sharedRepositories })
})
