/**
 * The settings of a daemon's port, from the command line.
 */
import { Option } from "effect"
import type { Settings } from "../../daemon/config/PortSettings.js"

export interface Given {
  readonly tlsCert: Option.Option<string>
  readonly tlsKey: Option.Option<string>
  readonly tokenFile: Option.Option<string>
  readonly insecureHttp: boolean
}

export const portSettings = ({ insecureHttp, tlsCert, tlsKey, tokenFile }: Given): Settings => ({
  ...(Option.isSome(tlsCert) && { tlsCert: tlsCert.value }),
  ...(Option.isSome(tlsKey) && { tlsKey: tlsKey.value }),
  ...(Option.isSome(tokenFile) && { tokenFile: tokenFile.value }),
  ...(insecureHttp && { insecureHttp })
})
