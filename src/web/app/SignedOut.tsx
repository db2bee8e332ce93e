/**
 * Explains how to get a session, when there is none.
 */
import { opening } from "./opening.js"

export const SignedOut = () => (
  <section class="empty">
    <h1>Open the page from a terminal</h1>
    {opening.value !== undefined && <p class="bad">{opening.value.message}</p>}
    <p>This browser has no session with Charlotte. Start one with the command</p>
    <p>
      <code class="command">charlotte open</code>
    </p>
    <p class="faint">It opens this page with a code that works once. The session ends after 12 hours without use.</p>
  </section>
)
