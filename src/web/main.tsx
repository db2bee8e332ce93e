/**
 * The page: restores the session, connects, and shows the view of the address.
 */
import { render } from "preact"
import { App } from "./app/App.js"
import * as browserNotices from "./app/browserNotices.js"
import * as keys from "./app/keys.js"
import * as live from "./app/live.js"
import { opening } from "./app/opening.js"
import * as theme from "./app/theme.js"
import * as router from "./router.js"
import { begin } from "./session/begin.js"
import * as session from "./session/session.js"

theme.start()
router.start()
keys.start()
live.start()
browserNotices.start()
session.start(begin).catch((error: unknown) => {
  opening.value = error instanceof Error ? error : new Error(String(error))
})

const page = document.getElementById("page")
if (page !== null) render(<App />, page)
