// What a component that is typed into has in common with the others: it numbers what it sends, sends it again until
// Python says that it heard that number, and has a link wait for that. The component says what waits (`waits`), makes
// a send of it (`flush`), and hands the last one to Streamlit (`say`), and remembers what may get lost (`remember`).

const PAUSE_MS = 250; // without typing, before what was typed is sent
const AGAIN_MS = 5000; // without an answer, before it is sent again; doubled each time, since a run may be slow
const LONGEST_MS = 80000;
const HOLD_MS = 5000; // that a click on a link waits for an answer; the next page comes from the same server, no sooner

class Sending {
  number = 0; // of the last send
  heard = 0; // of the last one that Python has
  known = []; // what Python may have: what it heard last, and what was sent since

  /** Begin to listen; `group` holds the component's fields. */
  listen(group) {
    this.group = group;
    // Streamlit has shortcuts on plain letters, and sees keys from in here as pressed outside any text field.
    for (const type of ["keydown", "keypress", "keyup"])
      group.addEventListener(type, (event) => event.stopPropagation());
    this.ends = new AbortController();
    const { signal } = this.ends;
    window.addEventListener("click", (event) => this.clicked(event), { capture: true, signal }); // before a link acts
    window.addEventListener("popstate", () => this.wentBack(), { capture: true, signal }); // before Streamlit leaves the page
    window.addEventListener("pagehide", () => this.unload(), { signal });
    document.addEventListener("visibilitychange", () => this.flush(), { signal });
  }

  /** Send `what` under a new number. */
  dispatch(what) {
    this.number += 1;
    this.sent = what;
    this.known.push(what);
    this.remember();
    this.wait = AGAIN_MS;
    this.tell();
  }

  /** What is to be done when the page unloads. */
  unload() {
    this.flush();
  }

  /** Hand what was sent last to Streamlit, and again for as long as nobody has heard it. */
  tell() {
    if (this.quiet) return;
    this.say();
    clearTimeout(this.again);
    this.again = setTimeout(() => this.tell(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_MS);
  }

  /** Python has heard everything. */
  settled() {
    clearTimeout(this.again);
    this.known = [this.sent];
    this.follow?.();
  }

  /**
   * Leave the page only when Python has heard what was typed, or seems not to be there: what is sent while Streamlit
   * changes the page would be taken for a wish to stay.
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

  /** Send nothing while Streamlit goes back a page; what waits is remembered, and sent if this is on screen again. */
  wentBack() {
    this.stop();
    this.quiet = true;
    setTimeout(() => {
      this.quiet = false;
      if (!this.group.isConnected) return;
      if (this.waits) this.flush();
      else if (this.heard < this.number) this.tell();
    }, AGAIN_MS);
  }

  stop() {
    clearTimeout(this.timer);
    clearTimeout(this.again);
  }

  destroy() {
    this.stop();
    this.follow?.();
    this.ends.abort();
  }
}
