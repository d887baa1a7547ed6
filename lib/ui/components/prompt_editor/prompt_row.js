// One row of the prompt table, and the form in which rows are sent. Prepended to prompt_editor.js.

let rowCount = 0;

function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent?.append(node);
  return node;
}

function button(className, text, parent) {
  const node = element("button", className, parent);
  node.type = "button";
  node.textContent = text;
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
const cut = (text, length) => Array.from(text).slice(0, length).join(""); // by characters, as Python counts
const shownThreshold = (value) => String(Number(value.toFixed(6)));
const figure = (value) => String(Number(value.toFixed(4))).replace("-", "−");

/** Return rows as they are sent: without the blank ones at the end. */
function sendable(rows) {
  const copies = rows.map((row) => ({ ...row, texts: [...row.texts] }));
  while (copies.length && isBlank(copies.at(-1))) copies.pop();
  return copies;
}

const asText = (rows) => JSON.stringify(sendable(rows));

class RowView {
  constructor(editor, row) {
    this.editor = editor;
    this.row = row;
    this.li = element("li", "row line");
    this.move = button("move icon-button", "⠿", this.li);
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
    this.label = this.field("label", row.label, () => this.readLabel());
    this.label.placeholder = "label";
    this.label.dir = "auto";
    this.label.onpaste = (event) => this.paste(event);
    this.count = button("count", "", this.li);
    this.count.onclick = () => this.fold(!this.folded);
    this.phrasings = new Phrasings(this, this.li);
    this.texts = this.phrasings.field;
    this.role = element("select", "role", this.li);
    option(this.role, "target", "target");
    option(this.role, "restricted", "restricted");
    option(this.role, "background", "background");
    this.role.value = row.role;
    this.role.onchange = () => this.set("role", this.role.value, true);
    this.threshold = this.field("threshold", row.threshold === null ? "" : shownThreshold(row.threshold), () =>
      this.readThreshold(),
    );
    this.threshold.inputMode = "decimal";
    this.remove = button("remove icon-button", "×", this.li);
    this.remove.onclick = () => editor.removeRow(this);
    this.live = new LiveLine(this);
    ({ mark: this.mark, suggest: this.suggest } = this.live);
    this.trouble = element("p", "trouble", this.li);
    this.trouble.id = `trouble-${++rowCount}`;
    this.trouble.hidden = true;
    this.troubles = { label: "", texts: "", threshold: "" };
    this.difference = element("span", "visually-hidden", this.li); // from the table beside this one
    this.difference.id = `difference-${rowCount}`;
    this.hints = element("div", "hints", this.li);
    this.hints.id = `hints-${rowCount}`;
    this.li.addEventListener("keydown", (event) => this.moveByKey(event));
    this.move.onpointerdown = (event) => editor.drag(this, event);
  }

  field(name, value, oninput) {
    const input = element("input", `field ${name}`, this.li);
    input.type = "text";
    input.autocomplete = "off";
    input.spellcheck = false;
    input.value = value;
    input.oninput = oninput;
    input.onfocus = () => (input.before = { value: input.value, row: { ...this.row } });
    input.onblur = () => this.editor.flush();
    input.onkeydown = (event) => this.key(event, name);
    return input;
  }

  get name() {
    return oneLine(this.row.label) || this.row.texts[0] || "";
  }

  set(name, value, now = false) {
    this.row[name] = value;
    this.editor.changed(now);
    this.draw();
  }

  fold(folded) {
    this.folded = folded;
    this.draw();
  }

  /** Say below the row why the field's text is not used as it is; nothing where it is. */
  say(name, trouble) {
    this.troubles[name] = trouble;
    this.trouble.textContent = Object.values(this.troubles).filter(Boolean).join(" ");
    this.trouble.hidden = !this.trouble.textContent;
    const field = this[name];
    if (trouble) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    if (trouble) field.setAttribute("aria-describedby", this.trouble.id);
    else field.removeAttribute("aria-describedby");
  }

  readLabel(now = false) {
    const { max_label } = this.editor.data;
    const { length } = Array.from(this.label.value);
    const long = `A label has at most ${max_label} characters: the last ${length - max_label} of ${length} are not used.`;
    this.say("label", length > max_label ? long : "");
    this.set("label", cut(this.label.value, max_label), now);
  }

  readTexts(now = false) {
    const { max_label, max_texts } = this.editor.data;
    const { texts } = this.phrasings;
    const long = texts.map((text) => Array.from(text).length).filter((length) => length > max_label);
    const troubles = long.map(
      (length) => `A phrasing has at most ${max_label} characters: the last ${length - max_label} of ${length} are not used.`,
    );
    if (texts.length > max_texts)
      troubles.push(`A prompt has at most ${max_texts} phrasings: the last ${texts.length - max_texts} are not used.`);
    this.say("texts", troubles.join(" "));
    this.set("texts", texts.slice(0, max_texts).map((text) => cut(text, max_label)), now);
  }

  readThreshold() {
    const text = this.threshold.value.trim().replace("−", "-").replace(",", ".");
    const own = this.row.threshold;
    // The field shows fewer digits than a threshold may have.
    const value = text === "" ? null : own !== null && Number(text) === Number(shownThreshold(own)) ? own : Number(text);
    const [low, high] = this.editor.feedback.thresholds;
    const bad = value !== null && !(value >= low && value <= high); // also when it is no number
    this.say("threshold", bad ? `Not used: enter ${figure(low)} to ${figure(high)}, or leave it blank.` : "");
    if (!bad && value !== own) this.set("threshold", value);
  }

  key(event, name) {
    if (event.isComposing) return;
    const input = event.target;
    if (event.key === "Enter") {
      event.preventDefault();
      this.editor.flush();
      this.editor.goBelow(this, name);
    } else if (event.key === "Escape" && input.before && input.value !== input.before.value) {
      event.preventDefault();
      input.value = input.before.value;
      this.row[name] = input.before.row[name];
      if (name === "threshold") this.readThreshold();
      else this.say(name, "");
      this.editor.changed(true);
      this.draw();
    }
  }

  /** Alt with an arrow moves the row from anywhere in it; on the handle an arrow is enough. */
  moveByKey(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !(event.altKey || event.target === this.move)) return;
    event.preventDefault();
    this.editor.moveRow(this, step);
  }

  paste(event) {
    const text = event.clipboardData.getData("text/plain");
    const lines = text.split(/\r\n?|\n/).filter((line) => line.trim());
    if (lines.length < 2 && !text.trim().includes("\t")) return; // the browser pastes it, and can undo it
    event.preventDefault();
    const { value, selectionStart, selectionEnd } = this.label;
    this.editor.act(this, { paste: text, head: value.slice(0, selectionStart), tail: value.slice(selectionEnd) });
  }

  /** Show what Python says about the row, each with the buttons that mend it. */
  showHints(hints, leftOut) {
    const { unknown } = this.editor.feedback;
    const { name } = this;
    if (Object.hasOwn(unknown, name)) hints = [...hints, { text: unknown[name], mends: [] }];
    this.li.classList.toggle("left-out", leftOut);
    const content = JSON.stringify(hints);
    if (this.shownHints === content) return; // a button keeps the focus
    this.shownHints = content;
    this.mends = [];
    this.hints.replaceChildren(
      ...hints.map(({ text, mends }) => {
        const hint = element("p", "hint-line");
        element("span", "", hint).textContent = text;
        for (const [mend, words] of mends) {
          const press = button("mend", words, hint);
          press.onclick = () => this.editor.act(this, { mend });
          this.mends.push(press);
        }
        return hint;
      }),
    );
  }

  /** Show what is at the playhead, where the row takes part. */
  showLive(number) {
    const { name, row, editor } = this;
    const counts = row.enabled && name && !this.li.classList.contains("left-out");
    this.live.show((counts && editor.states.get(name)) || null, counts && editor.states.size > 0, number);
  }

  draw() {
    const { feedback, views } = this.editor;
    const number = views.indexOf(this) + 1;
    const { row } = this;
    const { name } = this;
    const own = row.colour?.startsWith("#") ? row.colour : null;
    const swatch = own ?? (Object.hasOwn(feedback.colours, name) ? feedback.colours[name] : null);
    const words = row.texts.length;
    this.marks = Object.hasOwn(feedback.marks, name) ? feedback.marks[name] : null;
    this.li.classList.toggle("only", this.marks?.only ?? false);
    for (const [field, part] of [["label", this.label], ["role", this.role], ["threshold", this.threshold], ["enabled", this.on]])
      part.classList.toggle("differs", this.marks?.fields.includes(field) ?? false);
    this.difference.textContent = this.li.title = this.marks?.said ?? "";
    this.li.classList.toggle("off", !row.enabled);
    this.li.classList.toggle("worded", words > 0);
    this.li.classList.toggle("folded", words > 0 && Boolean(this.folded));
    for (const shown of [this.swatch, this.live.fill]) shown.style.setProperty("--swatch", swatch ?? "transparent");
    this.colour.title = `Colour: ${row.colour ?? "automatic"}${swatch?.startsWith("#") ? ` (${swatch})` : ""}`;
    this.label.title = row.label;
    this.count.textContent = words === 1 ? "1 phrasing" : `${words} phrasings`;
    this.count.setAttribute("aria-expanded", String(!this.folded));
    this.count.setAttribute("aria-label", `${this.count.textContent} of prompt ${number}`);
    this.count.title = this.folded ? row.texts.join("\n") : "Fold the phrasings";
    this.threshold.placeholder = feedback.uses_thresholds && feedback.threshold !== null ? figure(feedback.threshold) : "–";
    this.threshold.title = feedback.uses_thresholds
      ? "Blank: the global threshold"
      : "The decision “Best label” uses no threshold";
    const said = this.hints.childElementCount ? this.hints.id : this.troubles.label ? this.trouble.id : "";
    const described = [said, this.marks ? this.difference.id : ""].filter(Boolean).join(" ");
    if (described) this.label.setAttribute("aria-describedby", described);
    else this.label.removeAttribute("aria-describedby");
    const names = {
      move: `Move prompt ${number}: drag, or up and down; Alt with these from anywhere in the row`,
      on: `Prompt ${number} on`,
      colour: `Colour of prompt ${number}`,
      label: `Label of prompt ${number}`,
      role: `Role of prompt ${number}`,
      threshold: `Threshold of prompt ${number}`,
      remove: `Remove prompt ${number}`,
      suggest: `Suggest a threshold for prompt ${number}`,
    };
    for (const [part, text] of Object.entries(names)) this[part].setAttribute("aria-label", text);
    this.phrasings.draw(number);
    this.showLive(number);
    for (const press of this.mends ?? []) press.setAttribute("aria-label", `${press.textContent} (prompt ${number})`);
    this.remove.title = "Remove";
    this.suggest.title = "Set this row’s threshold by the ground truth, else where its scores fall into two groups";
    this.move.title = "Drag to move, or Alt with up and down";
  }
}
