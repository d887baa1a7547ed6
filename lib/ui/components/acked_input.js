// The base of components with text fields. It numbers each submission, sends it again until Python has acknowledged that
// number, and delays links until then. A component says whether something is not yet submitted (`pending`), submits it
// (`flush`), hands the last submission to Streamlit (`send`), and stores what could get lost (`remember`).

const PAUSE_MS = 250; // without typing, before what was typed is submitted
const RETRY_MS = 5000; // without an acknowledgement, before it is sent again; doubled each time, as a run may be slow
const LONGEST_RETRY_MS = 80000;
const HOLD_MS = 5000; // that a link waits for an acknowledgement; the same server serves the next page, and no sooner

/** Whether an event belongs to Ctrl+S, which is Streamlit's: of keys let go, the S alone may be the last one. */
const isSave = ({ type, key, ctrlKey, metaKey }) =>
  key?.toLowerCase() === "s" && (type === "keyup" || ctrlKey || metaKey);

class AckedInput {
  sequence = 0; // number of the last submission
  acked = 0; // number of the last one that Python has acknowledged
  versions = []; // contents that Python may have: the last one it acknowledged, and what was submitted since

  /** Add the listeners; `group` contains the component's fields. */
  listen(group) {
    this.group = group;
    // Streamlit has shortcuts on plain letters, and takes keys from a component for keys outside text fields.
    for (const type of ["keydown", "keypress", "keyup"])
      group.addEventListener(type, (event) => isSave(event) || event.stopPropagation());
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    window.addEventListener("click", (event) => this.clicked(event), { capture: true, signal }); // before a link acts
    window.addEventListener("popstate", () => this.wentBack(), { capture: true, signal }); // before Streamlit leaves
    window.addEventListener("pagehide", () => this.unload(), { signal });
    document.addEventListener("visibilitychange", () => this.flush(), { signal });
  }

  /** Submit `content` under the next sequence number. */
  submit(content) {
    this.sequence += 1;
    this.submitted = content;
    this.versions.push(content);
    this.remember();
    this.retryMs = RETRY_MS;
    this.sendUntilAcked();
  }

  /** What happens when the page unloads. */
  unload() {
    this.flush();
  }

  sendUntilAcked() {
    if (this.suspended) return;
    this.send();
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.sendUntilAcked(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
  }

  /** Python has acknowledged every submission. */
  allAcked() {
    clearTimeout(this.retryTimer);
    this.versions = [this.submitted];
    this.followLink?.();
  }

  /**
   * Hold a click on a link until everything is acknowledged, or the server seems to be down: Streamlit would take what
   * is sent while it changes the page for a wish to stay.
   */
  clicked(event) {
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    const stays = !link || link.target === "_blank" || link.hasAttribute("download");
    if (stays || this.following || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    this.flush();
    if (this.acked >= this.sequence) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const timer = setTimeout(() => this.followLink?.(), HOLD_MS);
    this.followLink = () => {
      clearTimeout(timer);
      this.followLink = null;
      this.following = true;
      link.click();
      this.following = false;
    };
  }

  /** Send nothing while Streamlit goes back a page; what is pending is stored, and sent if this is on screen again. */
  wentBack() {
    this.stop();
    this.suspended = true;
    setTimeout(() => {
      this.suspended = false;
      if (!this.group.isConnected) return;
      if (this.pending) this.flush();
      else if (this.acked < this.sequence) this.sendUntilAcked();
    }, RETRY_MS);
  }

  stop() {
    clearTimeout(this.timer);
    clearTimeout(this.retryTimer);
  }

  destroy() {
    this.stop();
    this.followLink?.();
    this.listeners.abort();
  }
}
