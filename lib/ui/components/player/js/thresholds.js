// Handles at the end of each threshold's rule: for touch and for keys. With a mouse the rule itself can be dragged.

import { describeHandle, makeHandle } from "./handle.js";

const PAGE = 10; // steps
const KEYS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: PAGE, PageDown: -PAGE };

export function rounded(value, [low, high, step]) {
  const near = Math.round(Math.min(high, Math.max(low, value)) / step) * step;
  return Number(Math.min(high, Math.max(low, near)).toFixed(6));
}

export class ThresholdHandles {
  // player: previewThreshold(side, label, value), commitThreshold(), lanes
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
        const key = JSON.stringify([side.name, rule.name]);
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
    const title = `${side.name ? `${side.name}: ` : ""}${whose}: drag, or ↑ and ↓`;
    const label = side.name ? `${whose} on side ${side.name}` : whose;
    describeHandle(handle, { label, title, low, high, now: rule.value, text: String(rule.value) });
  }

  make() {
    const handle = makeHandle(this.area, "threshold", "vertical", {
      drag: ({ clientY }) => this.drag(handle, clientY),
      done: () => this.player.commitThreshold(),
    });
    return handle;
  }

  drag({ side, rule }, clientY) {
    const { player } = this;
    const y = clientY - this.area.getBoundingClientRect().top;
    player.previewThreshold(side, rule.name, player.lanes.scoreAtY(side, y));
  }

  // Runs the command of a key on a handle; returns false where the key has none.
  press(event) {
    const [handle] = event.composedPath();
    if (!handle.classList?.contains("threshold")) return false;
    const { side, rule } = handle;
    const steps = KEYS[event.key];
    if (!steps) return false;
    const value = this.player.previewOf(side, rule.name)?.value ?? rule.value; // the key before may not be drawn yet
    this.player.previewThreshold(side, rule.name, value + steps * side.thresholds[2]);
    this.player.commitSoon();
    return true;
  }
}
