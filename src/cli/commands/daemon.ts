/**
 * `charlotte daemon`: the background daemon.
 */
import { Either, Option } from "effect"
import * as DatabaseChoice from "../../daemon/config/DatabaseChoice.js"
import * as NodeSettings from "../../daemon/config/NodeSettings.js"
import * as ListenAddress from "../daemon/ListenAddress.js"
import * as CommandTree from "../parser/CommandTree.js"
import * as globals from "../parser/globals.js"
import * as Parameter from "../parser/Parameter.js"
import { json, number } from "./parameters.js"

const listen = Parameter.option(
  "listen",
  {
    placeholder: "HOST:PORT",
    description:
      "Also listen on a port: on a loopback address for clients that send the home's token; on others only with --tls-cert, --tls-key and --token-file, or --insecure-http."
  },
  (text) =>
    Either.fromNullable(
      ListenAddress.parse(text),
      () => "an address with a port, such as 127.0.0.1:7433 or node1.example.org:7433"
    )
)

const tlsCert = Parameter.fileOption(
  "tls-cert",
  "The certificate of the port and its intermediate certificates, in PEM."
)

const tlsKey = Parameter.fileOption("tls-key", "The private key of the certificate, in PEM, without a passphrase.")

const insecureHttp = Parameter.flag("insecure-http", {
  description: "Serve other machines without TLS: anyone on the network can read the token, and run commands with it."
})

/** The port of a daemon and its settings. */
const port = { listen, tlsCert, tlsKey, tokenFile: globals.tokenFile, insecureHttp }

const decodeDatabase = (text: string): Either.Either<DatabaseChoice.DatabaseChoice, Parameter.Invalid> =>
  Either.flatMap(
    Either.mapLeft(DatabaseChoice.parse(text), (problem) => ({ problem: `--database ${problem}` })),
    (choice) =>
      DatabaseChoice.passwords(choice).length === 0
        ? Either.right(choice)
        : Either.left({
            problem: "every user of this machine can read the password in --database",
            hint: "omit it there, and set PGPASSWORD, or PGPASSFILE to a file with the line HOST:PORT:DATABASE:USER:PASSWORD"
          })
  )

export const database: Parameter.Parameter<Option.Option<DatabaseChoice.DatabaseChoice>> = {
  ...Parameter.textOption("database", {
    placeholder: "URL",
    description: `The database of the jobs: ${DatabaseChoice.example}, or sqlite for the file in the home (default: the one used last, initially sqlite).`
  }),
  // A refused value is not quoted: it may contain a password.
  decode: ([text]) => (text === undefined ? Either.right(Option.none()) : Either.map(decodeDatabase(text), Option.some))
}

/** The settings of a node of a cluster. */
const node = {
  advertise: Parameter.option(
    "advertise",
    {
      placeholder: "HOST:PORT",
      description: "Join the cluster on this PostgreSQL database as a node that others reach at this address."
    },
    NodeSettings.parseAddress
  ),
  capacity: number("capacity", "How many jobs the node runs at once (default: maxJobs)."),
  insecureCluster: Parameter.flag("insecure-cluster", {
    description: "Listen for other nodes on every interface; what they send is not encrypted."
  }),
  sharedRepositories: Parameter.flag("shared-repositories", {
    description: "Accept jobs in local directories: every node has the same repositories at the same paths."
  })
}

const foreground = Parameter.flag("foreground", {
  description: "Stay in the foreground, for a supervisor such as systemd."
})

const again = Parameter.flag("again", {
  description: "Continue the jobs of this home although its records were exported, and the jobs may run elsewhere."
})

const start = CommandTree.command(
  {
    description:
      "Start the daemon and wait until it accepts jobs. It resumes interrupted jobs. Does nothing if a daemon is already running.",
    example: "charlotte daemon start",
    isLocal: true,
    parameters: { foreground, again, ...port, database, ...node, json }
  },
  async () => (await import("../daemon/start.js")).start
)

const stop = CommandTree.command(
  {
    description:
      "Shut down the daemon and wait until it has exited, within seconds. Its jobs are interrupted and resume when a daemon starts again.",
    example: "charlotte daemon stop",
    isLocal: true,
    parameters: { json }
  },
  async () => (await import("../daemon/stop.js")).stop
)

const restart = CommandTree.command(
  {
    description:
      "Restart the daemon, or start it. It keeps its port if it had one. Its jobs are interrupted and resumed.",
    example: "charlotte daemon restart",
    isLocal: true,
    parameters: { ...port, database, ...node, json }
  },
  async () => (await import("../daemon/restart.js")).restart
)

const status = CommandTree.command(
  {
    description:
      "Show whether the daemon is running and ready. A foreground charlotte run counts as one. Exits with 0 if it is ready, 69 if nothing is running, 75 if it does not respond, and 1 otherwise.",
    example: "charlotte daemon status",
    isLocal: true,
    parameters: { json }
  },
  async () => (await import("../daemon/status.js")).status
)

const install = CommandTree.command(
  {
    description:
      "Make the daemon a systemd user service. It has these options and the PATH of this shell. Afterwards the other commands start and stop it by systemctl. Says whether it runs without a login. Not for root; on Linux only.",
    example: "charlotte daemon install",
    isLocal: true,
    parameters: { ...port, database, ...node, json }
  },
  async () => (await import("../service/install.js")).install
)

const uninstall = CommandTree.command(
  {
    description: "Stop the service and remove it. Variables in the file env of the home stay.",
    example: "charlotte daemon uninstall",
    isLocal: true,
    parameters: { json }
  },
  async () => (await import("../service/uninstall.js")).uninstall
)

export const daemon: CommandTree.Group = {
  description: "Manage the background daemon. Its jobs do not depend on a terminal.",
  children: {
    start,
    stop,
    restart,
    status,
    install,
    uninstall
  },
  synonyms: {
    up: ["start"],
    enable: ["install"],
    disable: ["uninstall"],
    down: ["stop"],
    kill: ["stop"],
    info: ["status"],
    ps: ["status"]
  }
}
