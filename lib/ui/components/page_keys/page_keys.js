// Keys of the whole page that are no text, each as one press with its name; and the theme: Streamlit keeps it
// for each page by itself and tells Python with the next run, here it is kept for all pages, and told at once.

const KEPT = 100; // presses that are sent, as two may come within one run
const TYPED = "input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, [contenteditable]";
const CLOSED_BY_ESCAPE = "dialog[open], [role=dialog], [role=listbox], [role=menu], [aria-expanded=true], [data-testid=stPopoverBody]";
const THEME = /^stActiveTheme-(.*)-v\d+$/;
const LOADED_AT = (globalThis[Symbol.for("promptreel.loaded_at")] ??= location.pathname); // where Streamlit keeps the theme

class PageKeys {
  constructor() {
    this.id = String(Math.random());
    this.presses = [];
    this.listeners = new AbortController();
    // After all others, so that a key that somebody has used is nobody else's.
    document.addEventListener("keydown", (event) => this.pressed(event), { signal: this.listeners.signal });
  }

  update({ data, setStateValue }) {
    this.data = data;
    this.setState = setStateValue;
    keepTheme(data.page, data.pages);
    const { colorScheme } = getComputedStyle(document.querySelector(".stApp"));
    if (colorScheme !== data.theme && colorScheme !== this.told) this.send("theme"); // what Python colours follows
    this.told = colorScheme;
    const awaited = data.awaits !== null && (new URLSearchParams(location.search).get(data.parameter) ?? "") === data.awaits;
    if (awaited && !this.arrived) this.send("arrived");
    this.arrived = awaited;
  }

  pressed(event) {
    const { key, altKey, ctrlKey, metaKey, shiftKey, repeat } = event;
    const name = this.data?.keys[key];
    if (!name || altKey || ctrlKey || metaKey || (shiftKey && key.length > 1) || repeat) return;
    if (event.defaultPrevented || document.fullscreenElement) return;
    const path = event.composedPath().filter((one) => one instanceof Element);
    if (path.some((one) => one.matches(key === "Escape" ? CLOSED_BY_ESCAPE : TYPED))) return;
    event.preventDefault();
    this.send(name);
  }

  send(name) {
    this.presses = [...this.presses, name];
    this.setState("presses", { id: this.id, count: this.presses.length, last: this.presses.slice(-KEPT) });
  }

  destroy() {
    this.listeners.abort();
  }
}

// `page` is the address of this page below the dashboard's, `pages` are those of all.
function keepTheme(page, pages) {
  const own = Object.keys(localStorage).find((key) => THEME.exec(key)?.[1] === LOADED_AT);
  if (!own) return;
  const theme = localStorage.getItem(own);
  const base = location.pathname.endsWith(page) ? location.pathname.slice(0, location.pathname.length - page.length) : "/";
  for (const one of pages) {
    const name = own.replace(LOADED_AT, () => base + one);
    if (localStorage.getItem(name) !== theme) localStorage.setItem(name, theme);
  }
}

export default mounting(PageKeys);
