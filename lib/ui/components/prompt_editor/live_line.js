// The second line of a row: the score at the playhead with the threshold on it, what is found, and "Suggest". The player
// tells what is at the playhead; a threshold that is dragged here goes to it, and to Python with the row.

const live = (globalThis[Symbol.for("promptreel.live")] ??= Object.assign(new EventTarget(), { states: new Map() }));
const KEYS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }; // in steps

class LiveLine {
  constructor(view) {
    this.view = view;
    this.line = element("div", "live", view.li);
    this.bar = element("span", "bar", this.line);
    this.fill = element("i", "fill", this.bar);
    this.mark = element("span", "mark", this.bar);
    this.mark.tabIndex = 0;
    this.mark.setAttribute("role", "slider");
    this.score = element("span", "score", this.line);
    this.answer = element("span", "answer", this.line);
    this.suggest = button("suggest", "Suggest", this.line);
    this.suggest.onclick = () => view.editor.act(view, { mend: "suggest" });
    this.mark.onkeydown = (event) => this.press(event);
    this.mark.onpointerdown = (event) => {
      if (event.button) return;
      this.mark.setPointerCapture(event.pointerId);
      this.mark.onpointermove = ({ clientX }) => this.state && this.change(this.scoreAt(clientX));
      this.mark.onpointerup = this.mark.onpointercancel = () => {
        this.mark.onpointermove = this.mark.onpointerup = this.mark.onpointercancel = null;
        view.editor.flush();
      };
    };
  }

  /** Show what the player says of the row's label; null: nothing. `reserved`: keep the line's place all the same. */
  show(state, reserved, number) {
    this.line.hidden = !state && !reserved;
    this.line.classList.toggle("waiting", !state);
    this.state = state;
    this.suggest.disabled = !state;
    if (!state) return;
    const { score, threshold, steps, on, present, answer, care } = state;
    this.line.classList.toggle("has", on);
    this.line.classList.toggle("absent", !present);
    this.fill.style.transform = `scaleX(${score === null ? 0 : this.share(score).toFixed(4)})`;
    put(this.score, score === null ? "" : score.toFixed(3).replace("-", "−"));
    put(this.answer, answer);
    this.answer.title = present && care ? `${answer}; ${care}` : answer;
    this.line.classList.toggle("care", Boolean(present && care));
    this.mark.hidden = threshold === null || !steps;
    if (this.mark.hidden) return;
    this.mark.style.left = `${this.share(threshold) * 100}%`;
    const says = { valuemin: steps[0], valuemax: steps[1], valuenow: threshold, valuetext: `threshold ${shownThreshold(threshold)}` };
    for (const [name, value] of Object.entries({ ...says, label: `Mark of prompt ${number}` })) {
      this.mark.setAttribute(`aria-${name}`, String(value));
    }
    this.mark.title = `Threshold ${shownThreshold(threshold)}: drag, or ← and →`;
  }

  share(value) {
    const { low, high } = this.state;
    return Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
  }

  scoreAt(clientX) {
    const { left, width } = this.bar.getBoundingClientRect();
    const { low, high } = this.state;
    return low + ((clientX - left) / width) * (high - low);
  }

  press(event) {
    const steps = event.altKey || event.ctrlKey || event.metaKey ? 0 : KEYS[event.key];
    if (!steps) return;
    event.preventDefault();
    this.change(this.state.threshold + steps * this.state.steps[2]);
  }

  /** The row's own threshold becomes `value`, at a whole step, in the table and with the next repaint in the lanes. */
  change(value) {
    const { view, state: { side, label, steps: [low, high, step] } } = this;
    const near = Math.round(Math.min(high, Math.max(low, value)) / step) * step;
    const next = Number(Math.min(high, Math.max(low, near)).toFixed(6));
    if (next === this.state.threshold && next === view.row.threshold) return;
    view.threshold.value = shownThreshold(next);
    view.say("threshold", "");
    view.set("threshold", next);
    this.state.threshold = next; // a second key may come before the player has answered
    live.dispatchEvent(new CustomEvent("threshold", { detail: { key: view.editor.data.live.key, side, label, value: next } }));
  }
}

function put(node, words) {
  if (node.textContent !== words) node.textContent = words;
}
