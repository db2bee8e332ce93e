/**
 * The settings of a daemon from its command line. Missing options are left to the environment and `config.yaml`.
 */
import { Option } from "effect"
import type { NodeSettings } from "../../daemon/config/NodeSettings.js"
import type { Settings } from "../../daemon/config/PortSettings.js"

export interface Given {
  readonly tlsCert: Option.Option<string>
  readonly tlsKey: Option.Option<string>
  readonly tokenFile: Option.Option<string>
  readonly insecureHttp: boolean
  readonly advertise: Option.Option<string>
  readonly capacity: Option.Option<number>
  readonly insecureCluster: boolean
  readonly sharedRepositories: boolean
}

/** Of its port. */
export const ofPort = ({ insecureHttp, tlsCert, tlsKey, tokenFile }: Given): Settings => ({
  ...(Option.isSome(tlsCert) && { tlsCert: tlsCert.value }),
  ...(Option.isSome(tlsKey) && { tlsKey: tlsKey.value }),
  ...(Option.isSome(tokenFile) && { tokenFile: tokenFile.value }),
  ...(insecureHttp && { insecureHttp })
})

/** As a node of a cluster. */
export const ofNode = ({ advertise, capacity, insecureCluster, sharedRepositories }: Given): NodeSettings => ({
  ...(Option.isSome(advertise) && { advertise: advertise.value }),
  ...(Option.isSome(capacity) && { capacity: capacity.value }),
  ...(insecureCluster && { insecureCluster }),
  ...(sharedRepositories && { sharedRepositories })
})
