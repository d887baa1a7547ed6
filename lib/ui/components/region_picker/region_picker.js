// A picture with a selected area: drag a rectangle; a click without a drag selects the whole picture.

const SMALLEST = 0.02; // shares of the picture: less than this is a click
const STEP = 0.02;
const PAUSE_MS = 250; // after an arrow key, before it is sent to Python

const inside = (value) => Math.min(1, Math.max(0, value));

class RegionPicker {
  constructor(root) {
    this.stage = root.querySelector(".stage");
    this.image = root.querySelector("img");
    this.shade = root.querySelector(".shade");
    this.hint = root.querySelector(".hint");
    this.stage.onpointerdown = (event) => this.begin(event);
    this.stage.onpointermove = (event) => this.drag(event);
    this.stage.onpointerup = (event) => this.end(event);
    this.stage.onpointercancel = () => this.cancel();
    this.stage.onkeydown = (event) => this.key(event);
  }

  update({ data, setStateValue }) {
    this.data = data;
    this.setState = setStateValue;
    if (this.url !== data.url) this.image.src = this.url = data.url;
    this.image.alt = data.alt;
    this.stage.setAttribute("aria-label", `${data.alt}. Arrow keys move the selected area, with Shift they resize it, Escape selects the whole picture.`);
    if (this.of !== data.of) this.sequence = data.ack;
    if (!this.from && data.ack >= this.sequence) this.region = data.region;
    this.of = data.of;
    this.draw();
  }

  at(event) {
    const box = this.image.getBoundingClientRect();
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  }

  begin(event) {
    if (event.button !== 0) return;
    this.stage.setPointerCapture(event.pointerId);
    this.from = this.at(event);
    this.before = this.region;
  }

  drag(event) {
    if (!this.from) return;
    const [x, y] = this.at(event);
    const [left, top] = this.from;
    this.region = [Math.min(x, left), Math.min(y, top), Math.max(x, left), Math.max(y, top)];
    this.draw();
  }

  end(event) {
    if (!this.from) return;
    this.drag(event);
    this.from = null;
    const [left, top, right, bottom] = this.region;
    if (right - left < SMALLEST || bottom - top < SMALLEST) this.region = null;
    this.draw();
    if (this.region || this.before) this.send();
  }

  cancel() {
    this.from = null;
    this.region = this.before;
    this.draw();
  }

  key(event) {
    event.stopPropagation(); // Streamlit has shortcuts on plain letters
    const [dx, dy] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [0, 0];
    if (event.key === "Escape" && this.region) this.region = null;
    else if (dx || dy) {
      const [left, top, right, bottom] = this.region ?? [0.25, 0.25, 0.75, 0.75];
      if (event.shiftKey) {
        this.region = [left, top, inside(Math.max(left + 2 * STEP, right + dx)), inside(Math.max(top + 2 * STEP, bottom + dy))];
      } else {
        const x = Math.min(1 - right, Math.max(-left, dx));
        const y = Math.min(1 - bottom, Math.max(-top, dy));
        this.region = [left + x, top + y, right + x, bottom + y];
      }
    } else return;
    event.preventDefault();
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), PAUSE_MS);
  }

  send() {
    clearTimeout(this.timer);
    this.sequence += 1;
    const region = this.region?.map((edge) => Math.round(edge * 1e4) / 1e4) ?? null;
    this.setState("region", { of: this.of, number: this.sequence, region });
  }

  draw() {
    this.shade.hidden = !this.region;
    this.hint.textContent = this.region
      ? "Searching the selected area. Click the picture to search all of it."
      : "Drag on the picture to take a part of it.";
    if (!this.region) return;
    const [left, top, right, bottom] = this.region;
    Object.assign(this.shade.style, {
      left: `${100 * left}%`,
      top: `${100 * top}%`,
      width: `${100 * (right - left)}%`,
      height: `${100 * (bottom - top)}%`,
    });
  }
}

export default mounting(RegionPicker);
