// The prompt table. Its own rows count: Python's are loaded only when `of` changes or the page is reloaded. Each edit
// has a sequence number and submits all rows, which are sent until Python has acknowledged it (acked_input.js,
// editor_feedback.js). So no edit gets lost, and a late one doesn't overwrite a newer one.

const STORED = "promptreel.prompt-editor.";
const HINT = "Enter: next row. Lines and spreadsheet columns can be pasted.";
const MANY = 10; // rows from which on phrasings are folded at first
const LONGEST_PASTE = 2000000;
const PARTS = ["on", "colour", "label", "texts", "role", "threshold", "remove", "mark", "suggest"]; // of a row that can have the focus
const NO_FEEDBACK = { colours: {}, threshold: null, thresholds: [-Infinity, Infinity], uses_thresholds: true, hints: {}, unknown: {}, left_out: {}, said: "", marks: {} };
// Survives unmounting, so that what was typed last is there again after a page switch, even if it was not sent in time.
const shared = (globalThis[Symbol.for("promptreel.prompts")] ??= { memories: new Map(), feedback: new Map(), editors: new Map() });

function middle(li) {
  const { top, height } = li.getBoundingClientRect();
  return top + height / 2;
}

class Editor extends AckedInput {
  constructor(root) {
    super();
    this.list = root.querySelector(".rows");
    this.add = root.querySelector(".add");
    this.hint = root.querySelector(".hint");
    this.announce = root.querySelector(".announce");
    this.hint.textContent = HINT;
    this.views = [];
    this.feedback = NO_FEEDBACK;
    this.pending = false; // whether an edit is not submitted yet
    this.add.onclick = () => this.emptyRow().label.focus();
    this.states = new Map(); // by label, what the player says of it
    this.listen(root.querySelector(".editor"));
    live.addEventListener("state", ({ detail }) => detail.key === this.data?.live.key && this.hear(detail), {
      signal: this.listeners.signal,
    });
    live.addEventListener("rule", (event) => this.takeRule(event), { signal: this.listeners.signal });
  }

  /** Make what was let go of in the lanes an edit of its row, so that it can't cross one that is on its way. */
  takeRule(event) {
    const { key, side, label, value } = event.detail;
    if (key !== this.data?.live.key || side !== this.data.live.side) return;
    const view = this.views.find(({ live: { state } }) => state?.label === label);
    if (!view) return;
    event.preventDefault();
    view.live.change(value);
    this.flush();
  }

  hear({ labels } = { labels: [] }) {
    const { side } = this.data.live;
    this.states = new Map(labels.filter((one) => one.side === side).map((one) => [one.label, one]));
    this.views.forEach((view, index) => view.showLive(index + 1));
  }

  get rows() {
    return this.views.map((view) => view.row);
  }

  update({ data, setStateValue }) {
    const first = !this.data;
    this.data = data;
    this.setState = setStateValue;
    shared.editors.set(data.key, this);
    this.hear(live.states.get(data.live.key));
    if (this.of !== data.of) {
      if (!first && this.belongsTo(data)) this.restart();
      else {
        this.action = null; // it is done, or its rows are gone
        const focus = first ? null : this.focusNow();
        if (!first) this.flush(); // Python still takes it, where the new rows came from another tab
        this.load(first, focus);
      }
    }
    this.apply(shared.feedback.get(data.key));
  }

  /** Apply what changes with each edit: the acknowledgement, colours, thresholds in use. */
  apply(feedback) {
    if (feedback?.of === this.of) {
      this.feedback = feedback;
      if (feedback.ack > this.acked) {
        this.acked = feedback.ack;
        if (this.acked >= this.sequence) this.allAcked();
        if (this.acked >= this.sequence) this.actionDone();
      }
      this.group.classList.toggle("unused", !feedback.uses_thresholds);
      if (feedback.ack > this.sequence) this.requestRows();
    }
    const current = feedback?.of === this.of && this.acked >= this.sequence && !this.pending;
    this.views.forEach((view, index) => current && view.showHints(feedback.hints[index] ?? [], Object.hasOwn(feedback.left_out, index)));
    this.hint.textContent = this.feedback.said || HINT;
    if (this.feedback.said && this.announce.textContent !== this.feedback.said) this.say(this.feedback.said);
    for (const view of this.views) {
      view.draw();
      if (view.threshold.value) view.readThreshold(); // the range may have changed
    }
  }

  /** Whether there are edits, not acknowledged by any session, of the rows that a new session begins with. */
  belongsTo(data) {
    const [experiment, session] = this.of.split(".");
    const [theirExperiment, theirSession] = data.of.split(".");
    const unacked = this.pending || this.acked < this.sequence;
    return unacked && experiment === theirExperiment && session !== theirSession && this.versions.includes(asText(data.rows));
  }

  /** Continue with a new session, as after a restart of the server: it gets the rows of this editor. */
  restart() {
    this.of = this.data.of;
    this.sequence = this.acked = 0;
    this.versions = [asText(this.data.rows)];
    if (this.action) this.submit(asText(this.rows));
    else this.changed(true);
  }

  /** Show Python's rows, or the edits of them that were stored here. */
  load(first, focus) {
    const { data } = this;
    this.stop(); // what is pending belongs to other rows
    this.of = data.of;
    const memory = shared.memories.get(data.key);
    const remembered = first && (memory?.of === data.of ? memory : this.storedEdits());
    sessionStorage.removeItem(STORED + data.key);
    this.sequence = remembered?.sequence ?? 0;
    this.acked = 0;
    this.submitted = remembered?.submitted;
    this.pending = false;
    this.versions = [asText(data.rows)];
    this.views = (remembered?.rows ?? data.rows).map((row) => new RowView(this, { ...blank(), ...row, texts: [...row.texts] }));
    const many = this.views.length > MANY;
    for (const view of this.views) view.folded = many;
    this.list.replaceChildren(...this.views.map((view) => view.li));
    if (!this.views.length) this.insert(0, [blank()]);
    this.countChanged();
    if (this.awaited) this.focusAgain();
    else if (focus) this.refocus(focus);
    if (!remembered) return;
    this.action = remembered.action ?? null;
    this.pending = this.submitted !== asText(this.rows);
    this.retryMs = RETRY_MS;
    if (this.action) this.submit(asText(this.rows));
    else if (this.pending) this.timer = setTimeout(() => this.flush());
    else this.retryTimer = setTimeout(() => this.sendUntilAcked(), this.retryMs);
  }

  /** Return which part of which row has the focus, and what is being typed there; null where none has. */
  focusNow() {
    const { activeElement } = this.group.getRootNode();
    const index = this.views.findIndex((view) => view.li.contains(activeElement));
    const part = index < 0 ? null : PARTS.find((name) => this.views[index][name] === activeElement);
    if (!part) return null;
    const { row } = this.views[index];
    const labels = [row.label, activeElement.before.row?.label]; // as it is, and before it was typed
    const typed = this.pending || this.acked < this.sequence ? activeElement.value : null;
    return { index, part, labels, typed, selection: [activeElement.selectionStart, activeElement.selectionEnd] };
  }

  /** Give the focus to the same part of the row with the same label, else in the same place; typing goes on there. */
  refocus({ index, part, labels, typed, selection }) {
    const same = labels.map((label) => this.views.find(({ row }) => row.label === label)).find(Boolean);
    const field = (same ?? this.views[Math.min(index, this.views.length - 1)])[part];
    field.focus({ preventScroll: true });
    if (field.type !== "text") return;
    if (same && typed !== null && field.value !== typed) {
      field.value = typed;
      field.oninput();
    }
    field.setSelectionRange(...selection);
  }

  /** Record an edit; it is submitted now, or after a pause in typing. */
  changed(now) {
    this.pending = true;
    this.remember();
    clearTimeout(this.timer);
    if (now) this.flush();
    else this.timer = setTimeout(() => this.flush(), PAUSE_MS);
  }

  remember() {
    const { of, sequence, submitted, rows, action } = this;
    shared.memories.set(this.data.key, { of, sequence, submitted, rows, action });
  }

  /** Submit, with all rows, a press or a paste for Python to carry out on the row of `view`. */
  act(view, action) {
    if (this.action) return;
    if (action.paste?.length > LONGEST_PASTE) {
      this.say(`What was pasted is longer than ${LONGEST_PASTE.toLocaleString("en")} characters; paste a part of it.`);
      return;
    }
    const index = this.views.indexOf(view);
    const stays = action.mend === "suggest"; // the focus, on what was pressed
    this.awaited = stays ? null : { index, count: this.views.length, paste: action.paste !== undefined };
    clearTimeout(this.timer);
    this.pending = false;
    this.action = { index, ...action };
    this.submit(asText(this.rows));
  }

  /** Python has carried it out: what was typed meanwhile follows. */
  actionDone() {
    if (!this.action) return;
    this.action = null;
    this.flush();
  }

  /** Focus the row that a press or a paste was about, where its rows have come from Python. */
  focusAgain() {
    const { awaited } = this;
    this.awaited = null;
    if (!awaited) return;
    const added = awaited.paste ? Math.max(0, this.views.length - awaited.count) : 0;
    this.views[Math.min(awaited.index + added, this.views.length - 1)]?.label.focus();
  }

  say(words) {
    this.announce.textContent = words;
    this.hint.textContent = words;
  }

  flush() {
    clearTimeout(this.timer);
    if (!this.pending || this.suspended || this.action) return; // an action's rows come first
    this.pending = false;
    this.submit(asText(this.rows));
  }

  send() {
    const { of, sequence: number, action } = this;
    this.setState("rows", { of, number, rows: JSON.parse(this.submitted), action: action ?? null });
  }

  /** Request the current rows: Python has edits that this page doesn't have. */
  requestRows() {
    if (this.requested !== this.of) this.setState("rows", { of: this.of, number: this.sequence, rows: null });
    this.requested = this.of;
  }

  /** As the page unloads, store what may not get through any more, for a reload of the same page. */
  unload() {
    const [experiment, session] = this.of.split(".");
    const stored = { experiment, session, versions: this.versions, rows: sendable(this.rows), action: this.action };
    const unacked = this.pending || this.acked < this.sequence;
    if (unacked) sessionStorage.setItem(STORED + this.data.key, JSON.stringify(stored));
    this.flush();
  }

  /**
   * Return the stored edits of the rows that Python has now; null where they are edits of other rows. Within one session
   * Python has replaced the rows on purpose, maybe with some that were here before.
   */
  storedEdits() {
    const [experiment, session] = this.of.split(".");
    const stored = JSON.parse(sessionStorage.getItem(STORED + this.data.key) ?? "null");
    const begunAnew = stored?.experiment === experiment && stored.session !== session;
    const fits = begunAnew && stored.versions.includes(asText(this.data.rows));
    return fits ? { sequence: 0, submitted: asText(this.data.rows), rows: stored.rows, action: stored.action } : null;
  }

  /** Insert rows at an index, as many as there is room for; return the last one's view. */
  insert(index, rows) {
    const room = this.data.max_rows - this.views.length;
    const views = rows.slice(0, room).map((row) => new RowView(this, row));
    const next = this.views[index]?.li ?? null;
    for (const view of views) this.list.insertBefore(view.li, next);
    this.views.splice(index, 0, ...views);
    this.countChanged();
    return this.views[Math.max(0, index + views.length - 1)];
  }

  removeRow(view) {
    const index = this.views.indexOf(view);
    this.views.splice(index, 1);
    view.li.remove();
    if (!this.views.length) this.insert(0, [blank()]);
    this.countChanged();
    this.changed(true);
    (this.views[index]?.remove ?? this.add).focus();
    this.announce.textContent = `Prompt ${index + 1} removed`;
  }

  /** Move a row up (-1) or down (1); the focus stays where it is. */
  moveRow(view, step) {
    const index = this.views.indexOf(view);
    if (index + step < 0 || index + step >= this.views.length) return;
    this.put(view, index + step);
    this.changed(true);
    this.announce.textContent = `Moved to place ${index + step + 1} of ${this.views.length}`;
  }

  put(view, place) {
    const focused = this.list.getRootNode().activeElement;
    this.views.splice(this.views.indexOf(view), 1);
    this.views.splice(place, 0, view);
    this.list.insertBefore(view.li, this.views[place + 1]?.li ?? null);
    if (view.li.contains(focused)) focused.focus(); // it was let go with the row
    this.countChanged();
  }

  /** Drag a row by its handle, by mouse or touch; Escape puts it back. */
  drag(view, event) {
    if (event.button) return;
    const { move } = view;
    const from = this.views.indexOf(view);
    move.setPointerCapture(event.pointerId);
    view.li.classList.add("dragged");
    const end = (place) => {
      view.li.classList.remove("dragged");
      move.onpointermove = move.onpointerup = move.onpointercancel = move.onkeydown = null;
      if (place !== this.views.indexOf(view)) this.put(view, place);
      if (place === from) return;
      this.changed(true);
      this.announce.textContent = `Moved to place ${place + 1} of ${this.views.length}`;
    };
    move.onpointermove = ({ clientY }) => {
      const others = this.views.filter((other) => other !== view);
      const place = others.filter(({ li }) => middle(li) < clientY).length;
      if (place !== this.views.indexOf(view)) {
        this.put(view, place);
        move.setPointerCapture(event.pointerId);
      }
    };
    move.onpointerup = () => end(this.views.indexOf(view));
    move.onpointercancel = () => end(from);
    move.onkeydown = ({ key }) => key === "Escape" && end(from);
  }

  goBelow(view, name) {
    const index = this.views.indexOf(view) + 1;
    let below = this.views[index];
    if (!below && name === "label" && !isBlank(view.row)) below = this.insert(index, [blank()]);
    if (!below || below === view) return;
    below[name].focus();
    below[name].select();
  }

  /** Return the row in which nothing stands yet; without one, a new row below the others. */
  emptyRow() {
    return this.views.find(({ row }) => isBlank(row)) ?? this.insert(this.views.length, [blank()]);
  }

  countChanged() {
    this.add.disabled = this.views.length >= this.data.max_rows && !this.views.some(({ row }) => isBlank(row));
    for (const view of this.views) view.draw();
  }

  leave() {
    this.flush();
  }

  destroy() {
    this.unload();
    super.destroy();
    if (shared.editors.get(this.data.key) === this) shared.editors.delete(this.data.key);
  }
}

export default mounting(Editor);
