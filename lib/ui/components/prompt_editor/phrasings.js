// The phrasings of one row: a chip for each, edited in place, and a field that adds some. Prepended to prompt_row.js.

const SEPARATORS = /[,;\n\t，；、،؛]/;
const ALL_SEPARATORS = new RegExp(SEPARATORS, "g");

/** A text field that is as large as its text, with all of it visible. */
function growing(className, parent) {
  const box = element("span", `grow ${className}`, parent);
  const field = element("textarea", "", box);
  field.rows = 1;
  field.autocomplete = "off";
  field.spellcheck = false;
  field.dir = "auto";
  field.fit = () => (box.dataset.text = field.value || field.placeholder);
  // Runs of words, each with whether it is to be marked, behind the text that they are; null for none.
  field.mark = (runs) => {
    const shown = JSON.stringify(runs);
    if (field.marked === shown) return;
    field.marked = shown;
    box.querySelector(".runs")?.remove();
    if (!runs) return;
    const behind = element("span", "runs", box);
    behind.setAttribute("aria-hidden", "true");
    behind.append(...runs.flatMap(([words, differs], index) => [index ? " " : "", Object.assign(document.createElement(differs ? "mark" : "span"), { textContent: words })]));
  };
  return field;
}

class Phrasings {
  constructor(row, parent) {
    this.row = row; // the RowView
    this.box = element("div", "texts", parent);
    this.chips = [];
    this.field = growing("more", this.box);
    this.field.oninput = (event) => this.typed(event);
    this.field.onkeydown = (event) => this.key(event);
    this.field.onpaste = (event) => this.paste(event, this.field);
    this.field.onblur = () => {
      this.commit();
      row.editor.flush();
    };
    for (const text of row.row.texts) this.add(text);
  }

  /** All phrasings as they are used: without blanks and doubles; what is still being typed is the last. */
  get texts() {
    const typed = [...this.chips.map(({ field }) => field.value), this.field.value].map(oneLine).filter(Boolean);
    return [...new Set(typed)];
  }

  add(text, before = null) {
    const chip = element("span", "chip");
    const field = growing("chip-text", chip);
    field.value = text;
    const remove = element("button", "chip-remove icon-button", chip);
    remove.type = "button";
    remove.textContent = "×";
    const made = { chip, field, remove };
    remove.onclick = () => this.remove(made);
    field.onfocus = () => (field.before = field.value);
    field.oninput = () => {
      field.fit();
      this.changed();
    };
    field.onblur = () => {
      if (!oneLine(field.value)) this.remove(made, false);
      this.row.editor.flush();
    };
    field.onkeydown = (event) => this.keyInChip(event, made);
    field.onpaste = (event) => this.paste(event, field, made);
    field.fit();
    this.box.insertBefore(chip, before ?? this.field.parentElement);
    this.chips.splice(before ? this.chips.findIndex(({ chip: one }) => one === before) : this.chips.length, 0, made);
    return made;
  }

  remove(made, focus = true) {
    const index = this.chips.indexOf(made);
    if (index < 0) return;
    this.chips.splice(index, 1);
    if (focus) (this.chips[index]?.remove ?? this.field).focus();
    made.chip.remove();
    this.changed(focus);
    if (focus) this.row.editor.say(`Phrasing “${made.field.value}” removed`);
  }

  /** Make a chip of what the field holds; a phrasing that is there already is said. */
  commit() {
    const text = oneLine(this.field.value);
    if (!text) return false;
    this.field.value = "";
    this.take([text]);
    return true;
  }

  take(texts, before = null) {
    for (const text of texts.map(oneLine).filter(Boolean)) {
      if (this.chips.some(({ field }) => field.value === text)) this.row.editor.say(`“${text}” is there already.`);
      else this.add(text, before);
    }
    this.changed();
  }

  changed(now = false) {
    this.field.fit();
    this.row.readTexts(now);
  }

  /** A separator that is typed ends a phrasing; one that is pasted within a line stays part of it. */
  typed(event) {
    const { field } = this;
    const data = event.inputType === "insertFromPaste" || event.isComposing ? "" : (event.data ?? "");
    if (!SEPARATORS.test(data)) return this.changed();
    const end = field.selectionStart;
    const parts = data.split(ALL_SEPARATORS);
    const first = field.value.slice(0, end - data.length) + parts.shift();
    const last = parts.pop() + field.value.slice(end);
    field.value = last.trimStart();
    this.take([first, ...parts]);
  }

  key(event) {
    const { field } = this;
    if (event.isComposing) return;
    const last = this.chips.at(-1);
    if (event.key === "Enter") {
      event.preventDefault();
      const added = this.commit();
      this.row.editor.flush();
      if (!added) this.row.editor.goBelow(this.row, "texts");
    } else if (event.key === "Escape" && field.value) {
      event.preventDefault();
      field.value = "";
      this.changed(true);
    } else if ((event.key === "Backspace" || event.key === "ArrowLeft") && !field.value && last) {
      event.preventDefault();
      last.field.focus();
      last.field.setSelectionRange(last.field.value.length, last.field.value.length);
    }
  }

  keyInChip(event, made) {
    const { field } = made;
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.field.focus();
    } else if (event.key === "Escape" && field.value !== field.before) {
      event.preventDefault();
      field.value = field.before;
      field.fit();
      this.changed(true);
    } else if ((event.key === "Backspace" || event.key === "Delete") && !field.value) {
      event.preventDefault();
      this.remove(made);
    }
  }

  /** Several pasted lines are as many phrasings. */
  paste(event, field, made = null) {
    const lines = event.clipboardData.getData("text/plain").split(/[\r\n\t]+/).map(oneLine).filter(Boolean);
    if (lines.length < 2) return; // the browser pastes it, and can undo it
    event.preventDefault();
    field.setRangeText(lines.shift(), field.selectionStart, field.selectionEnd, "end");
    if (made) field.fit();
    else this.commit();
    this.take(lines, made?.chip.nextSibling);
  }

  /** Name everything for screen readers; the field says what counts while there is no phrasing. */
  draw(number) {
    const { label } = this.row.row;
    this.field.setAttribute("aria-label", `Phrasings of prompt ${number}`);
    this.field.placeholder = this.chips.length ? "add a phrasing" : "same as label";
    this.field.title = this.chips.length ? "" : `Other wordings of “${oneLine(label)}”; Enter, comma or ; ends each`;
    this.field.fit();
    const texts = this.row.marks?.texts ?? {};
    const runsOf = (text) => (Object.hasOwn(texts, text) ? texts[text] : null);
    const alone = !this.chips.length && !this.field.value && runsOf(oneLine(label));
    this.field.mark(alone ? [[this.field.placeholder, true]] : null);
    this.chips.forEach(({ field, remove }, index) => {
      field.mark(field.value === oneLine(field.value) ? runsOf(field.value) : null);
      field.setAttribute("aria-label", `Phrasing ${index + 1} of prompt ${number}`);
      remove.setAttribute("aria-label", `Remove phrasing ${index + 1} of prompt ${number}`);
      remove.title = "Remove";
    });
  }
}
