// The search box. What stands here is the truth: Python's text is taken over only when `of` changes or the page is
// loaded anew. Each send is numbered and sent again until Python says that it heard it; what it has not heard is noted
// in the tab's storage, so that the last word outlives a page switch, a reload and a lost connection.

const PAUSE_MS = 250; // without typing, before the words are sent
const AGAIN_MS = 5000; // without an answer, before they are sent again; doubled each time
const LONGEST_MS = 80000;
const HOLD_MS = 5000; // that a click on a link waits for an answer
const NOTE = "promptreel.search.";
const boxes = new WeakMap();

const sessionOf = (of) => of.split(".").slice(0, 2).join(".");
const experimentOf = (of) => of.split(".")[0];

class Box {
  constructor(root) {
    this.group = root.querySelector(".box");
    this.input = root.querySelector(".text");
    this.mode = root.querySelector(".mode");
    this.clear = root.querySelector(".clear");
    this.number = 0; // of the last send
    this.heard = 0; // of the last one that Python has
    this.sent = "";
    this.input.oninput = () => this.changed();
    this.input.onblur = () => this.flush();
    this.input.onkeydown = (event) => this.key(event);
    this.clear.onclick = () => this.empty();
    // Streamlit has shortcuts on plain letters, and sees keys from in here as pressed outside any text field.
    for (const type of ["keydown", "keypress", "keyup"])
      this.group.addEventListener(type, (event) => event.stopPropagation());
    this.leave = () => this.flush();
    this.click = (event) => this.clicked(event);
    this.back = () => this.wentBack();
    window.addEventListener("pagehide", this.leave);
    window.addEventListener("click", this.click, true); // before a link leaves the page
    window.addEventListener("popstate", this.back, true); // before Streamlit leaves the page
    document.addEventListener("visibilitychange", this.leave);
  }

  get text() {
    return this.input.value;
  }

  update({ data, setStateValue }) {
    this.data = data;
    this.setState = setStateValue;
    this.input.placeholder = data.placeholder;
    this.input.maxLength = data.max_length;
    this.input.setAttribute("aria-label", data.label);
    this.mode.textContent = data.live ? "as you type" : "press Enter";
    if (this.of !== data.of) this.take();
    else if (data.heard > this.heard) this.heard = data.heard;
    if (this.heard >= this.number) this.settled();
    this.draw();
  }

  /** Show Python's text, or what was typed after it and not heard. */
  take() {
    const { data } = this;
    const note = JSON.parse(sessionStorage.getItem(NOTE + data.key) ?? "null");
    const before = this.of ?? note?.of;
    this.of = data.of;
    clearTimeout(this.timer);
    clearTimeout(this.again);
    this.number = this.heard = data.heard;
    this.sent = data.text;
    this.known = [data.text];
    const same = note && experimentOf(note.of) === experimentOf(data.of);
    const replaced = before && sessionOf(before) === sessionOf(data.of) && before !== data.of;
    const kept = same && !replaced && note.known.includes(data.text) ? note.text : data.text;
    if (this.input.value !== kept) this.input.value = kept;
    if (kept !== data.text) this.changed(true);
    else sessionStorage.removeItem(NOTE + data.key);
  }

  changed(now = false) {
    this.draw();
    this.remember();
    clearTimeout(this.timer);
    if (now) this.send(this.data.live);
    else this.timer = setTimeout(() => this.send(this.data.live), PAUSE_MS);
  }

  remember() {
    const note = { of: this.of, known: this.known, text: this.text };
    sessionStorage.setItem(NOTE + this.data.key, JSON.stringify(note));
  }

  /** Send what waits, now. */
  flush() {
    if (this.data && this.text !== this.sent) this.send(this.data.live);
  }

  /**
   * Leave the page only when Python has heard the words, or seems not to be there: words sent while Streamlit changes
   * the page would be taken for a wish to stay.
   */
  clicked(event) {
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    const stays = !link || link.target === "_blank" || link.hasAttribute("download");
    if (stays || this.passing || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    this.flush();
    if (this.heard >= this.number) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const timer = setTimeout(() => this.follow?.(), HOLD_MS);
    this.follow = () => {
      clearTimeout(timer);
      this.follow = null;
      this.passing = true;
      link.click();
      this.passing = false;
    };
  }

  /** Send nothing while Streamlit goes back a page; the note has the words. */
  wentBack() {
    clearTimeout(this.timer);
    clearTimeout(this.again);
    this.quiet = true;
    setTimeout(() => {
      this.quiet = false;
      if (!this.group.isConnected) return;
      if (this.text !== this.sent) this.flush();
      else if (this.heard < this.number) this.tell();
    }, AGAIN_MS);
  }

  send(go) {
    clearTimeout(this.timer);
    if (this.quiet) return;
    if (this.text === this.sent && !go) return;
    if (this.text === this.sent && this.gone) return;
    this.gone = go;
    this.number += 1;
    this.sent = this.text;
    this.known.push(this.sent);
    this.remember();
    this.wait = AGAIN_MS;
    this.group.setAttribute("aria-busy", "true");
    this.tell();
  }

  tell() {
    if (this.quiet) return;
    this.setState("sent", { of: this.of, number: this.number, text: this.sent, go: this.gone });
    clearTimeout(this.again);
    this.again = setTimeout(() => this.tell(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_MS);
  }

  settled() {
    clearTimeout(this.again);
    this.group.removeAttribute("aria-busy");
    this.known = [this.sent];
    if (this.text === this.sent) sessionStorage.removeItem(NOTE + this.data.key);
    this.follow?.();
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.gone = false; // Enter searches again, also for the same words
      this.send(true);
    } else if (event.key === "Escape" && this.text) {
      event.preventDefault();
      this.empty();
    }
  }

  empty() {
    this.input.value = "";
    this.gone = false;
    this.draw();
    this.remember();
    this.send(true);
    this.input.focus();
  }

  draw() {
    this.clear.hidden = !this.text;
  }

  destroy() {
    clearTimeout(this.timer);
    clearTimeout(this.again);
    this.follow?.();
    window.removeEventListener("pagehide", this.leave);
    window.removeEventListener("click", this.click, true);
    window.removeEventListener("popstate", this.back, true);
    document.removeEventListener("visibilitychange", this.leave);
  }
}

export default function (api) {
  const root = api.parentElement;
  if (!boxes.has(root)) boxes.set(root, new Box(root));
  boxes.get(root).update(api);
  return () => {
    const box = boxes.get(root);
    // Nothing is sent here: the page may be changing, and the note has the words. Streamlit
    // also calls this when data changed twice at once, with the box on screen and somebody typing into it.
    setTimeout(() => {
      if (!box || root.isConnected) return;
      box.destroy();
      boxes.delete(root);
    });
  };
}
