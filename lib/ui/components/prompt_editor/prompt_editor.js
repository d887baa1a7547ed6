// The prompt table. What stands here is the truth: Python's rows are taken over only when `of` changes or the page is
// loaded anew. Edits are numbered (acked_input.js), all rows are sent each time, and sent again until Python has said
// (news.js) that it heard that number. So no edit can get lost, and a late one can't overwrite a newer one.

const NOTE = "promptreel.prompts.";
const NO_NEWS = { colours: {}, threshold: null, thresholds: [-Infinity, Infinity], uses_thresholds: true, unknown: {} };
const roots = new WeakMap();
// Survives unmounting: what was typed last is there again after a page switch, even if it was not sent in time.
const here = (globalThis[Symbol.for("promptreel.prompts")] ??= { memories: new Map(), news: new Map(), editors: new Map() });

class Editor extends Sending {
  constructor(root) {
    super();
    this.list = root.querySelector(".rows");
    this.add = root.querySelector(".add");
    this.hint = root.querySelector(".hint");
    this.announce = root.querySelector(".announce");
    this.hint.textContent = "Enter: next row. Several lines can be pasted.";
    this.views = [];
    this.news = NO_NEWS;
    this.waits = false; // whether something is not sent yet
    this.add.onclick = () => this.insert(this.views.length, [blank()]).label.focus();
    this.listen(root.querySelector(".editor"));
  }

  get rows() {
    return this.views.map((view) => view.row);
  }

  update({ data, setStateValue }) {
    const first = !this.data;
    this.data = data;
    this.setState = setStateValue;
    here.editors.set(data.key, this);
    if (this.of !== data.of) {
      if (!first && this.belongsTo(data)) this.restart();
      else this.take(first);
    }
    this.inform(here.news.get(data.key));
  }

  /** Take over what changes with each edit: which one was heard, colours, thresholds in use. */
  inform(news) {
    if (news?.of === this.of) {
      this.news = news;
      if (news.heard > this.heard) {
        this.heard = news.heard;
        if (this.heard >= this.number) this.settled();
      }
      this.group.classList.toggle("unused", !news.uses_thresholds);
      if (news.heard > this.number) this.ask();
    }
    for (const view of this.views) {
      view.draw();
      if (view.threshold.value) view.readThreshold(); // the range may have changed
    }
  }

  /** Whether what stands here, and no session heard of yet, belongs on top of what a new session begins with. */
  belongsTo(data) {
    const [experiment, session] = this.of.split(".");
    const [theirExperiment, theirSession] = data.of.split(".");
    const unheard = this.waits || this.heard < this.number;
    return unheard && experiment === theirExperiment && session !== theirSession && this.known.includes(asText(data.rows));
  }

  /** Go on with a new session, as after a restart of the server: it gets what stands here. */
  restart() {
    this.of = this.data.of;
    this.number = this.heard = 0;
    this.known = [asText(this.data.rows)];
    this.changed(true);
  }

  /** Show Python's rows, or those remembered here on top of them. */
  take(first) {
    const { data } = this;
    this.stop(); // what was typed belongs to rows that are gone
    this.of = data.of;
    const memory = here.memories.get(data.key);
    const remembered = first && (memory?.of === data.of ? memory : this.findNote());
    sessionStorage.removeItem(NOTE + data.key);
    this.number = remembered?.number ?? 0;
    this.heard = 0;
    this.sent = remembered?.sent;
    this.waits = false;
    this.known = [asText(data.rows)];
    this.views = (remembered?.rows ?? data.rows).map((row) => new RowView(this, { ...blank(), ...row, texts: [...row.texts] }));
    this.list.replaceChildren(...this.views.map((view) => view.li));
    if (!this.views.length) this.insert(0, [blank()]);
    this.counted();
    if (!remembered) return;
    this.waits = this.sent !== asText(this.rows);
    this.wait = AGAIN_MS;
    if (this.waits) this.timer = setTimeout(() => this.flush());
    else this.again = setTimeout(() => this.tell(), this.wait);
  }

  /** Note an edit; it is sent now, or when nothing is typed for a moment. */
  changed(now) {
    this.waits = true;
    this.remember();
    clearTimeout(this.timer);
    if (now) this.flush();
    else this.timer = setTimeout(() => this.flush(), PAUSE_MS);
  }

  remember() {
    here.memories.set(this.data.key, { of: this.of, number: this.number, sent: this.sent, rows: this.rows });
  }

  flush() {
    clearTimeout(this.timer);
    if (!this.waits || this.quiet) return;
    this.waits = false;
    this.dispatch(asText(this.rows));
  }

  say() {
    this.setState("rows", { of: this.of, number: this.number, rows: JSON.parse(this.sent) });
  }

  /** Ask for the rows as they are: Python heard edits that this page doesn't have. */
  ask() {
    if (this.asked !== this.of) this.setState("rows", { of: this.of, number: this.number, rows: null });
    this.asked = this.of;
  }

  /** Leave what may not get through any more, as the page unloads, for the same page loaded again. */
  unload() {
    const note = { experiment: this.of.split(".")[0], known: this.known, rows: sendable(this.rows) };
    if (this.waits || this.heard < this.number) sessionStorage.setItem(NOTE + this.data.key, JSON.stringify(note));
    this.flush();
  }

  /** Return the note that belongs to what Python has now; others are of the past. */
  findNote() {
    const note = JSON.parse(sessionStorage.getItem(NOTE + this.data.key) ?? "null");
    const fits = note?.experiment === this.of.split(".")[0] && note.known.includes(asText(this.data.rows));
    return fits ? { number: 0, sent: asText(this.data.rows), rows: note.rows } : null;
  }

  /** Insert rows at a place, as many as there is room for; return the last one's view. */
  insert(place, rows) {
    const room = this.data.max_rows - this.views.length;
    const views = rows.slice(0, room).map((row) => new RowView(this, row));
    const next = this.views[place]?.li ?? null;
    for (const view of views) this.list.insertBefore(view.li, next);
    this.views.splice(place, 0, ...views);
    this.counted();
    return this.views[Math.max(0, place + views.length - 1)];
  }

  insertLabels(after, labels) {
    const rows = labels.map((label) => ({ ...blank(), label: label.slice(0, this.data.max_label) }));
    const last = this.insert(this.views.indexOf(after) + 1, rows);
    this.changed(true);
    last.label.focus();
    this.announce.textContent = `${labels.length} rows added`;
  }

  removeRow(view) {
    const place = this.views.indexOf(view);
    this.views.splice(place, 1);
    view.li.remove();
    if (!this.views.length) this.insert(0, [blank()]);
    this.counted();
    this.changed(true);
    (this.views[place]?.remove ?? this.add).focus();
    this.announce.textContent = `Prompt ${place + 1} removed`;
  }

  goBelow(view, name) {
    const place = this.views.indexOf(view) + 1;
    let below = this.views[place];
    if (!below && name === "label" && !isBlank(view.row)) below = this.insert(place, [blank()]);
    if (!below || below === view) return;
    below[name].focus();
    below[name].select();
  }

  counted() {
    this.add.disabled = this.views.length >= this.data.max_rows;
    for (const view of this.views) view.draw();
  }

  destroy() {
    this.unload();
    super.destroy();
    if (here.editors.get(this.data.key) === this) here.editors.delete(this.data.key);
  }
}

export default function (api) {
  const root = api.parentElement;
  if (!roots.has(root)) roots.set(root, new Editor(root));
  roots.get(root).update(api);
  return () => {
    const editor = roots.get(root);
    editor?.flush();
    // Streamlit also calls this when data changed twice at once, with the table on screen and somebody typing into it.
    setTimeout(() => {
      if (!editor || root.isConnected) return;
      editor.destroy();
      roots.delete(root);
    });
  };
}
