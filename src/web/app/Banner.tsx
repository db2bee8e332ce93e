/**
 * Warns that the page may be outdated. It disappears by itself: the page reconnects and continues where it was.
 */
import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { isMounted } from "../address.js"
import { session } from "../session/session.js"
import { now, hub } from "./live.js"
import * as format from "../../progress/format.js"

const texts = {
  away: "Charlotte does not respond. Start it with: charlotte daemon start. Until then, nothing can be done here, and what you see may be out of date.",
  foreign:
    "Another program responds at this address, and it does not know this session. Nothing was sent to it. Run charlotte open to find the page.",
  ended: "This session has ended. Run charlotte open to start another one."
} as const

/** In an application, of which nothing is known but that a person signs in to it. */
const textsOfApplication = {
  away: "The server does not respond. Until it does, nothing can be done here, and what you see may be out of date.",
  foreign: "",
  ended: "You are signed out."
} as const

export const Banner = () => {
  const connection = hub.connection.value
  const isBad =
    session.value !== undefined && (connection === "away" || connection === "foreign" || connection === "ended")
  const since = useSignal(0)
  useEffect(() => {
    since.value = isBad ? Date.now() : 0
  }, [isBad])
  // The leading tab may be in the background, where its timers are throttled.
  useEffect(() => {
    if (!isBad) return undefined
    const timer = setInterval(() => {
      if (!document.hidden) hub.wake()
    }, 1_000)
    return () => clearInterval(timer)
  }, [isBad])
  if (!isBad) return null
  return (
    <div class="banner" role="alert">
      <strong>{(isMounted ? textsOfApplication : texts)[connection]}</strong>
      {isMounted && connection === "ended" && (
        <>
          {" "}
          <a href={location.href} data-loads>
            Sign in
          </a>
        </>
      )}
      {since.value > 0 && <span class="faint"> Trying again · {format.clock(now.value - since.value)}</span>}
    </div>
  )
}
