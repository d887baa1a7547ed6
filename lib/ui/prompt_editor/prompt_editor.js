// The prompt table. What stands here is the truth: Python's rows are taken over only when `of` (session and version)
// changes or the table is drawn anew. All rows are sent each time, so no edit can get lost between two runs.

const PAUSE_MS = 250; // without typing, before the rows are sent
const NOTE = "promptreel.prompts.";
const editors = new WeakMap();
// Survives unmounting: what was typed last is there again after a page switch, even if it was not sent in time.
const memories = (globalThis[Symbol.for("promptreel.prompts")] ??= new Map());
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
    const [low, high] = this.editor.data.thresholds;
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
    const { data, views } = this.editor;
    const number = views.indexOf(this) + 1;
    const { row } = this;
    const name = oneLine(row.label) || row.texts[0] || "";
    const hex = row.colour?.startsWith("#") ? row.colour : Object.hasOwn(data.colours, name) ? data.colours[name] : null;
    this.li.classList.toggle("off", !row.enabled);
    this.swatch.style.setProperty("--swatch", hex ?? "transparent");
    this.colour.title = `Colour: ${row.colour ?? "automatic"}${hex ? ` (${hex})` : ""}`;
    this.label.title = row.label;
    this.texts.title = (row.texts.length ? row.texts : [row.label]).join("\n") || "Other wordings, separated by ;";
    this.threshold.placeholder = data.uses_thresholds ? figure(data.threshold) : "–";
    this.threshold.title = data.uses_thresholds
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
    this.dirty = false;
    this.rev = 0;
    this.add.onclick = () => this.insert(this.views.length, [blank()]).label.focus();
    // Streamlit has shortcuts on plain letters, and sees keys from in here as pressed outside any text field.
    for (const type of ["keydown", "keypress", "keyup"])
      this.group.addEventListener(type, (event) => event.stopPropagation());
    this.leave = () => this.send();
    this.unload = () => this.leaveNote();
    window.addEventListener("pagehide", this.unload);
    window.addEventListener("popstate", this.leave, true); // before Streamlit leaves the page
    document.addEventListener("visibilitychange", this.leave);
  }

  get rows() {
    return this.views.map((view) => view.row);
  }

  update({ data, setStateValue }) {
    const first = !this.data;
    this.data = data;
    this.setState = setStateValue;
    this.group.classList.toggle("unused", !data.uses_thresholds);
    if (this.of !== data.of) {
      const memory = memories.get(data.key);
      const remembered = first && (memory?.of === data.of ? memory : this.findNote());
      this.take(remembered?.rows ?? data.rows);
      this.rev = remembered?.rev ?? 0;
      const news = asText(this.rows) !== asText(data.rows);
      if (remembered && news) {
        this.dirty = true;
        setTimeout(() => this.send());
      }
    }
    for (const view of this.views) {
      view.draw();
      if (view.threshold.value) view.readThreshold(); // the range may have changed
    }
  }

  take(rows) {
    clearTimeout(this.timer);
    this.dirty = false; // what was typed belongs to rows that are gone
    this.of = this.data.of;
    this.views = rows.map((row) => new RowView(this, { ...blank(), ...row, texts: [...row.texts] }));
    this.list.replaceChildren(...this.views.map((view) => view.li));
    if (!this.views.length) this.insert(0, [blank()]);
    this.counted();
  }

  /** Note an edit; it is sent now, or when nothing is typed for a moment. */
  changed(now) {
    this.dirty = true;
    memories.set(this.data.key, { of: this.of, rev: this.rev, rows: this.rows });
    clearTimeout(this.timer);
    if (now) this.send();
    else this.timer = setTimeout(() => this.send(), PAUSE_MS);
  }

  send() {
    clearTimeout(this.timer);
    if (!this.dirty) return;
    this.dirty = false;
    this.rev += 1;
    memories.set(this.data.key, { of: this.of, rev: this.rev, rows: this.rows });
    this.sent = asText(this.rows);
    this.setState("rows", { of: this.of, rev: this.rev, rows: sendable(this.rows) });
  }

  /** Leave what may not get through any more, as the page unloads, for the same page loaded again. */
  leaveNote() {
    const known = [asText(this.data.rows), this.sent]; // Python has one of them, depending on how far that got
    const note = { address: location.href, known, rows: sendable(this.rows) };
    if (asText(this.rows) !== known[0]) sessionStorage.setItem(NOTE + this.data.key, JSON.stringify(note));
    this.send();
  }

  /** Return the note that belongs to what Python has now; others are of the past. */
  findNote() {
    const note = JSON.parse(sessionStorage.getItem(NOTE + this.data.key) ?? "null");
    sessionStorage.removeItem(NOTE + this.data.key);
    const fits = note?.address === location.href && note.known.includes(asText(this.data.rows));
    return fits ? { rev: 0, rows: note.rows } : null;
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
    this.send();
    window.removeEventListener("pagehide", this.unload);
    window.removeEventListener("popstate", this.leave, true);
    document.removeEventListener("visibilitychange", this.leave);
  }
}

export default function (api) {
  const root = api.parentElement;
  if (!editors.has(root)) editors.set(root, new Editor(root));
  editors.get(root).update(api);
  return () => {
    editors.get(root)?.destroy();
    editors.delete(root);
  };
}
