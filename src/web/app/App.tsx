/**
 * The frame of every view: header, state of the connection, the `?` overlay.
 */
import { useSignal } from "@preact/signals"
import type { ComponentType } from "preact"
import { useEffect } from "preact/hooks"
import { isMounted } from "../address.js"
import { JobsView } from "../jobs/JobsView.js"
import { navigate, type Route, route, toJobs, toSystem } from "../router.js"
import { session } from "../session/session.js"
import { SystemView } from "../system/SystemView.js"
import { Banner } from "./Banner.js"
import { Header } from "./Header.js"
import { useKeys } from "./keys.js"
import { NoticeList } from "./NoticeList.js"
import { Shortcuts } from "./Shortcuts.js"
import { SignedOut } from "./SignedOut.js"
import * as theme from "./theme.js"

/** The views of one job are loaded on first use. */
const jobView = () => import("../job/JobView.js").then(({ JobView }) => JobView)
const diffView = () => import("../diff/DiffView.js").then(({ DiffView }) => DiffView)

interface OfJob {
  readonly id: string
  readonly query: URLSearchParams
}

/** The server is away, has another version by now, or no longer knows the person. */
const Missing = () => (
  <section class="empty">
    <h1>This view could not be loaded</h1>
    <p>
      <a href={location.href} data-loads>
        Load the page again
      </a>
    </p>
  </section>
)

const Later = ({ load, ...props }: OfJob & { readonly load: () => Promise<ComponentType<OfJob>> }) => {
  const view = useSignal<{ readonly View: ComponentType<OfJob> } | "missing" | undefined>(undefined)
  useEffect(() => {
    void load().then(
      (View) => (view.value = { View }),
      () => (view.value = "missing")
    )
  }, [load])
  if (view.value === undefined) return <p class="faint">Loading the view.</p>
  if (view.value === "missing") return <Missing />
  const { View } = view.value
  // Each job gets a new view, so that no state of another job remains.
  return <View key={props.id} {...props} />
}

const View = ({ shown }: { readonly shown: Route }) => {
  switch (shown.view) {
    case "jobs":
      return <JobsView query={shown.query} />
    case "job":
      return <Later load={jobView} id={shown.id} query={shown.query} />
    case "diff":
      return <Later load={diffView} id={shown.id} query={shown.query} />
    case "system":
      return <SystemView />
    case "unknown":
      return (
        <section class="empty">
          <h1>There is no such page</h1>
          <p>
            <a href={toJobs()}>All jobs</a>
          </p>
        </section>
      )
  }
}

export const App = () => {
  const help = useSignal(false)
  useKeys("Everywhere", [
    { keys: "?", label: "Show or hide the keys", run: () => (help.value = !help.value) },
    { keys: "g j", label: "Go to the jobs", run: () => navigate(toJobs()) },
    ...(isMounted ? [] : [{ keys: "g s", label: "Go to the system", run: () => navigate(toSystem()) }]),
    { keys: "t", label: "Theme: system, dark, light", run: theme.cycle }
  ])
  return (
    <>
      <a class="skip" href="#main" data-loads>
        Skip to the content
      </a>
      <Header onHelp={() => (help.value = true)} />
      <Banner />
      <main id="main" tabIndex={-1}>
        {session.value === undefined ? <SignedOut /> : <View shown={route.value} />}
      </main>
      <NoticeList />
      {help.value && <Shortcuts onClose={() => (help.value = false)} />}
    </>
  )
}
