import { isMounted } from "../address.js"
import { route, toJobs, toSystem } from "../router.js"
import * as browserNotices from "./browserNotices.js"
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

/** The logo: threads of a web, three of which meet. */
const Mark = () => (
  <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M12 12 4 4M12 12l9-6M12 12l1 10M7 7c3 0 6-.4 9 2M9 9.200c-1 2.500-.6 6 3.500 8M16 9c.4 3-.6 6-3.400 8.300" />
    <circle cx="12" cy="12" r="2.200" />
  </svg>
)

/** A half-filled disc, the moon or the sun. */
const icons: { readonly [T in theme.Theme]: string } = {
  system: "M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16ZM12 4v16a8 8 0 0 0 0-16Z",
  dark: "M19 14.500A8 8 0 0 1 9.500 5a7.500 7.500 0 1 0 9.500 9.500Z",
  light:
    "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8ZM12 3v1.500M12 19.500V21M3 12h1.500M19.500 12H21M5.600 5.600l1.100 1.100M17.300 17.300l1.100 1.100M5.600 18.400l1.100-1.100M17.300 6.700l1.100-1.100"
}

const ThemeIcon = () => (
  <svg class={`icon icon-${theme.theme.value}`} viewBox="0 0 24 24" aria-hidden="true">
    <path d={icons[theme.theme.value]} />
  </svg>
)

export const Header = ({ onHelp }: { readonly onHelp: () => void }) => {
  const { view } = route.value
  const state = states[hub.connection.value]
  return (
    <header class="header">
      <a class="brand" href={toJobs()} aria-label="Charlotte: all jobs">
        <Mark />
        <span>Charlotte</span>
      </a>
      <nav aria-label="Views">
        <Tab href={toJobs()} isCurrent={view === "jobs"} text="Jobs" />
        {!isMounted && <Tab href={toSystem()} isCurrent={view === "system"} text="System" />}
      </nav>
      <span class="grow" />
      <span class={`connection ${state.className}`} role="status">
        <span class="dot" aria-hidden="true" />
        {state.text}
      </span>
      {browserNotices.permission.value === "unasked" && (
        <button
          type="button"
          class="quiet"
          onClick={() => void browserNotices.ask()}
          title="Notify me when a job needs me, fails or is done"
        >
          <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d="M6 16v-5a6 6 0 0 1 12 0v5l1.500 2h-15ZM10 20.500a2.200 2.200 0 0 0 4 0" />
          </svg>
          <span class="visually-hidden">Notify me when a job needs me, fails or is done</span>
        </button>
      )}
      <button type="button" class="quiet" onClick={theme.cycle} title="Theme (t)">
        <ThemeIcon />
        <span class="visually-hidden">Theme: {theme.theme.value}. Change it</span>
      </button>
      <button type="button" class="quiet" onClick={onHelp} title="Keys (?)">
        ?<span class="visually-hidden"> show the keys</span>
      </button>
    </header>
  )
}
