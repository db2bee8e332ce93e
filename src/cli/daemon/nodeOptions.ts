/**
 * The settings of a node of a cluster, from the command line.
 */
import { Option } from "effect"
import type { NodeSettings } from "../../daemon/config/NodeSettings.js"

export interface Given {
  readonly advertise: Option.Option<string>
  readonly capacity: Option.Option<number>
  readonly insecureCluster: boolean
  readonly sharedRepositories: boolean
}

/** Missing options are left to the environment and `config.yaml`. */
export const settings = ({ advertise, capacity, insecureCluster, sharedRepositories }: Given): NodeSettings => ({
  ...(Option.isSome(advertise) && { advertise: advertise.value }),
  ...(Option.isSome(capacity) && { capacity: capacity.value }),
  ...(insecureCluster && { insecureCluster }),
  ...(sharedRepositories && { sharedRepositories })
})
