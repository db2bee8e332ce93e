/**
 * The `?` overlay: the keys of the view that is shown.
 */
import { useLayoutEffect, useRef } from "preact/hooks"
import { groups } from "./keys.js"

const Keys = ({ keys }: { readonly keys: string }) => (
  <>
    {keys.split(" ").map((key) => (
      <kbd key={key}>{names[key] ?? key}</kbd>
    ))}
  </>
)

const names: { readonly [key: string]: string } = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
  Enter: "↵"
}

export const Shortcuts = ({ onClose }: { readonly onClose: () => void }) => {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => dialog.current?.showModal(), [])
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "?") return
    event.preventDefault()
    onClose()
  }
  return (
    <dialog ref={dialog} class="shortcuts" aria-labelledby="shortcuts-title" onClose={onClose} onKeyDown={onKeyDown}>
      <h2 id="shortcuts-title">Keys</h2>
      <div class="columns">
        {[...groups.value].reverse().map(({ bindings, title }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {bindings.map(({ keys, label }) => (
                <div key={keys}>
                  <dt>
                    <Keys keys={keys} />
                  </dt>
                  <dd>{label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <form method="dialog">
        <button>Close</button>
      </form>
    </dialog>
  )
}
