// The search box. What stands here is the truth: Python's text is taken over only when `of` changes or the page is
// loaded anew. Each send is numbered and sent again until Python says that it heard it (acked_input.js); what it has not
// heard is noted in the tab's storage, so that the last word outlives a page switch, a reload and a lost connection.

const NOTE = "promptreel.search.";
const boxes = new WeakMap();

const sessionOf = (of) => of.split(".").slice(0, 2).join(".");
const experimentOf = (of) => of.split(".")[0];

class Box extends Sending {
  constructor(root) {
    super();
    this.input = root.querySelector(".text");
    this.mode = root.querySelector(".mode");
    this.clear = root.querySelector(".clear");
    this.sent = "";
    this.input.oninput = () => this.changed();
    this.input.onblur = () => this.flush();
    this.input.onkeydown = (event) => this.key(event);
    this.clear.onclick = () => this.empty();
    this.listen(root.querySelector(".box"));
  }

  get text() {
    return this.input.value;
  }

  get waits() {
    return this.text !== this.sent;
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
    this.stop();
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
    if (this.data && this.waits) this.send(this.data.live);
  }

  send(go) {
    clearTimeout(this.timer);
    if (this.quiet) return;
    if (!this.waits && (!go || this.gone)) return;
    this.gone = go;
    this.group.setAttribute("aria-busy", "true");
    this.dispatch(this.text);
  }

  say() {
    this.setState("sent", { of: this.of, number: this.number, text: this.sent, go: this.gone });
  }

  settled() {
    this.group.removeAttribute("aria-busy");
    if (!this.waits) sessionStorage.removeItem(NOTE + this.data.key);
    super.settled();
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
