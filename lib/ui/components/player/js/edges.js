// Handles at the edges of the chosen segment of ground truth and at the marks: for touch and for keys. With a mouse the
// edges themselves can be dragged.

import { formatTime } from "./format.js";
import { describeHandle, makeHandle } from "./handle.js";
import { stepped } from "./snap.js";

const FINE_S = 0.01;
const SETTLE_MS = 250;
const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 };

export class EdgeHandles {
  constructor(player, area) {
    this.player = player;
    this.area = area;
    this.handles = new Map();
  }

  // Puts a handle at each edge that is seen; those that stay keep the focus.
  arrange() {
    const { lanes, view, truth, data: { presented }, memory } = this.player;
    const mark = presented ? [] : memory.mark; // an audience edits nothing
    const shown = new Map();
    const { selected } = truth;
    if (selected && !presented && lanes.lanes.truth) {
      const [start, end] = truth.endsOf(selected);
      const y = lanes.truthY({ ...selected, start, end });
      for (const side of [0, 1]) shown.set(`truth ${side}`, { segment: selected, side, time: side ? end : start, y });
    }
    mark.forEach((time, side) => { if (time !== null) shown.set(`mark ${side}`, { segment: null, side, time, y: 8 }); });
    for (const [name, handle] of this.handles) {
      if (shown.has(name)) continue;
      this.handles.delete(name);
      if (handle.matches(":focus")) this.area.focus();
      handle.remove();
    }
    for (const [name, edge] of shown) {
      if (!this.handles.has(name)) this.handles.set(name, this.make());
      const handle = this.handles.get(name);
      handle.edge = edge;
      handle.hidden = edge.time < view.start - 1e-9 || edge.time > view.end + 1e-9;
      this.show(handle, edge);
    }
  }

  show(handle, { segment, side, time, y }) {
    const { lanes, view } = this.player;
    handle.style.transform = `translate(${lanes.xOf(time).toFixed(1)}px, ${y.toFixed(1)}px)`;
    handle.style.setProperty("--colour", segment ? (segment.colour ?? "#808080") : "#C77700");
    const label = `${side ? "End" : "Start"} of ${segment ? `${segment.label} in the ground truth` : "the marked range"}`;
    describeHandle(handle, {
      label,
      title: `${label}: drag, or ← and →${segment ? "; Delete removes the segment" : ""}`,
      low: view.first.toFixed(2),
      high: view.last.toFixed(2),
      now: time.toFixed(2),
      text: formatTime(time, 2),
    });
  }

  make() {
    const { truth } = this.player;
    const handle = makeHandle(this.area, "edge", "horizontal", {
      drag: ({ clientX, altKey, ctrlKey }) => {
        const x = clientX - this.area.getBoundingClientRect().left;
        truth.move(handle.edge, this.player.lanes.timeAt(x), altKey || ctrlKey);
      },
      done: (cancelled) => this.done(cancelled),
    });
    return handle;
  }

  done(cancelled = false) {
    clearTimeout(this.committing);
    if (this.player.memory) this.player.truth.commit(cancelled);
  }

  // Runs the command of a key on a handle; returns false where the key has none.
  press({ key, shiftKey, ctrlKey, altKey, metaKey }, handle) {
    if (!handle.edge || altKey || metaKey) return false;
    const { player } = this;
    const { lanes: { scene }, truth, view } = player;
    const { segment, side } = handle.edge;
    if (key === "Delete" || key === "Backspace") {
      if (segment) return truth.remove();
      player.memory.mark[side] = null;
      player.reportSoon();
      player.redraw();
      return true;
    }
    const steps = KEYS[key];
    if (!steps) return false;
    const direction = Math.sign(steps);
    let time = segment ? truth.endsOf(segment)[side] : player.memory.mark[side];
    if (ctrlKey) time += steps * FINE_S;
    else if (shiftKey) time += steps;
    else for (let step = 0; step < Math.abs(steps); step += 1) time = stepped(scene, view, time, direction, 1 / 25);
    truth.move(handle.edge, time, true);
    if (view.reveal(Math.min(Math.max(time, view.first), view.last), 0.5)) player.viewChanged();
    clearTimeout(this.committing);
    this.committing = setTimeout(() => this.done(), SETTLE_MS);
    return true;
  }
}
