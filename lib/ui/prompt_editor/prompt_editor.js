// The prompt table. What stands here is the truth: Python's rows are taken over only when `of` changes or the page is
// loaded anew. Edits are numbered, all rows are sent each time, and sent again until Python has said (news.js) that it
// heard that number. So no edit can get lost, and a late one can't overwrite a newer one.

const PAUSE_MS = 250; // without typing, before the rows are sent
const AGAIN_MS = 5000; // without an answer, before they are sent again; doubled each time, since a run may be slow
const LONGEST_MS = 80000;
const HOLD_MS = 5000; // that a click on a link waits for an answer; the next page comes from the same server, no sooner
const NOTE = "promptreel.prompts.";
const NO_NEWS = { colours: {}, threshold: null, thresholds: [-Infinity, Infinity], uses_thresholds: true };
const roots = new WeakMap();
// Survives unmounting: what was typed last is there again after a page switch, even if it was not sent in time.
const here = (globalThis[Symbol.for("promptreel.prompts")] ??= { memories: new Map(), news: new Map(), editors: new Map() });
let made = 0;

function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent?.append(node);
  return node;
}

function option(select, value, text) {
  const node = element("option", "", select);
  node.value = value;
  node.textContent = text;
}

const blank = () => ({ enabled: true, label: "", texts: [], role: "target", threshold: null, colour: null });
const isBlank = (row) => !row.label.trim() && !row.texts.length && row.threshold === null && row.colour === null;
const oneLine = (text) => text.trim().replace(/\s+/g, " ");
const figure = (value) => String(Number(value.toFixed(4))).replace("-", "−");

/** Return rows as they are sent: without the blank ones at the end, which only wait to be typed into. */
function sendable(rows) {
  const kept = rows.map((row) => ({ ...row, texts: [...row.texts] }));
  while (kept.length && isBlank(kept.at(-1))) kept.pop();
  return kept;
}

const asText = (rows) => JSON.stringify(sendable(rows));

class RowView {
  constructor(editor, row) {
    this.editor = editor;
    this.row = row;
    this.li = element("li", "row line");
    this.on = element("input", "on", this.li);
    this.on.type = "checkbox";
    this.on.checked = row.enabled;
    this.on.onchange = () => this.set("enabled", this.on.checked, true);
    const colour = element("span", "colour", this.li);
    this.swatch = element("span", "swatch", colour);
    this.colour = element("select", "", colour);
    option(this.colour, "", "automatic");
    for (const name of editor.data.colour_names) option(this.colour, name, name);
    if (row.colour?.startsWith("#")) option(this.colour, row.colour, `own colour ${row.colour}`);
    this.colour.value = row.colour ?? "";
    this.colour.onchange = () => this.set("colour", this.colour.value || null, true);
    this.label = this.field("label", row.label, () => this.set("label", this.label.value));
    this.label.placeholder = "label";
    this.label.onpaste = (event) => this.paste(event);
    this.texts = this.field("texts", row.texts.join("; "), () => {
      const texts = this.texts.value.split(";").map((text) => text.trim().slice(0, editor.data.max_label));
      this.set("texts", [...new Set(texts.filter(Boolean))]);
    });
    this.texts.removeAttribute("maxlength"); // each phrasing has the limit, not all together
    this.texts.placeholder = "same as label";
    this.role = element("select", "role", this.li);
    option(this.role, "target", "target");
    option(this.role, "background", "background");
    this.role.value = row.role;
    this.role.onchange = () => this.set("role", this.role.value, true);
    this.threshold = this.field("threshold", row.threshold === null ? "" : String(Number(row.threshold.toFixed(6))), () =>
      this.readThreshold(),
    );
    this.threshold.inputMode = "decimal";
    this.remove = element("button", "remove", this.li);
    this.remove.type = "button";
    this.remove.textContent = "×";
    this.remove.onclick = () => editor.removeRow(this);
    this.trouble = element("p", "trouble", this.li);
    this.trouble.id = `trouble-${++made}`;
    this.trouble.hidden = true;
  }

  field(name, value, oninput) {
    const input = element("input", `field ${name}`, this.li);
    input.type = "text";
    input.autocomplete = "off";
    input.spellcheck = false;
    input.maxLength = this.editor.data.max_label;
    input.value = value;
    input.oninput = oninput;
    input.onfocus = () => (input.before = { value: input.value, row: { ...this.row } });
    input.onblur = () => this.editor.send();
    input.onkeydown = (event) => this.key(event, name);
    return input;
  }

  set(name, value, now = false) {
    this.row[name] = value;
    this.editor.changed(now);
    this.draw();
  }

  readThreshold() {
    const text = this.threshold.value.trim().replace("−", "-").replace(",", ".");
    const value = text === "" ? null : Number(text);
    const [low, high] = this.editor.news.thresholds;
    const bad = value !== null && !(value >= low && value <= high); // also when it is no number
    this.trouble.hidden = !bad;
    this.trouble.textContent = bad ? `Not used: write ${figure(low)} to ${figure(high)}, or nothing.` : "";
    if (bad) {
      this.threshold.setAttribute("aria-invalid", "true");
      this.threshold.setAttribute("aria-describedby", this.trouble.id);
    } else {
      this.threshold.removeAttribute("aria-invalid");
      this.threshold.removeAttribute("aria-describedby");
      if (value !== this.row.threshold) this.set("threshold", value);
    }
  }

  key(event, name) {
    if (event.isComposing) return;
    const input = event.target;
    if (event.key === "Enter") {
      event.preventDefault();
      this.editor.send();
      this.editor.goBelow(this, name);
    } else if (event.key === "Escape" && input.before && input.value !== input.before.value) {
      event.preventDefault();
      input.value = input.before.value;
      this.row[name] = input.before.row[name];
      if (name === "threshold") this.readThreshold();
      this.editor.changed(true);
      this.draw();
    }
  }

  paste(event) {
    const lines = event.clipboardData.getData("text/plain").split(/\r\n?|\n/).map(oneLine).filter(Boolean);
    if (lines.length < 2) return; // the browser does it, and undoes it
    event.preventDefault();
    const input = this.label;
    input.setRangeText(lines.shift(), input.selectionStart, input.selectionEnd, "end");
    input.value = this.row.label = input.value.slice(0, this.editor.data.max_label);
    this.editor.insertLabels(this, lines);
  }

  draw() {
    const { news, views } = this.editor;
    const number = views.indexOf(this) + 1;
    const { row } = this;
    const name = oneLine(row.label) || row.texts[0] || "";
    const hex = row.colour?.startsWith("#") ? row.colour : Object.hasOwn(news.colours, name) ? news.colours[name] : null;
    this.li.classList.toggle("off", !row.enabled);
    this.swatch.style.setProperty("--swatch", hex ?? "transparent");
    this.colour.title = `Colour: ${row.colour ?? "automatic"}${hex ? ` (${hex})` : ""}`;
    this.label.title = row.label;
    this.texts.title = (row.texts.length ? row.texts : [row.label]).join("\n") || "Other wordings, separated by ;";
    this.threshold.placeholder = news.uses_thresholds && news.threshold !== null ? figure(news.threshold) : "–";
    this.threshold.title = news.uses_thresholds
      ? "Blank: the global threshold"
      : "The decision “Best label” uses no threshold";
    const names = {
      on: `Prompt ${number} on`,
      colour: `Colour of prompt ${number}`,
      label: `Label of prompt ${number}`,
      texts: `Phrasings of prompt ${number}`,
      role: `Role of prompt ${number}`,
      threshold: `Threshold of prompt ${number}`,
      remove: `Remove prompt ${number}`,
    };
    for (const [part, text] of Object.entries(names)) this[part].setAttribute("aria-label", text);
    this.remove.title = "Remove";
  }
}

class Editor {
  constructor(root) {
    this.group = root.querySelector(".editor");
    this.list = root.querySelector(".rows");
    this.add = root.querySelector(".add");
    this.hint = root.querySelector(".hint");
    this.announce = root.querySelector(".announce");
    this.hint.textContent = "Enter: next row. Several lines can be pasted.";
    this.views = [];
    this.news = NO_NEWS;
    this.dirty = false; // something is not sent yet
    this.number = 0; // of the last edit sent
    this.heard = 0; // of the last edit that Python has
    this.known = []; // rows that Python may have: those it heard last, and what was sent since
    this.add.onclick = () => this.insert(this.views.length, [blank()]).label.focus();
    // Streamlit has shortcuts on plain letters, and sees keys from in here as pressed outside any text field.
    for (const type of ["keydown", "keypress", "keyup"])
      this.group.addEventListener(type, (event) => event.stopPropagation());
    this.leave = () => this.send();
    this.unload = () => this.leaveNote();
    this.back = () => this.wentBack();
    this.click = (event) => this.clicked(event);
    window.addEventListener("click", this.click, true);
    window.addEventListener("pagehide", this.unload);
    window.addEventListener("popstate", this.back, true); // before Streamlit leaves the page
    document.addEventListener("visibilitychange", this.leave);
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
    const waits = this.dirty || this.heard < this.number;
    return waits && experiment === theirExperiment && session !== theirSession && this.known.includes(asText(data.rows));
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
    clearTimeout(this.timer); // what was typed belongs to rows that are gone
    clearTimeout(this.again);
    this.of = data.of;
    const memory = here.memories.get(data.key);
    const remembered = first && (memory?.of === data.of ? memory : this.findNote());
    sessionStorage.removeItem(NOTE + data.key);
    this.number = remembered?.number ?? 0;
    this.heard = 0;
    this.sent = remembered?.sent;
    this.dirty = false;
    this.known = [asText(data.rows)];
    this.views = (remembered?.rows ?? data.rows).map((row) => new RowView(this, { ...blank(), ...row, texts: [...row.texts] }));
    this.list.replaceChildren(...this.views.map((view) => view.li));
    if (!this.views.length) this.insert(0, [blank()]);
    this.counted();
    if (!remembered) return;
    this.dirty = this.sent !== asText(this.rows);
    this.wait = AGAIN_MS;
    if (this.dirty) this.timer = setTimeout(() => this.send());
    else this.again = setTimeout(() => this.tell(), this.wait);
  }

  /** Note an edit; it is sent now, or when nothing is typed for a moment. */
  changed(now) {
    this.dirty = true;
    this.remember();
    clearTimeout(this.timer);
    if (now) this.send();
    else this.timer = setTimeout(() => this.send(), PAUSE_MS);
  }

  remember() {
    here.memories.set(this.data.key, { of: this.of, number: this.number, sent: this.sent, rows: this.rows });
  }

  send() {
    clearTimeout(this.timer);
    if (!this.dirty || this.quiet) return;
    this.dirty = false;
    this.number += 1;
    this.sent = asText(this.rows);
    this.known.push(this.sent);
    this.remember();
    this.wait = AGAIN_MS;
    this.tell();
  }

  /** Hand the rows as sent last to Streamlit, and again for as long as nobody has heard them. */
  tell() {
    if (this.quiet) return;
    this.setState("rows", { of: this.of, number: this.number, rows: JSON.parse(this.sent) });
    clearTimeout(this.again);
    this.again = setTimeout(() => this.tell(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_MS);
  }

  settled() {
    clearTimeout(this.again);
    this.known = [this.sent];
    this.follow?.();
  }

  /** Ask for the rows as they are: Python heard edits that this page doesn't have. */
  ask() {
    if (this.asked !== this.of) this.setState("rows", { of: this.of, number: this.number, rows: null });
    this.asked = this.of;
  }

  /** Leave the page only when Python has heard what was typed, or seems not to be there. */
  hold(event, follow) {
    this.send();
    if (this.heard >= this.number) return false;
    event.preventDefault();
    event.stopImmediatePropagation();
    const timer = setTimeout(() => this.follow?.(), HOLD_MS);
    this.follow = () => {
      clearTimeout(timer);
      this.follow = null;
      this.passing = true;
      follow();
      this.passing = false;
    };
    return true;
  }

  clicked(event) {
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    const stays = link?.target === "_blank" || link?.hasAttribute("download");
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (link && !stays && !elsewhere && !this.passing) this.hold(event, () => link.click());
  }

  /**
   * Send nothing while Streamlit goes back a page: it would take that for a wish to stay. What is not sent yet is
   * remembered, and sent when the table is on screen again.
   */
  wentBack() {
    clearTimeout(this.timer);
    clearTimeout(this.again);
    this.quiet = true;
    setTimeout(() => {
      this.quiet = false;
      if (!this.group.isConnected) return;
      if (this.dirty) this.send();
      else if (this.heard < this.number) this.tell();
    }, AGAIN_MS);
  }

  /** Leave what may not get through any more, as the page unloads, for the same page loaded again. */
  leaveNote() {
    const note = { experiment: this.of.split(".")[0], known: this.known, rows: sendable(this.rows) };
    const waits = this.dirty || this.heard < this.number;
    if (waits) sessionStorage.setItem(NOTE + this.data.key, JSON.stringify(note));
    this.send();
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
    this.leaveNote();
    clearTimeout(this.again);
    this.follow?.();
    if (here.editors.get(this.data.key) === this) here.editors.delete(this.data.key);
    window.removeEventListener("click", this.click, true);
    window.removeEventListener("pagehide", this.unload);
    window.removeEventListener("popstate", this.back, true);
    document.removeEventListener("visibilitychange", this.leave);
  }
}

export default function (api) {
  const root = api.parentElement;
  if (!roots.has(root)) roots.set(root, new Editor(root));
  roots.get(root).update(api);
  return () => {
    const editor = roots.get(root);
    editor?.send();
    // Streamlit also calls this when data changed twice at once, with the table on screen and somebody typing into it.
    setTimeout(() => {
      if (!editor || root.isConnected) return;
      editor.destroy();
      roots.delete(root);
    });
  };
}
