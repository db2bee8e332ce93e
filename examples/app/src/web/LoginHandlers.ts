/**
 * The login: its form, and the session that begins with it.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect } from "effect"
import { Api } from "./Api.ts"
import { cookie, Sessions } from "./Sessions.ts"

const form = `<!doctype html>
<html lang="en">
  <title>Shop</title>
  <form method="post">
    <label>Name <input name="name" autocomplete="username" required autofocus></label>
    <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
    <button>Sign in</button>
  </form>
</html>
`

// Other sites cannot send it. Behind TLS it should be `secure`, too.
const options = { httpOnly: true, sameSite: "strict", path: "/" } as const

export const layer = HttpApiBuilder.group(Api, "login", (handlers) =>
  Effect.map(Sessions, ({ signIn }) =>
    handlers
      .handle("form", () => Effect.succeed(form))
      .handle("signIn", ({ payload: { name, password } }) =>
        Effect.flatMap(signIn(name, password), (session) =>
          Effect.orDie(
            HttpServerResponse.setCookie(
              HttpServerResponse.redirect("/jobs", { status: 303 }),
              cookie,
              session,
              options
            )
          )
        )
      )
  )
)
