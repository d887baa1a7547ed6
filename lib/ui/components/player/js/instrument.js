// The player and its lanes as one instrument. Python sends data (see lib/ui/components/player/__init__.py) and hears "report"
// {time_s, src, problem, mark, label} once, when what a person did has settled; nothing while the video plays.

import { Deeds } from "./commands.js";
import { Film } from "./film.js";
import { Gestures } from "./gestures.js";
import { press } from "./keys.js";
import { Lanes } from "./lanes.js";
import { Playback } from "./playback.js";
import { Readout, Tip } from "./readout.js";
import { buildScene } from "./scene.js";
import { View } from "./view.js";

const SAME_S = 0.02; // closer than this is the position both sides know already
const SETTLE_MS = 250;
const WORDS_EVERY_MS = 60; // the read-out while playing; the playhead itself moves with every repaint
const SPOKEN_EVERY_MS = 1000;
const MOVING_MS = 150; // the view counts as moving for so long after a change
const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4];

// What outlives a page switch, which unmounts the component: one entry a player, for as long as the tab lives.
const places = (globalThis[Symbol.for("promptreel.places")] ??= new Map());
const fresh = () => ({ src: null, time: 0, seek: null, window: null, view: null, chosen: null, hidden: new Set(),
  mark: [null, null], loop: false, muted: false, rate: 1 });

class Instrument extends Deeds {
  constructor(root) {
    super();
    const find = (selector) => root.querySelector(selector);
    this.root = find(".player");
    this.area = find(".lanes");
    this.head = find(".head");
    this.mini = find(".mini"); // the playhead in the strip of the whole video
    this.ghost = find(".ghost"); // where the pointer is
    this.buttons = find(".transport");
    this.marked = find(".marked");
    this.differences = find(".differences");
    this.sheet = find(".sheet");
    this.news = find(".news"); // read out by screen readers
    this.view = new View();
    this.film = new Film(() => this.redraw());
    this.lanes = new Lanes(find("canvas"), this.view, this.film);
    this.playback = new Playback(find, {
      moved: () => this.tick(),
      rested: () => this.rested(),
      state: () => this.playState(),
      loaded: () => this.loaded(),
      failed: () => this.report(),
    });
    this.readout = new Readout(find, { choose: (row) => this.choose(row), hide: (id) => this.hide(id) });
    this.tip = new Tip(find(".tip"), this.film);
    this.gestures = new Gestures(this, this.area);
    this.known = { time: 0, problem: null, words: null }; // what Python knows
    this.born = Date.now();
    this.reports = 0;
    this.listen();
  }

  listen() {
    this.root.addEventListener("keydown", (event) => {
      if (!press(this, event)) {
        this.flush();
        return;
      }
      event.preventDefault();
      event.stopPropagation();
    }, true); // before the page's own shortcuts
    this.leaving = new AbortController();
    for (const kind of ["keydown", "pointerdown"]) {
      document.addEventListener(kind, (event) => {
        if (!event.composedPath().includes(this.root)) this.flush();
      }, { capture: true, signal: this.leaving.signal });
    }
    this.area.addEventListener("blur", () => this.hover(null));
    const actions = {
      play: () => this.playback.toggle(),
      back: () => this.step(-1),
      on: () => this.step(1),
      loop: () => this.toggleLoop(),
      mute: () => { this.playback.video.muted = !this.playback.video.muted; },
      fit: () => { this.view.reset(); this.viewed(); },
      full: () => (document.fullscreenElement ? document.exitFullscreen() : this.playback.frame.requestFullscreen?.()),
      help: () => this.help(),
      unmark: () => this.clearMark(),
      earlier: () => this.toDifference(-1),
      later: () => this.toDifference(1),
    };
    this.root.addEventListener("click", (event) => {
      const action = event.target.closest?.("[data-do]")?.dataset.do;
      if (action === "close") this.sheet.close();
      else actions[action]?.();
    });
    this.speed = this.buttons.querySelector("select");
    this.speed.replaceChildren(...SPEEDS.map((rate) => new Option(`${rate}×`, rate, rate === 1, rate === 1)));
    this.speed.onchange = () => { this.playback.video.playbackRate = Number(this.speed.value); };
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.area);
  }

  update({ data, setStateValue }) {
    this.data = data;
    this.tell = setStateValue;
    this.place = places.get(data.key) ?? fresh();
    places.set(data.key, this.place);
    if (data.src !== null && data.src !== this.place.src) {
      if (this.place.src !== null) Object.assign(this.place, { ...fresh(), seek: this.place.seek });
      this.place.src = data.src;
    }
    this.known.words ??= JSON.stringify(this.words);
    const another = data.src !== null && data.src !== this.playback.src;
    this.playback.update(data, this.place);
    if (another) this.known.time = this.place.time;
    this.setDuration();
    this.restoreView();
    const { seek } = data;
    if (seek && this.playback.src && seek.id !== this.place.seek) {
      this.place.seek = seek.id;
      this.playback.span = null;
      this.playback.jump(seek.t);
      this.known.time = this.place.time;
      this.view.reveal(this.place.time, 0.5);
    }
    this.playback.show();
    this.setScene(data.lanes);
    this.redraw();
  }

  setDuration() {
    const duration = this.data.lanes?.duration ?? this.data.duration ?? this.playback.duration;
    if (duration > 0 && duration !== this.view.duration) this.view.resize(duration);
  }

  // A range brushed in the charts is the zoom; else the one from before the page switch.
  restoreView() {
    const { place, data, view } = this;
    const window = JSON.stringify(data.window ?? null);
    if (place.window !== null && window !== place.window) {
      if (data.window) view.show(...data.window);
      else view.reset();
    } else if (place.window === null && data.window) view.show(...data.window);
    else if (place.view && !this.restored) view.show(...place.view);
    this.restored = true;
    place.window = window;
    place.view = view.whole ? null : [view.start, view.end];
  }

  async setScene(lanes) {
    const asked = (this.asked = (this.asked ?? 0) + 1);
    let scene = null;
    try {
      scene = lanes && (await buildScene(lanes));
    } catch (error) {
      console.warn(`promptreel: ${error.message}`); // the lanes stay as they were
      return;
    }
    if (asked !== this.asked || !this.place) return;
    this.lanes.scene = scene;
    this.row = scene ? Math.max(0, scene.labels.findIndex(({ id }) => id === this.place.chosen)) : 0;
    this.readout.build(scene);
    this.showDifferences();
    this.resized(true);
    this.tick();
  }

  get chosen() {
    return this.lanes.scene?.labels[this.row]?.id ?? null;
  }

  get state() {
    const { place, row } = this;
    const fast = performance.now() - (this.viewedAt ?? -1e6) < MOVING_MS;
    return { chosen: row, hidden: place.hidden, span: this.playback.span, mark: place.mark, fast };
  }

  // --- drawing

  resized(always = false) {
    const width = this.area.clientWidth;
    if (!width || (!always && width === this.lanes.width)) return;
    const height = this.lanes.arrange(width);
    this.area.style.height = `${height}px`;
    this.area.style.setProperty("--foot", `${height - this.lanes.lanes.overview.y + 4}px`);
    this.redraw();
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.place) return;
      if (!this.lanes.width) this.resized(true);
      this.lanes.draw(this.state);
      this.readout.mark(this.state);
      const { start, end, whole } = this.view;
      Object.assign(this.area.dataset, { start: start.toFixed(6), end: end.toFixed(6), plot: this.lanes.left });
      this.buttons.querySelector('[data-do="fit"]').disabled = whole;
      this.showMark();
      this.tick();
    });
  }

  viewed() {
    const { view, place } = this;
    place.view = view.whole ? null : [view.start, view.end];
    this.viewedAt = performance.now();
    this.redraw();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.redraw(), MOVING_MS + 10); // with lines drawn well
  }

  // While playing with every repaint (video frames come too seldom, at 24 a second), else when something moved.
  tick() {
    if (!this.place) return;
    const { playback, view, lanes } = this;
    const time = playback.time;
    const now = performance.now();
    playback.guard();
    this.skipAgreement();
    if (playback.playing && !this.gestures.drag && now - (this.viewedAt ?? 0) > 1500 && view.reveal(time, 0.08)) {
      this.place.view = [view.start, view.end];
      lanes.draw(this.state);
    }
    const x = lanes.xOf(time);
    const inside = x >= lanes.left - 0.5 && x <= lanes.left + lanes.plot + 0.5;
    this.head.style.transform = `translateX(${x.toFixed(2)}px)`;
    this.mini.style.transform = `translateX(${lanes.stripX(Math.min(time, view.duration)).toFixed(1)}px)`;
    this.mini.style.visibility = view.duration > 0 ? "visible" : "hidden";
    this.head.style.visibility = inside && view.duration > 0 ? "visible" : "hidden";
    if (!playback.playing || now - (this.wordsAt ?? 0) > WORDS_EVERY_MS) {
      this.wordsAt = now;
      this.readout.show(time, view.duration);
    }
    if (now - (this.spokenAt ?? 0) > (playback.playing ? SPOKEN_EVERY_MS : 0)) {
      this.spokenAt = now;
      this.area.setAttribute("aria-valuemax", view.duration.toFixed(2));
      this.area.setAttribute("aria-valuenow", time.toFixed(2));
      this.area.setAttribute("aria-valuetext", this.readout.spoken(time));
    }
    if (playback.playing) this.ticking ??= requestAnimationFrame(() => { this.ticking = null; this.tick(); });
  }

  hover(at) {
    const { lanes } = this;
    const inside = at && at.x >= lanes.left && at.x <= lanes.left + lanes.plot && this.view.duration > 0;
    const { name, row } = at ? lanes.at(at.y) : {};
    const time = inside && lanes.timeAt(at.x);
    const bar = (inside && name === "segments" && lanes.scene.segmentAt(row, time) >= 0)
      || (inside && name === "differences" && lanes.scene.differenceAt(time) >= 0);
    this.area.style.cursor = this.gestures.drag?.kind === "pan" || (name === "overview" && !this.view.whole)
      ? "grab" : bar || (at && !inside && name === "segments") ? "pointer" : inside ? "col-resize" : "default";
    this.ghost.hidden = !inside || name === "overview";
    if (this.ghost.hidden) {
      this.tip.hide();
      return;
    }
    this.ghost.style.transform = `translateX(${at.x.toFixed(1)}px)`;
    this.tip.show(lanes.scene, lanes.timeAt(at.x), at.x, lanes.width);
  }

  playState() {
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
    loop.setAttribute("aria-pressed", String(this.place?.loop ?? false));
    this.speed.value = String(video.playbackRate);
    if (this.place) Object.assign(this.place, { muted: video.muted, rate: video.playbackRate });
    this.redraw();
  }

  loaded() {
    this.playback.video.muted = this.place.muted;
    this.playback.video.playbackRate = this.place.rate;
    this.setDuration();
    this.redraw();
    if (this.known.problem) this.report(); // the problem Python heard of is over
  }

  // --- what Python hears

  get words() {
    const [start, end] = this.place.mark;
    const exact = (time) => Math.round(time * 1e6) / 1e6;
    const mark = start !== null && end !== null ? [exact(start), exact(end)] : null;
    return { mark, label: this.place.chosen };
  }

  rested() {
    if (Math.abs(this.place.time - this.known.time) > SAME_S) this.report();
  }

  settle() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.known.words !== JSON.stringify(this.words)) this.report();
    }, SETTLE_MS);
  }

  // What is done elsewhere on the page is about what was done here just before: Python hears of that first.
  flush() {
    if (!this.place || !this.tell) return;
    if (!this.playback.playing) this.rested();
    if (this.known.words !== JSON.stringify(this.words)) this.report();
  }

  report() {
    const { place, playback } = this;
    clearTimeout(this.timer);
    this.known = { time: place.time, problem: playback.problem, words: JSON.stringify(this.words) };
    this.reports += 1; // back at the same place is news too
    const n = `${this.born}.${this.reports}`;
    const time = Math.round(place.time * 1e6) / 1e6;
    this.tell("report", { time_s: time, src: playback.src, problem: playback.problem, ...this.words, n });
  }

  destroy() {
    this.leaving.abort();
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.ticking);
    clearTimeout(this.timer);
    clearTimeout(this.resting);
    this.observer.disconnect();
    this.gestures.destroy();
    this.film.stop();
    this.playback.destroy();
    this.place = null;
  }
}

const instruments = new WeakMap();

export function mount(root, api) {
  if (!instruments.has(root)) instruments.set(root, new Instrument(root));
  instruments.get(root).update(api);
}

export function unmount(root) {
  instruments.get(root)?.destroy();
  instruments.delete(root);
}
