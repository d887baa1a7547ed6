// Handles at the end of each threshold's rule: for touch and for keys. With a mouse the rule itself can be dragged.

const PAGE = 10; // steps
const KEYS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: PAGE, PageDown: -PAGE };

export function rounded(value, [low, high, step]) {
  const near = Math.round(Math.min(high, Math.max(low, value)) / step) * step;
  return Number(Math.min(high, Math.max(low, near)).toFixed(6));
}

export class ThresholdHandles {
  // player: preview(side, row, value), commit(), lanes
  constructor(player, area) {
    this.player = player;
    this.area = area;
    this.handles = new Map();
  }

  // Puts a handle at the end of each rule that can be dragged; those that stay keep the focus.
  arrange(hidden) {
    const { lanes } = this.player;
    const before = this.handles;
    this.handles = new Map();
    for (const side of lanes.scene?.sides ?? []) {
      if (!side.thresholds || !lanes.lanes[`scores${side.name}`]) continue;
      for (const rule of lanes.shownRules(side, hidden)) {
        const key = `${side.name} ${rule.row}`;
        const handle = before.get(key) ?? this.make();
        before.delete(key);
        this.handles.set(key, handle);
        this.show(handle, side, rule);
      }
    }
    for (const handle of before.values()) handle.remove();
  }

  show(handle, side, rule) {
    const { lanes } = this.player;
    Object.assign(handle, { side, rule });
    const lane = lanes.lanes[`scores${side.name}`];
    const y = Math.min(lane.y + lane.height, Math.max(lane.y, lanes.scoreY(side, rule.value)));
    handle.style.transform = `translate(${lanes.left + lanes.plot}px, ${y.toFixed(1)}px)`;
    handle.style.setProperty("--colour", rule.colour);
    const [low, high] = side.thresholds;
    const whose = rule.row === null ? "Shared threshold" : `Threshold of ${rule.name}`;
    handle.title = `${side.name ? `${side.name}: ` : ""}${whose}: drag, or ↑ and ↓`;
    handle.setAttribute("aria-label", side.name ? `${whose} on side ${side.name}` : whose);
    handle.setAttribute("aria-valuemin", low);
    handle.setAttribute("aria-valuemax", high);
    handle.setAttribute("aria-valuenow", rule.value);
    handle.setAttribute("aria-valuetext", String(rule.value));
  }

  make() {
    const handle = document.createElement("div");
    handle.className = "threshold";
    handle.tabIndex = 0;
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-orientation", "vertical");
    handle.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.stopPropagation();
      handle.setPointerCapture(event.pointerId);
      handle.dragged = true;
    });
    handle.addEventListener("pointermove", (event) => {
      event.stopPropagation();
      if (handle.dragged) this.drag(handle, event.clientY);
    });
    for (const type of ["pointerup", "pointercancel"]) {
      handle.addEventListener(type, (event) => {
        event.stopPropagation();
        handle.dragged = false;
        this.player.commitThreshold();
      });
    }
    handle.addEventListener("dblclick", (event) => event.stopPropagation());
    handle.addEventListener("blur", () => this.player.commitThreshold());
    this.area.append(handle);
    return handle;
  }

  drag({ side, rule }, clientY) {
    const { player } = this;
    const y = clientY - this.area.getBoundingClientRect().top;
    player.previewThreshold(side, rule.row, player.lanes.scoreAtY(side, y));
  }

  // Runs the command of a key on a handle; returns false where the key has none.
  press(event) {
    const [handle] = event.composedPath();
    if (!handle.classList?.contains("threshold")) return false;
    const { side, rule } = handle;
    const steps = KEYS[event.key];
    if (!steps) return false;
    const { preview } = this.player;
    const same = preview && preview.side === side.name && preview.row === rule.row;
    const value = same ? preview.value : rule.value; // the key before may not be drawn yet
    this.player.previewThreshold(side, rule.row, value + steps * side.thresholds[2]);
    this.player.commitSoon();
    return true;
  }
}
