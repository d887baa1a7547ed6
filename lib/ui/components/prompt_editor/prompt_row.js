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
    this.label = this.field("label", row.label, () => this.set("label", this.label.value));
    this.label.placeholder = "label";
    this.label.onpaste = (event) => this.paste(event);
    this.texts = this.field("texts", row.texts.join("; "), () => {
      const texts = this.texts.value.split(";").map((text) => text.trim().slice(0, editor.data.max_label));
      this.set("texts", [...new Set(texts.filter(Boolean))]);
    });
    this.texts.removeAttribute("maxlength"); // the limit is for each phrasing
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
    this.remove = element("button", "remove icon-button", this.li);
    this.remove.type = "button";
    this.remove.textContent = "×";
    this.remove.onclick = () => editor.removeRow(this);
    this.trouble = element("p", "trouble", this.li);
    this.trouble.id = `trouble-${++rowCount}`;
    this.trouble.hidden = true;
    this.unknown = element("p", "unknown", this.li);
    this.unknown.id = `unknown-${rowCount}`;
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
    input.onblur = () => this.editor.flush();
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
    const [low, high] = this.editor.feedback.thresholds;
    const bad = value !== null && !(value >= low && value <= high); // also when it is no number
    this.trouble.hidden = !bad;
    this.trouble.textContent = bad ? `Not used: enter ${figure(low)} to ${figure(high)}, or leave it blank.` : "";
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
      this.editor.flush();
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
    if (lines.length < 2) return; // the browser pastes it, and can undo it
    event.preventDefault();
    const input = this.label;
    input.setRangeText(lines.shift(), input.selectionStart, input.selectionEnd, "end");
    input.value = this.row.label = input.value.slice(0, this.editor.data.max_label);
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
    this.texts.title = (row.texts.length ? row.texts : [row.label]).join("\n") || "Other wordings, separated by ;";
    this.threshold.placeholder = feedback.uses_thresholds && feedback.threshold !== null ? figure(feedback.threshold) : "–";
    this.threshold.title = feedback.uses_thresholds
      ? "Blank: the global threshold"
      : "The decision “Best label” uses no threshold";
    const words = Object.hasOwn(feedback.unknown, name) ? feedback.unknown[name] : "";
    this.unknown.hidden = !words;
    this.unknown.textContent = words;
    if (words) this.label.setAttribute("aria-describedby", this.unknown.id);
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
