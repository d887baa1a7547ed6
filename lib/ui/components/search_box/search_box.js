// The search box. Its own text counts: Python's is loaded only when `of` changes or the page is reloaded. What is
// submitted is sent until Python has acknowledged it (acked_input.js); until then it is kept in the tab's storage, so
// that it outlives a page switch, a reload and a lost connection.

const STORED = "promptreel.search-box.";

const sessionOf = (of) => of.split(".").slice(0, 2).join(".");
const experimentOf = (of) => of.split(".")[0];

class SearchBox extends AckedInput {
  constructor(root) {
    super();
    this.input = root.querySelector(".text");
    this.mode = root.querySelector(".mode");
    this.clear = root.querySelector(".clear");
    this.submitted = "";
    this.input.oninput = () => this.changed();
    this.input.onblur = () => this.flush();
    this.input.onkeydown = (event) => this.key(event);
    this.clear.onclick = () => this.clearText();
    this.listen(root.querySelector(".box"));
  }

  get text() {
    return this.input.value;
  }

  get pending() {
    return this.text !== this.submitted;
  }

  update({ data, setStateValue }) {
    this.data = data;
    this.setState = setStateValue;
    this.input.placeholder = data.placeholder;
    this.input.maxLength = data.max_length;
    this.input.setAttribute("aria-label", data.label);
    this.group.classList.toggle("compact", data.compact);
    this.mode.textContent = data.live ? "as you type" : "press Enter";
    if (this.of !== data.of) this.load();
    else if (data.ack > this.acked) this.acked = data.ack;
    if (this.acked >= this.sequence) this.allAcked();
    this.draw();
  }

  /** Show Python's text, or what was typed after it and not acknowledged. */
  load() {
    const { data } = this;
    const stored = JSON.parse(sessionStorage.getItem(STORED + data.key) ?? "null");
    const before = this.of ?? stored?.of;
    this.of = data.of;
    this.stop();
    this.sequence = this.acked = data.ack;
    this.submitted = data.text;
    this.versions = [data.text];
    const same = stored && experimentOf(stored.of) === experimentOf(data.of);
    const replaced = before && sessionOf(before) === sessionOf(data.of) && before !== data.of;
    const text = same && !replaced && stored.versions.includes(data.text) ? stored.text : data.text;
    if (this.input.value !== text) this.input.value = text;
    if (text !== data.text) this.changed(true);
    else sessionStorage.removeItem(STORED + data.key);
  }

  changed(now = false) {
    this.draw();
    this.remember();
    clearTimeout(this.timer);
    if (now) this.submitText(this.data.live);
    else this.timer = setTimeout(() => this.submitText(this.data.live), PAUSE_MS);
  }

  remember() {
    const stored = { of: this.of, versions: this.versions, text: this.text };
    sessionStorage.setItem(STORED + this.data.key, JSON.stringify(stored));
  }

  flush() {
    if (this.data && this.pending) this.submitText(this.data.live);
  }

  /** Submit the text; `go` says whether to search for it. */
  submitText(go) {
    clearTimeout(this.timer);
    if (this.suspended) return;
    if (!this.pending && (!go || this.searched)) return;
    this.searched = go;
    this.group.setAttribute("aria-busy", "true");
    this.submit(this.text);
  }

  send() {
    this.setState("sent", { of: this.of, number: this.sequence, text: this.submitted, go: this.searched });
  }

  allAcked() {
    this.group.removeAttribute("aria-busy");
    if (!this.pending) sessionStorage.removeItem(STORED + this.data.key);
    super.allAcked();
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.searched = false; // Enter searches again, also for the same words
      this.submitText(true);
    } else if (event.key === "Escape" && this.text) {
      event.preventDefault();
      this.clearText();
    }
  }

  clearText() {
    this.input.value = "";
    this.searched = false;
    this.draw();
    this.remember();
    this.submitText(true);
    this.input.focus();
  }

  draw() {
    this.clear.hidden = !this.text;
  }
}

// Nothing is sent on leaving: the page may be changing, and the text is stored.
export default mounting(SearchBox);
