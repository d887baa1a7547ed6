// Ctrl+Z, Ctrl+Shift+Z and Ctrl+Y (and with Cmd) for the whole page. A text field that is being typed into
// keeps them for the browser's own undo of typing; anywhere else that would take back, unseen, what was typed in
// another field.

const KEPT = 100; // presses that are sent, as two may come within one run
const NO_TEXT = new Set(["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit"]);

/** Return the text field that an event belongs to; null where there is none that can be typed into. */
function textField(event) {
  const target = event.composedPath()[0];
  if (target instanceof HTMLInputElement) return NO_TEXT.has(target.type) || target.readOnly ? null : target;
  return target instanceof HTMLTextAreaElement || target?.isContentEditable ? target : null;
}

const contentOf = (field) => field.value ?? field.textContent;

/** Return what the keys of an event ask for: "undo", "redo" or null. */
function wish({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  if (!(ctrlKey || metaKey) || altKey) return null;
  if (key.toLowerCase() === "z") return shiftKey ? "redo" : "undo";
  return key.toLowerCase() === "y" && ctrlKey && !shiftKey ? "redo" : null;
}

class UndoKeys {
  constructor(root) {
    this.said = root.querySelector(".said");
    this.id = String(Math.random());
    this.presses = [];
    this.typing = null; // the field that is being typed into, and what was in it before
    this.listeners = new AbortController();
    const listen = (type, act) =>
      document.addEventListener(type, (event) => act(event, textField(event)), { capture: true, signal: this.listeners.signal });
    // Not the focus: its events don't leave a component when it moves within.
    const left = (_, field) => {
      if (field !== this.typing?.field) this.typing = null;
    };
    listen("pointerdown", left);
    listen("keydown", left);
    listen("keydown", (event, field) => this.pressed(event, field));
    listen("beforeinput", ({ inputType }, field) => {
      if (field && field !== this.typing?.field && !inputType.startsWith("history")) this.typing = { field, before: contentOf(field) };
    });
  }

  update({ data, setStateValue }) {
    this.setState = setStateValue;
    if (this.said.textContent !== data.said) this.said.textContent = data.said;
  }

  pressed(event, field) {
    const name = wish(event);
    if (!name || (field && this.browserHas(name, field))) return;
    event.preventDefault();
    event.stopPropagation();
    this.presses = [...this.presses, name];
    this.setState("presses", { id: this.id, count: this.presses.length, last: this.presses.slice(-KEPT) });
  }

  /** Whether the browser has typing of this field to undo or redo. */
  browserHas(name, field) {
    return field === this.typing?.field && (name === "redo" || contentOf(field) !== this.typing.before);
  }

  destroy() {
    this.listeners.abort();
  }
}

export default mounting(UndoKeys);
