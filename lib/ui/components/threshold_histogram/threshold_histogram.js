// How often each score occurs, with the threshold as a rule that is dragged or moved with the arrow keys.

const PAUSE_MS = 120; // without moving, before it is sent to Python
const SVG = "http://www.w3.org/2000/svg";

const figure = (value, digits) => value.toFixed(digits).replace("-", "−");

class Threshold {
  constructor(root) {
    const find = (name) => root.querySelector(name);
    this.group = find(".threshold");
    this.value = find(".value");
    this.passing = find(".passing");
    this.automatic = find(".automatic");
    this.bars = find(".bars");
    this.rule = find(".rule");
    this.slider = find(".slider");
    this.low = find(".low");
    this.high = find(".high");
    this.about = find(".about");
    this.slider.oninput = () => this.move(Number(this.slider.value));
    this.automatic.onclick = () => this.move(this.threshold === null ? Number(this.slider.value) : null);
    for (const type of ["keydown", "keypress", "keyup"])
      this.group.addEventListener(type, (event) => event.stopPropagation());
  }

  update({ data, setStateValue }) {
    this.data = data;
    this.setState = setStateValue;
    this.low.textContent = figure(data.low, data.digits);
    this.high.textContent = figure(data.high, data.digits);
    this.about.textContent = data.about;
    this.slider.min = data.low;
    this.slider.max = data.high;
    this.slider.step = 10 ** -data.digits;
    // An answer to an older move must not pull the rule from under the pointer.
    if (this.of !== data.of) this.sequence = data.ack;
    if (data.ack >= this.sequence) this.threshold = data.threshold;
    this.of = data.of;
    this.draw();
  }

  move(value) {
    this.threshold = value === null ? null : Math.round(value * 1000) / 1000;
    this.sequence += 1;
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.setState("moved", { of: this.of, number: this.sequence, value: this.threshold });
    }, PAUSE_MS);
  }

  draw() {
    const { data, threshold } = this;
    const { counts, low, high } = data;
    const width = (high - low) / counts.length;
    const most = Math.max(1, ...counts);
    this.bars.setAttribute("viewBox", `0 0 ${counts.length} 100`);
    this.bars.replaceChildren(
      ...counts.map((number, index) => {
        const bar = document.createElementNS(SVG, "rect");
        // The square root keeps the few high-scoring samples visible beside the many others.
        const height = 100 * Math.sqrt(number / most);
        bar.setAttribute("x", index + 0.08);
        bar.setAttribute("width", 0.84);
        bar.setAttribute("y", 100 - height);
        bar.setAttribute("height", height);
        if (threshold !== null && low + (index + 0.5) * width >= threshold) bar.classList.add("in");
        return bar;
      }),
    );
    const unset = threshold === null;
    this.group.classList.toggle("unset", unset);
    this.rule.hidden = unset;
    const position = unset ? data.suggestion : threshold;
    this.slider.value = String(position);
    this.slider.setAttribute("aria-valuetext", unset ? "automatic" : figure(threshold, data.digits));
    const share = Math.min(1, Math.max(0, (position - low) / (high - low || 1)));
    this.rule.style.left = `${100 * share}%`;
    this.value.textContent = unset ? "automatic" : figure(threshold, data.digits);
    this.passing.textContent = unset ? "" : this.above(threshold);
    this.automatic.setAttribute("aria-pressed", String(unset));
  }

  /** The number of samples that pass, as text; a bin that the threshold divides counts by the part above it. */
  above(threshold) {
    const { counts, low, high, estimated } = this.data;
    const width = (high - low) / counts.length;
    const passing = counts.reduce((sum, number, index) => {
      const top = low + (index + 1) * width;
      return sum + number * Math.min(1, Math.max(0, (top - threshold) / width));
    }, 0);
    const rounded = Math.round(passing);
    const words = rounded === 1 ? "1 sample" : `${rounded.toLocaleString("en")} samples`;
    return `about ${words}${estimated ? ", estimated" : ""}`;
  }
}

export default mounting(Threshold);
