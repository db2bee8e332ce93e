import { route, toJobs, toSystem } from "../router.js"
import { hub } from "./live.js"
import * as theme from "./theme.js"

const states = {
  connecting: { text: "connecting", className: "wait" },
  live: { text: "live", className: "good" },
  away: { text: "away", className: "bad" },
  foreign: { text: "not connected", className: "bad" },
  ended: { text: "signed out", className: "wait" }
} as const

const Tab = ({
  href,
  isCurrent,
  text
}: {
  readonly href: string
  readonly isCurrent: boolean
  readonly text: string
}) => (
  <a href={href} {...(isCurrent ? { "aria-current": "page" as const } : {})}>
    {text}
  </a>
)

/** The threads of a web, three of which meet. */
const Mark = () => (
  <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M12 12 4 4M12 12l9-6M12 12l1 10M7 7c3 0 6-.4 9 2M9 9.200c-1 2.500-.6 6 3.500 8M16 9c.4 3-.6 6-3.400 8.300" />
    <circle cx="12" cy="12" r="2.200" />
  </svg>
)

export const Header = ({ onHelp }: { readonly onHelp: () => void }) => {
  const { view } = route.value
  const state = states[hub.connection.value]
  return (
    <header class="header">
      <a class="brand" href={toJobs()}>
        <Mark />
        <span>Charlotte</span>
      </a>
      <nav aria-label="Views">
        <Tab href={toJobs()} isCurrent={view === "jobs"} text="Jobs" />
        <Tab href={toSystem()} isCurrent={view === "system"} text="System" />
      </nav>
      <span class="grow" />
      <span class={`connection ${state.className}`} role="status">
        <span class="dot" aria-hidden="true" />
        {state.text}
      </span>
      <button type="button" class="quiet" onClick={theme.cycle} title="Theme (t)">
        {theme.theme.value}
        <span class="visually-hidden"> theme, change it</span>
      </button>
      <button type="button" class="quiet" onClick={onHelp} title="Keys (?)">
        ?<span class="visually-hidden"> show the keys</span>
      </button>
    </header>
  )
}
