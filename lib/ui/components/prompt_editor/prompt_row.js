// One row of the prompt table, and the form in which rows are sent. Prepended to prompt_editor.js.

let rowCount = 0;

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
const cut = (text, length) => Array.from(text).slice(0, length).join(""); // by characters, as Python counts
const shownThreshold = (value) => String(Number(value.toFixed(6)));

// Phrasings in one line: a ; separates, and one within a phrasing is written \; (and a \ before it, or at the end, \\).
const joinTexts = (texts) => texts.map((text) => text.replace(/\\(?=[\\;]|$)|;/g, "\\$&")).join("; ");
const splitTexts = (line) =>
  (line.match(/(?:\\[\\;]|[^;])+/g) ?? []).map((text) => text.trim().replace(/\\([\\;])/g, "$1")).filter(Boolean);
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
    this.label.onpaste = (event) => this.paste(event);
    this.texts = this.field("texts", joinTexts(row.texts), () => this.readTexts());
    this.texts.placeholder = "same as label";
    this.role = element("select", "role", this.li);
    option(this.role, "target", "target");
    option(this.role, "background", "background");
    this.role.value = row.role;
    this.role.onchange = () => this.set("role", this.role.value, true);
    this.threshold = this.field("threshold", row.threshold === null ? "" : shownThreshold(row.threshold), () =>
      this.readThreshold(),
    );
    this.threshold.inputMode = "decimal";
    this.remove = element("button", "remove icon-button", this.li);
    this.remove.type = "button";
    this.remove.textContent = "×";
    this.remove.onclick = () => editor.removeRow(this);
    this.trouble = element("p", "trouble", this.li);
    this.trouble.id = `trouble-${++rowCount}`;
    this.trouble.hidden = true;
    this.troubles = { label: "", texts: "", threshold: "" };
    this.unknown = element("p", "unknown", this.li);
    this.unknown.id = `unknown-${rowCount}`;
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

  set(name, value, now = false) {
    this.row[name] = value;
    this.editor.changed(now);
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

  readTexts() {
    const { max_label, max_texts } = this.editor.data;
    const typed = splitTexts(this.texts.value);
    const different = [...new Set(typed)];
    const long = different.map((text) => Array.from(text).length).filter((length) => length > max_label);
    const troubles = long.map(
      (length) => `A phrasing has at most ${max_label} characters: the last ${length - max_label} of ${length} are not used.`,
    );
    if (different.length < typed.length) troubles.push("A phrasing that is there twice counts once.");
    if (different.length > max_texts)
      troubles.push(`A prompt has at most ${max_texts} phrasings: the last ${different.length - max_texts} are not used.`);
    this.say("texts", troubles.join(" "));
    this.set("texts", different.slice(0, max_texts).map((text) => cut(text, max_label)));
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

  paste(event) {
    const lines = event.clipboardData.getData("text/plain").split(/\r\n?|\n/).map(oneLine).filter(Boolean);
    if (lines.length < 2) return; // the browser pastes it, and can undo it
    event.preventDefault();
    const input = this.label;
    input.setRangeText(lines.shift(), input.selectionStart, input.selectionEnd, "end");
    this.readLabel();
    this.editor.insertLabels(this, lines);
  }

  draw() {
    const { feedback, views } = this.editor;
    const number = views.indexOf(this) + 1;
    const { row } = this;
    const name = oneLine(row.label) || row.texts[0] || "";
    const hex = row.colour?.startsWith("#") ? row.colour : Object.hasOwn(feedback.colours, name) ? feedback.colours[name] : null;
    this.li.classList.toggle("off", !row.enabled);
    this.swatch.style.setProperty("--swatch", hex ?? "transparent");
    this.colour.title = `Colour: ${row.colour ?? "automatic"}${hex ? ` (${hex})` : ""}`;
    this.label.title = row.label;
    this.texts.title = (row.texts.length ? row.texts : [row.label]).join("\n") || "Other wordings, separated by ; (a ; within one: \\;)";
    this.threshold.placeholder = feedback.uses_thresholds && feedback.threshold !== null ? figure(feedback.threshold) : "–";
    this.threshold.title = feedback.uses_thresholds
      ? "Blank: the global threshold"
      : "The decision “Best label” uses no threshold";
    const leftOut = feedback.left_out?.[number - 1];
    const words = leftOut ? `Left out: ${leftOut}` : Object.hasOwn(feedback.unknown, name) ? feedback.unknown[name] : "";
    this.li.classList.toggle("left-out", Boolean(leftOut));
    this.unknown.hidden = !words;
    this.unknown.textContent = words;
    const described = words ? this.unknown.id : this.troubles.label ? this.trouble.id : "";
    if (described) this.label.setAttribute("aria-describedby", described);
    else this.label.removeAttribute("aria-describedby");
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
