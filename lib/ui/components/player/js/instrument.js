// The player and its lanes. Python sends data (see lib/ui/components/player/__init__.py) and gets a "report"
// {time_s, src, problem, mark, label} when a person has paused, marked or chosen something; none while the video plays.

import { Commands } from "./commands.js";
import { EdgeHandles } from "./edges.js";
import { Edits } from "./edits.js";
import { Film } from "./film.js";
import { Gestures } from "./gestures.js";
import { isForPlayer, press } from "./keys.js";
import { Lanes } from "./lanes.js";
import { Painting } from "./painting.js";
import { Playback } from "./playback.js";
import { Readout, Tip } from "./readout.js";
import { buildScene } from "./scene.js";
import { rounded, ThresholdHandles } from "./thresholds.js";
import { TruthEditing } from "./truth.js";
import { View } from "./view.js";

const SAME_S = 0.02; // closer than this is the position that was reported
const SETTLE_MS = 250;
const ANSWER_MS = 5000; // after this a threshold that Python doesn't take over is no longer shown
const READOUT_EVERY_MS = 67; // read-out and prompt table while playing; the playhead itself moves with every repaint
const SPOKEN_EVERY_MS = 1000; // the slider value that screen readers get
const MOVING_MS = 150; // the view counts as moving for so long after a change
const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4];

// What outlives a page switch, which unmounts the component: one entry per player, for as long as the tab lives.
const memories = (globalThis[Symbol.for("promptreel.players")] ??= new Map());
const newMemory = () => ({ src: null, time: 0, seek: null, window: null, view: null, chosen: null, hidden: new Set(),
  mark: [null, null], loop: false, muted: false, rate: 1, sees: true });

// Where the prompt table hears what is at the playhead ("state") and which threshold a label was given here ("rule"), and
// says which one is dragged in it ("threshold").
const live = (globalThis[Symbol.for("promptreel.live")] ??= Object.assign(new EventTarget(), { states: new Map() }));

class Player {
  // elements: the one element that is the player, or its two parts (see `mount`)
  constructor(elements) {
    const find = (selector) => elements.map((element) => element.querySelector(selector)).find(Boolean);
    this.elements = elements;
    this.area = find(".lanes");
    this.head = find(".head");
    this.mini = find(".mini"); // the playhead in the strip of the whole video
    this.ghost = find(".ghost"); // where the pointer is
    this.buttons = find(".transport");
    this.sheet = find(".sheet");
    this.announcements = find(".announcements"); // read out by screen readers
    this.commands = new Commands(this);
    this.view = new View();
    this.film = new Film(() => this.redraw());
    this.lanes = new Lanes(find("canvas"), this.view, this.film);
    this.playback = new Playback(find, {
      moved: () => this.tick(),
      rested: () => this.rested(),
      state: () => this.showPlayState(),
      loaded: () => this.loaded(),
      failed: () => this.report(),
    });
    this.readout = new Readout(find, this.commands);
    this.tip = new Tip(find(".tip"), this.film);
    this.gestures = new Gestures(this, this.area);
    this.thresholds = new ThresholdHandles(this, this.area);
    this.edits = new Edits(this);
    this.truth = new TruthEditing(this);
    this.edges = new EdgeHandles(this, this.area);
    this.painting = new Painting(this);
    this.previews = new Map(); // key -> {side, label, value, sent, number}: thresholds that Python hasn't answered yet
    this.reported = { time: 0, problem: null, selection: null }; // what Python has
    this.createdAt = Date.now();
    this.reports = 0;
    this.listen();
  }

  listen() {
    const { commands } = this;
    for (const element of this.elements) {
      element.addEventListener("keydown", (event) => {
        if (!press(this, event)) {
          this.flush();
          return;
        }
        event.preventDefault();
        event.stopPropagation();
      }, true); // before the page's own shortcuts
    }
    this.leaving = new AbortController();
    window.addEventListener("resize", () => this.resized(), { signal: this.leaving.signal });
    window.addEventListener("blur", () => this.painting.stop(), { signal: this.leaving.signal });
    const released = { capture: true, signal: this.leaving.signal };
    document.addEventListener("keyup", (event) => this.painting.release(event), released);
    for (const kind of ["keydown", "pointerdown"]) {
      document.addEventListener(kind, (event) => {
        const path = event.composedPath();
        if (this.elements.some((element) => path.includes(element))) return;
        if (kind === "keydown" && isForPlayer(event, this) && press(this, event)) {
          event.preventDefault();
          event.stopPropagation();
        }
        this.flush();
      }, { capture: true, signal: this.leaving.signal });
    }
    live.addEventListener("threshold", ({ detail }) => this.draggedElsewhere(detail), { signal: this.leaving.signal });
    this.area.addEventListener("blur", () => this.hover(null));
    this.sliders = new MutationObserver((changes) => changes.forEach(({ target }) => this.slid(target)));
    this.sliders.observe(document.body, { subtree: true, attributes: true, attributeFilter: ["aria-valuetext"] });
    const actions = {
      play: () => this.playback.toggle(),
      previous: () => commands.step(-1),
      next: () => commands.step(1),
      loop: () => commands.toggleLoop(),
      mute: () => commands.toggleSound(),
      sees: () => commands.toggleSees(),
      fit: () => commands.showAll(),
      full: () => commands.toggleFullScreen(),
      help: () => commands.help(),
      unmark: () => commands.clearMark(),
      earlier: () => commands.toDifference(-1),
      later: () => commands.toDifference(1),
    };
    for (const element of this.elements) {
      element.addEventListener("click", (event) => {
        const action = event.target.closest?.("[data-do]")?.dataset.do;
        if (action === "close") this.sheet.close();
        else actions[action]?.();
      });
    }
    this.speed = this.buttons.querySelector("select");
    this.speed.replaceChildren(...SPEEDS.map((rate) => new Option(`${rate}×`, rate, rate === 1, rate === 1)));
    this.speed.onchange = () => { this.playback.video.playbackRate = Number(this.speed.value); };
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.area);
    const [screen] = this.elements;
    screen.addEventListener("fullscreenchange", () => this.toScreen(screen.matches(":fullscreen")));
  }

  // Full screen shows the lanes with the video, also where they are a part of their own.
  toScreen(full) {
    const home = full ? this.elements[0] : this.elements.at(-1);
    const stage = home.querySelector(".stage");
    if (stage) stage.after(this.area);
    else home.append(this.area);
    this.arrangeFor();
  }

  // For whom the lanes are: an audience sees large text, and little of it.
  arrangeFor() {
    this.lanes.large = Boolean(this.data.presented) || this.elements[0].matches(":fullscreen");
    for (const element of this.elements) element.classList.toggle("presented", Boolean(this.data.presented));
    this.resized();
  }

  update({ data, setStateValue }) {
    for (const element of this.elements) element.style.setProperty("--aspect", data.aspect);
    this.data = data;
    if (data.presented) this.truth.selected = null;
    this.arrangeFor();
    this.setState = setStateValue;
    this.memory = memories.get(data.key) ?? newMemory();
    memories.set(data.key, this.memory);
    if (data.src !== null && data.src !== this.memory.src) {
      if (this.memory.src !== null) Object.assign(this.memory, { ...newMemory(), seek: this.memory.seek, sees: this.memory.sees });
      this.memory.src = data.src;
    }
    this.reported.selection ??= JSON.stringify(this.selection);
    const otherVideo = data.src !== null && data.src !== this.playback.src;
    this.playback.update(data, this.memory);
    if (otherVideo) this.reported.time = this.memory.time;
    this.setDuration();
    this.restoreView();
    const { seek } = data;
    if (seek && this.playback.src && seek.id !== this.memory.seek) {
      this.memory.seek = seek.id;
      this.playback.span = null;
      this.playback.jump(seek.t);
      this.reported.time = this.memory.time;
      this.view.reveal(this.memory.time, 0.5);
    }
    this.playback.show();
    this.showSees();
    this.setScene(data.lanes, data.done);
    this.redraw();
  }

  setDuration() {
    const { first, end: last } = this.data.lanes ?? { first: this.playback.first, end: this.data.end ?? this.playback.end };
    if (last > first && (first !== this.view.first || last !== this.view.last)) this.view.resize(first, last);
  }

  // A range brushed in the charts is the zoom; else the one from before the page switch.
  restoreView() {
    const { memory, data, view } = this;
    const window = JSON.stringify(data.window ?? null);
    if (memory.window !== null && window !== memory.window) {
      if (data.window) view.show(...data.window);
      else view.reset();
    } else if (memory.window === null && data.window) view.show(...data.window);
    else if (memory.view && !this.restored) view.show(...memory.view);
    this.restored = true;
    memory.window = window;
    memory.view = view.whole ? null : [view.start, view.end];
  }

  // `done`: which edits of ground truth are in these lanes.
  async setScene(lanes, done) {
    const request = (this.request = (this.request ?? 0) + 1);
    let scene = null;
    try {
      scene = lanes && (await buildScene(lanes));
    } catch (error) {
      console.warn(`promptreel: ${error.message}`); // the lanes stay as they were
      return;
    }
    if (request !== this.request || !this.memory) return; // newer lanes came first
    this.received = scene;
    this.edits.drawn(done ?? []);
    this.truth.answered();
    for (const [key, preview] of this.previews) if (!scene || this.isAnswered(scene, preview)) this.previews.delete(key);
    this.showScene();
  }

  // What Python sent, with the thresholds that were dragged since.
  showScene() {
    let decided = this.received;
    for (const { side, label, value } of this.previews.values()) decided = decided.withThreshold(side, label, value);
    const scene = decided && decided.withTruth(this.truth.shown(decided.truth));
    this.lanes.scene = scene;
    this.truth.check();
    this.row = scene ? Math.max(0, scene.labels.findIndex(({ id }) => id === this.memory.chosen)) : 0;
    this.readout.build(scene, this.data.presented);
    this.readout.showDifferences(scene);
    this.resized(true);
    this.paint(); // now: a repaint later, what is dragged would lag behind the pointer
  }

  // The lanes with the ground truth as it is edited.
  showTruth() {
    if (!this.memory || !this.received) return;
    const { lanes } = this;
    const rows = lanes.scene.truthRows.length;
    lanes.scene = lanes.scene.withTruth(this.truth.shown(this.received.truth));
    this.truth.check();
    if (lanes.scene.truthRows.length === rows) this.redraw();
    else this.resized(true);
  }

  edgeAt(at) {
    return this.data.presented ? null : this.lanes.edgeAt(at, this.memory.mark, this.truth.selected);
  }

  previewOf(side, label) {
    return this.previews.get(JSON.stringify([side.name, label]));
  }

  // The threshold of a label of `side`, or the one that its labels share (null), while it is dragged. Returns the preview.
  previewThreshold(side, label, value, near = rounded(value, side.thresholds)) {
    const known = this.previewOf(side, label);
    if (known?.value === near) return known;
    const preview = { side: side.name, label, value: near, sent: null, number: null };
    this.previews.delete(JSON.stringify([side.name, label]));
    this.commitThreshold(); // of another one
    this.previews.set(JSON.stringify([side.name, label]), preview);
    this.previewing ??= requestAnimationFrame(() => {
      this.previewing = null;
      if (this.memory && this.received) this.showScene();
    });
    return preview;
  }

  // A threshold that is dragged in the prompt table, which sends it to Python itself.
  draggedElsewhere({ key, side: name, label, value }) {
    const side = key === this.data?.key && this.received?.sides.find((one) => one.name === name);
    if (!side?.thresholds || !side.labels.some((one) => one.name === label)) return;
    this.previewThreshold(side, label, value).sent = performance.now();
  }

  // The shared threshold is changed with its slider on the page, which sends it to Python itself.
  slid(slider) {
    const side = this.received?.sides.find(({ thresholds }) => thresholds?.[3] && slider.closest(`.${thresholds[3]}`));
    const value = Number(slider.value);
    if (!side || side.shared === null || (!this.previewOf(side, null) && Math.abs(value - side.shared) < 1e-9)) return;
    this.previewThreshold(side, null, value, value).sent = performance.now();
  }

  // Whether Python has taken over a threshold that was let go of, or doesn't.
  isAnswered(scene, { side, label, value, sent, number }) {
    const of = scene.sides.find(({ name }) => name === side);
    if (!of || (label !== null && !of.labels.some(({ name }) => name === label))) return true; // it is no longer there
    if (!sent) return false;
    if (number !== null) return number <= this.edits.answered;
    const same = of.rules.some((rule) => rule.name === label && Math.abs(rule.value - value) < 1e-9);
    return same || performance.now() - sent > ANSWER_MS;
  }

  commitSoon() {
    clearTimeout(this.committing);
    this.committing = setTimeout(() => this.commitThreshold(), SETTLE_MS);
  }

  commitThreshold() {
    clearTimeout(this.committing);
    for (const preview of this.previews.values()) {
      if (preview.sent) continue;
      const { side, label, value } = preview;
      preview.sent = performance.now();
      const detail = { key: this.data.key, side, label, value };
      const taken = label !== null && !live.dispatchEvent(new CustomEvent("rule", { detail, cancelable: true }));
      if (!taken) preview.number = this.edits.send({ kind: "threshold", side, label, value });
    }
  }

  get chosen() {
    return this.lanes.scene?.labels[this.row]?.id ?? null;
  }

  get state() {
    const { memory, row } = this;
    const fast = performance.now() - (this.viewChangedAt ?? -1e6) < MOVING_MS;
    const { playback: { span, playing: keys }, truth: { selected: truth } } = this;
    return { chosen: row, hidden: memory.hidden, span, mark: memory.mark, truth, fast, keys };
  }

  // --- drawing

  resized(always = false) {
    const width = this.area.clientWidth;
    if (!width || (!always && width === this.lanes.width && this.lanes.fits)) return;
    const height = this.lanes.arrange(width);
    this.area.style.height = `${height}px`;
    this.area.dataset.decided = this.lanes.decided;
    this.area.dataset.text = this.lanes.size; // of its text, in pixels
    this.elements[0].style.setProperty("--lanes", `${height}px`);
    this.area.style.setProperty("--foot", `${height - this.lanes.lanes.overview.y + 4}px`);
    this.redraw();
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.memory) return;
    if (!this.lanes.width) this.resized(true);
    this.lanes.draw(this.state);
    this.thresholds.arrange(this.memory.hidden);
    this.edges.arrange();
    this.readout.showState(this.state);
    const { start, end, whole } = this.view;
    Object.assign(this.area.dataset, { start: start.toFixed(6), end: end.toFixed(6), plot: this.lanes.left });
    this.buttons.querySelector('[data-do="fit"]').disabled = whole;
    this.readout.showMark(this.memory.mark);
    this.tick();
  }

  viewChanged() {
    const { view, memory } = this;
    memory.view = view.whole ? null : [view.start, view.end];
    this.viewChangedAt = performance.now();
    this.redraw();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.redraw(), MOVING_MS + 10); // lines are drawn finely once the view rests
  }

  // While playing with every repaint (video frames come too seldom, at 24 a second), else when something moved.
  tick() {
    if (!this.memory) return;
    const { playback, view, lanes } = this;
    const time = playback.time;
    const now = performance.now();
    playback.guard();
    this.painting.tick();
    this.skipAgreement();
    if (playback.playing && !this.gestures.drag && now - (this.viewChangedAt ?? 0) > 1500 && view.reveal(time, 0.08)) {
      this.memory.view = [view.start, view.end];
      lanes.draw(this.state);
    }
    const x = lanes.xOf(time);
    const inside = x >= lanes.left - 0.5 && x <= lanes.left + lanes.plot + 0.5;
    this.head.style.transform = `translateX(${x.toFixed(2)}px)`;
    this.mini.style.transform = `translateX(${lanes.stripX(Math.min(Math.max(time, view.first), view.last)).toFixed(1)}px)`;
    this.mini.style.visibility = view.duration > 0 ? "visible" : "hidden";
    this.head.style.visibility = inside && view.duration > 0 ? "visible" : "hidden";
    if (!playback.playing || now - (this.readoutAt ?? 0) > READOUT_EVERY_MS) {
      this.readoutAt = now;
      this.readout.show(time, view.last);
      this.tell(time);
    }
    if (now - (this.spokenAt ?? 0) > (playback.playing ? SPOKEN_EVERY_MS : 0)) {
      this.spokenAt = now;
      this.area.setAttribute("aria-valuemin", view.first.toFixed(2));
      this.area.setAttribute("aria-valuemax", view.last.toFixed(2));
      this.area.setAttribute("aria-valuenow", time.toFixed(2));
      this.area.setAttribute("aria-valuetext", this.readout.spoken(time));
    }
    if (playback.playing) this.ticking ??= requestAnimationFrame(() => { this.ticking = null; this.tick(); });
  }

  // Tells the prompt table what is at the playhead, where that has changed.
  tell(time) {
    const { scene } = this.lanes;
    if (this.told?.scene === scene && this.told.time === time) return;
    this.told = { scene, time };
    tell(this.data.key, scene?.stateAt(time) ?? []);
  }

  // "Only differences": skips the parts of a comparison where both sides agree.
  skipAgreement() {
    const { lanes: { scene }, playback, memory } = this;
    if (!scene?.only || !playback.playing || playback.span || this.gestures.drag) return;
    const { start } = scene.differences;
    if (!start.length || scene.differenceAt(playback.time) >= 0) return;
    const next = start.find((time) => time > playback.time);
    if (next === undefined && !memory.loop) playback.video.pause();
    else playback.go((next ?? start[0]) + 0.0005);
  }

  hover(at) {
    const { lanes } = this;
    const inside = at && at.x >= lanes.left && at.x <= lanes.left + lanes.plot && this.view.duration > 0;
    const { name, row } = at ? lanes.at(at.y) : {};
    const time = inside && lanes.timeAt(at.x);
    const bar = (inside && name === "segments" && lanes.scene.segmentAt(row, time) >= 0)
      || (inside && name === "differences" && lanes.scene.differenceAt(time) >= 0);
    const edge = at && (this.gestures.drag?.kind === "edge" || this.edgeAt(at));
    const rule = at && (this.gestures.drag?.kind === "threshold" || lanes.ruleAt(at, this.memory.hidden));
    this.area.style.cursor = edge ? "ew-resize" : rule ? "ns-resize" : this.gestures.drag?.kind === "pan" || (name === "overview" && !this.view.whole)
      ? "grab" : bar || (at && !inside && name === "segments") ? "pointer" : inside ? "col-resize" : "default";
    this.ghost.hidden = !inside || name === "overview";
    if (this.ghost.hidden) {
      this.tip.hide();
      return;
    }
    this.ghost.style.transform = `translateX(${at.x.toFixed(1)}px)`;
    this.tip.show(lanes.scene, lanes.timeAt(at.x), at.x, lanes.width);
  }

  // The outline of what the model sees: the centre square, or the whole picture.
  showSees() {
    const { sees } = this.data;
    const button = this.buttons.querySelector('[data-do="sees"]');
    const outline = this.playback.frame.querySelector(".sees");
    button.hidden = !sees;
    button.setAttribute("aria-pressed", String(this.memory.sees));
    outline.hidden = !sees || !this.memory.sees;
    outline.classList.toggle("centre", sees === "centre");
  }

  showPlayState() {
    const { video } = this.playback;
    const set = (name, pressed, label) => {
      const button = this.buttons.querySelector(`[data-do="${name}"]`);
      button.classList.toggle("active", pressed);
      button.setAttribute("aria-label", label);
      button.title = label;
    };
    set("play", this.playback.playing, this.playback.playing ? "Pause" : "Play");
    set("mute", video.muted, video.muted ? "Sound on" : "Sound off");
    const loop = this.buttons.querySelector('[data-do="loop"]');
    loop.setAttribute("aria-pressed", String(this.memory?.loop ?? false));
    this.speed.value = String(video.playbackRate);
    if (!this.playback.playing) this.painting.stop();
    if (this.memory) Object.assign(this.memory, { muted: video.muted, rate: video.playbackRate });
    this.redraw();
  }

  loaded() {
    this.playback.video.muted = this.memory.muted;
    this.playback.video.playbackRate = this.memory.rate;
    this.setDuration();
    this.redraw();
    if (this.reported.problem) this.report(); // the problem is over
  }

  announce(sentence) {
    this.announcements.textContent = sentence;
  }

  // --- reports to Python

  get selection() {
    const [start, end] = this.memory.mark;
    const rounded = (time) => Math.round(time * 1e6) / 1e6;
    const mark = start !== null && end !== null ? [rounded(start), rounded(end)] : null;
    return { mark, label: this.memory.chosen };
  }

  rested() {
    if (Math.abs(this.memory.time - this.reported.time) > SAME_S) this.report();
  }

  reportSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.reportSelection(), SETTLE_MS);
  }

  reportSelection() {
    if (this.reported.selection !== JSON.stringify(this.selection)) this.report();
  }

  // A click elsewhere on the page may concern what was done here just before: report that first.
  flush() {
    if (!this.memory || !this.setState) return;
    if (!this.playback.playing) this.rested();
    this.reportSelection();
    this.commitThreshold();
    this.edges.done();
  }

  report() {
    const { memory, playback, selection } = this;
    clearTimeout(this.timer);
    this.reported = { time: memory.time, problem: playback.problem, selection: JSON.stringify(selection) };
    this.reports += 1; // a return to the same position is reported too
    const n = `${this.createdAt}.${this.reports}`;
    const time = Math.round(memory.time * 1e6) / 1e6;
    this.setState("report", { time_s: time, src: playback.src, problem: playback.problem, ...selection, n });
  }

  destroy() {
    if (!this.memory) return; // with its other part
    this.leaving.abort();
    tell(this.data.key, []);
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.ticking);
    cancelAnimationFrame(this.previewing);
    clearTimeout(this.committing);
    clearTimeout(this.edges.committing);
    clearTimeout(this.timer);
    clearTimeout(this.resting);
    this.observer.disconnect();
    this.sliders.disconnect();
    this.gestures.destroy();
    this.film.stop();
    this.playback.destroy();
    this.memory = null;
  }
}

function tell(key, labels) {
  const detail = { key, labels };
  live.states.set(key, detail); // for a table that comes later
  live.dispatchEvent(new CustomEvent("state", { detail }));
}

// --- where it is on the page

const players = new WeakMap(); // root -> its player
const blanks = new WeakMap(); // root -> what is in it before anything is drawn
const pairs = new Map(); // key -> {video, lanes}, each {root, api}: a player in two parts
const OF_PART = { video: ".stage, .announcements, .sheet", lanes: ".lanes" };

// One player at one place, or in two parts anywhere on the page: `part` "video" has all of its data but the lanes, and
// all that it sends; `part` "lanes" has only these. The player begins when both are there.
export function mount(root, api) {
  const { key, part } = api.data;
  if (!part) {
    if (!players.get(root)?.memory) players.set(root, new Player([drawn(root, "whole")]));
    players.get(root).update(api);
    return;
  }
  const pair = { ...pairs.get(key), [part]: { root, api } };
  pairs.set(key, pair);
  const { video, lanes } = pair;
  if (![video, lanes].every((one) => one?.root.host.isConnected)) return;
  const known = players.get(video.root);
  if (!known?.memory || known !== players.get(lanes.root)) {
    for (const one of [video, lanes]) players.get(one.root)?.destroy();
    const player = new Player([drawn(video.root, "video"), drawn(lanes.root, "lanes")]);
    for (const one of [video, lanes]) players.set(one.root, player);
  }
  players.get(root).update({ ...video.api, data: { ...video.api.data, lanes: lanes.api.data.lanes, done: lanes.api.data.done } });
}

// The element of a part in its root, as new where another player has drawn in it.
function drawn(root, part) {
  let element = root.querySelector(".player");
  if (blanks.has(root)) {
    element.replaceWith(blanks.get(root).cloneNode(true));
    element = root.querySelector(".player");
  } else blanks.set(root, element.cloneNode(true));
  element.dataset.part = part;
  if (part !== "whole") for (const one of [...element.children]) if (!one.matches(OF_PART[part])) one.remove();
  return element;
}

export function unmount(root) {
  for (const [key, pair] of pairs) {
    const left = Object.entries(pair).filter(([, one]) => one.root !== root);
    if (left.length) pairs.set(key, Object.fromEntries(left));
    else pairs.delete(key);
  }
  players.get(root)?.destroy();
  players.delete(root);
}
