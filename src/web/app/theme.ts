/**
 * Dark or light: the system's theme, or the user's choice.
 */
import { effect, signal } from "@preact/signals"

export type Theme = "system" | "dark" | "light"

const name = "charlotte.theme"

const isTheme = (value: string | null): value is Theme => value === "system" || value === "dark" || value === "light"

export const theme = signal<Theme>("system")

const next: { readonly [T in Theme]: Theme } = { system: "dark", dark: "light", light: "system" }

export const cycle = (): void => {
  theme.value = next[theme.value]
  localStorage.setItem(name, theme.value)
}

export const start = (): void => {
  const kept = localStorage.getItem(name)
  if (isTheme(kept)) theme.value = kept
  effect(() => {
    if (theme.value === "system") delete document.documentElement.dataset["theme"]
    else document.documentElement.dataset["theme"] = theme.value
  })
}
