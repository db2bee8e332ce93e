import { Config } from "effect"

const variable = (name: string) => Config.option(Config.nonEmptyString(name))

/** The environment variables that override `config.yaml`; an empty one counts as not set. */
export const variables = Config.all({
  CHARLOTTE_ADVERTISE: variable("CHARLOTTE_ADVERTISE"),
  CHARLOTTE_CAPACITY: variable("CHARLOTTE_CAPACITY"),
  CHARLOTTE_DATABASE: variable("CHARLOTTE_DATABASE"),
  CHARLOTTE_INSECURE_CLUSTER: variable("CHARLOTTE_INSECURE_CLUSTER"),
  CHARLOTTE_INSECURE_HTTP: variable("CHARLOTTE_INSECURE_HTTP"),
  CHARLOTTE_MAX_JOBS: variable("CHARLOTTE_MAX_JOBS"),
  CHARLOTTE_SHARED_REPOSITORIES: variable("CHARLOTTE_SHARED_REPOSITORIES"),
  CHARLOTTE_STOP_GRACE: variable("CHARLOTTE_STOP_GRACE"),
  CHARLOTTE_TLS_CERT: variable("CHARLOTTE_TLS_CERT"),
  CHARLOTTE_TLS_KEY: variable("CHARLOTTE_TLS_KEY"),
  CHARLOTTE_TOKEN_FILE: variable("CHARLOTTE_TOKEN_FILE")
})

export type Variables = Config.Config.Success<typeof variables>
