/**
 * Options that several daemon commands share.
 */
import { Either, Option } from "effect"
import * as DatabaseChoice from "../../../daemon/DatabaseChoice.js"
import * as ListenAddress from "../../daemon/ListenAddress.js"
import * as Parameter from "../../parser/Parameter.js"

export const listen = Parameter.option(
  "listen",
  {
    placeholder: "HOST:PORT",
    description: "Also listen on a loopback port, for clients that send the home's token."
  },
  (text) =>
    Either.fromNullable(ListenAddress.parse(text), () => "a loopback address with a port, such as 127.0.0.1:7433")
)

const decodeDatabase = (text: string): Either.Either<DatabaseChoice.DatabaseChoice, Parameter.Invalid> =>
  Either.flatMap(
    Either.mapLeft(DatabaseChoice.parse(text), (problem) => ({ problem: `--database ${problem}` })),
    (choice) =>
      DatabaseChoice.passwords(choice).length === 0
        ? Either.right(choice)
        : Either.left({
            problem: "every user of this machine can read the password in --database",
            hint: "leave it out there, and set PGPASSWORD, or PGPASSFILE to a file with the line HOST:PORT:DATABASE:USER:PASSWORD"
          })
  )

export const database: Parameter.Parameter<Option.Option<DatabaseChoice.DatabaseChoice>> = {
  ...Parameter.textOption("database", {
    placeholder: "URL",
    description: `The database of the jobs: ${DatabaseChoice.example}, or sqlite for the file in the home (default: the one used last, at first sqlite).`
  }),
  // A refused value is not repeated: it may hold a password.
  decode: ([text]) => (text === undefined ? Either.right(Option.none()) : Either.map(decodeDatabase(text), Option.some))
}
