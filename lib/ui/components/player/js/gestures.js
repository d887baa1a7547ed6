// Mouse and touch over the lanes.
//   drag, one finger      seek               wheel, two fingers   zoom around the pointer
//   shift or middle drag  pan                sideways wheel       pan
//   an edge of ground truth or a mark: drag it sideways with the mouse (edges.js has handles for touch)
//   a threshold's rule: drag it up or down with the mouse (thresholds.js has handles for touch)
//   overview: drag the window to pan, drag beside it to choose another one

const MOVED_PX = 4;
const SCROLLING_MS = 300;

export class Gestures {
  // area: the element over the lanes
  constructor(player, area) {
    this.player = player;
    this.area = area;
    this.pointers = new Map();
    this.drag = null;
    this.scrolled = 0;
    area.addEventListener("pointerdown", (event) => this.down(event));
    area.addEventListener("pointermove", (event) => this.move(event));
    area.addEventListener("pointerup", (event) => this.up(event));
    area.addEventListener("pointercancel", (event) => this.up(event, true));
    area.addEventListener("pointerleave", () => this.pointers.size || player.hover(null));
    area.addEventListener("dblclick", (event) => this.reset(event));
    area.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.onscroll = () => { this.scrolled = performance.now(); };
    document.addEventListener("scroll", this.onscroll, { capture: true, passive: true });
  }

  destroy() {
    document.removeEventListener("scroll", this.onscroll, { capture: true });
  }

  place(event) {
    const box = this.area.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  down(event) {
    if (event.button > 1) return;
    const { lanes, view, playback } = this.player;
    const at = this.place(event);
    this.pointers.set(event.pointerId, at);
    this.area.setPointerCapture(event.pointerId);
    if (event.button === 1) event.preventDefault();
    if (this.pointers.size === 2) {
      this.endScrub();
      this.drag = { kind: "pinch", ...this.pinch() };
      return;
    }
    if (this.pointers.size > 2) return;
    const { name, row } = lanes.at(at.y);
    const time = lanes.timeAt(at.x);
    const from = { at, name, row, moved: false };
    if (name === "overview") {
      const under = view.first + ((at.x - lanes.left) / lanes.plot) * view.duration;
      const inside = !view.whole && under >= view.start && under <= view.end;
      this.drag = { ...from, kind: inside ? "window" : "choose", under, start: view.start };
    } else if (event.shiftKey || event.button === 1) {
      this.drag = { ...from, kind: "pan", start: view.start };
    } else if (at.x < lanes.left - 2) {
      this.drag = { ...from, kind: "name" };
    } else {
      const mouse = event.pointerType === "mouse";
      const edge = mouse ? this.player.edgeAt(at) : null;
      const rule = mouse ? lanes.ruleAt(at, this.player.memory.hidden) : null;
      if (edge || rule) {
        this.drag = edge ? { ...from, kind: "edge", edge } : { ...from, kind: "threshold", rule };
        return;
      }
      // Where it was before the first click of a double one.
      if (!(event.timeStamp - this.stamp < 450)) this.before = { time: playback.time, playing: playback.playing };
      this.stamp = event.timeStamp;
      this.drag = { ...from, kind: "seek", resume: playback.playing };
      this.player.commands.seek(time);
    }
    this.player.hover(at);
  }

  move(event) {
    const at = this.place(event);
    const { drag, player } = this;
    const { lanes, view } = player;
    if (!this.pointers.has(event.pointerId)) {
      if (event.pointerType !== "touch") player.hover(at);
      return;
    }
    this.pointers.set(event.pointerId, at);
    if (!drag) return;
    if (drag.kind === "pinch") {
      const { middle, apart } = this.pinch();
      view.pan(((drag.middle - middle) / lanes.plot) * view.span);
      view.zoom(lanes.timeAt(middle), drag.apart / apart);
      Object.assign(drag, { middle, apart });
      player.viewChanged();
      return;
    }
    drag.moved ||= Math.hypot(at.x - drag.at.x, at.y - drag.at.y) > MOVED_PX;
    if (!drag.moved) return;
    const far = at.x - drag.at.x;
    if (drag.kind === "seek") {
      if (drag.resume) player.playback.video.pause();
      player.commands.seek(lanes.timeAt(at.x));
    } else if (drag.kind === "threshold") {
      player.previewThreshold(drag.rule.side, drag.rule.name, lanes.scoreAtY(drag.rule.side, at.y));
    } else if (drag.kind === "edge") {
      player.truth.move(drag.edge, lanes.timeAt(at.x), event.altKey || event.ctrlKey);
    } else if (drag.kind === "pan") {
      view.pan(drag.start - (far / lanes.plot) * view.span - view.start);
      player.viewChanged();
    } else if (drag.kind === "window") {
      view.pan(drag.start + (far / lanes.plot) * view.duration - view.start);
      player.viewChanged();
    } else if (drag.kind === "choose") {
      const under = view.first + ((at.x - lanes.left) / lanes.plot) * view.duration;
      view.show(Math.max(view.first, Math.min(drag.under, under)), Math.min(view.last, Math.max(drag.under, under)));
      player.viewChanged();
    }
    player.hover(drag.kind === "seek" ? at : null);
  }

  up(event, cancelled = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { drag, player } = this;
    if (this.pointers.size) {
      this.drag = null; // the finger that stays does not seek
      return;
    }
    this.drag = null;
    if (event.pointerType === "touch") player.hover(null);
    if (!drag || drag.kind === "pinch") return;
    this.endScrub(drag);
    if (drag.kind === "threshold" && drag.moved) player.commitThreshold();
    if (drag.kind === "edge" && drag.moved) player.truth.commit(cancelled);
    if (drag.moved || cancelled) return;
    if (drag.kind === "threshold" || drag.kind === "edge") player.commands.seek(player.lanes.timeAt(drag.at.x)); // a click
    if (drag.name === "truth" && drag.kind !== "name") player.commands.clickTruth(drag.at);
    if (drag.name === "segments") player.commands.clickSegment(drag.row, drag.kind === "name" ? null : player.lanes.timeAt(drag.at.x));
    else if (drag.name === "differences" && drag.kind === "seek") player.commands.clickDifference(player.lanes.timeAt(drag.at.x));
    else if (drag.kind === "choose" && !player.view.whole) {
      player.view.pan(drag.under - (player.view.start + player.view.end) / 2);
      player.viewChanged();
    }
  }

  endScrub(drag = this.drag) {
    if (drag?.kind === "seek" && drag.resume && drag.moved) this.player.playback.play();
  }

  pinch() {
    const [one, two] = [...this.pointers.values()];
    return { middle: (one.x + two.x) / 2, apart: Math.max(20, Math.hypot(one.x - two.x, one.y - two.y)) };
  }

  // A double click shows the whole video, and undoes the seek of its first click.
  reset(event) {
    const { player } = this;
    const { name } = player.lanes.at(this.place(event).y);
    player.view.reset();
    player.viewChanged();
    if (name === "overview" || !this.before) return;
    if (!this.before.playing) player.playback.video.pause();
    player.commands.seek(this.before.time);
  }

  wheel(event) {
    const { player } = this;
    const { view, lanes } = player;
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) {
      if (view.whole) return;
      event.preventDefault();
      view.pan(((sideways * unit) / lanes.plot) * view.span);
    } else {
      // A wheel that is scrolling the page goes on doing so, and out of the whole video leads down the page.
      if (!event.ctrlKey && performance.now() - this.scrolled < SCROLLING_MS) return;
      if (event.deltaY >= 0 && view.whole && !event.ctrlKey) return;
      event.preventDefault();
      const at = this.place(event);
      view.zoom(lanes.timeAt(Math.max(at.x, lanes.left)), 1.0016 ** (event.deltaY * unit * (event.ctrlKey ? 5 : 1)));
    }
    player.viewChanged();
    player.hover(this.place(event));
  }
}
