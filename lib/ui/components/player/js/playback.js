// The video itself: loading, seeking, playing a span, reporting what can't be played. Independent of the lanes.

import { EXPIRED, videoProblem } from "./video_errors.js";

const FRAME_EDGE_S = 0.0005; // a time rounded down to microseconds would show the frame before
const SETTLE_MS = 250; // scrubbing fires many "seeked"
const PROBLEMS = {
  unsupported: "This browser can't play this video's format.",
  network: "The connection to the dashboard was lost while the video was loading.",
  gone: EXPIRED,
};

export class Playback {
  // hooks: moved() when the time changes, rested() when it has come to rest, state() when playing or sound changes.
  constructor(find, hooks) {
    this.frame = find(".frame");
    this.video = find("video");
    this.notice = find(".notice");
    this.words = find(".words");
    this.bar = find(".bar");
    this.retry = find(".again");
    this.hooks = hooks;
    this.src = null;
    this.problem = null;
    this.target = null; // of a seek under way
    this.span = null; // {start, end} when only a part is played
    this.retry.onclick = () => this.load(this.src, this.memory.time);
    this.listen();
  }

  listen() {
    const { video, hooks } = this;
    video.onloadedmetadata = () => {
      this.jump(this.memory.time);
      hooks.loaded();
    };
    video.ontimeupdate = () => {
      if (video.readyState > 0 && !video.seeking) this.memory.time = this.shown;
      this.guard(); // a hidden tab draws nothing, but plays on
      hooks.moved();
    };
    video.onseeked = () => {
      const { target } = this;
      this.target = null;
      if (target !== null && Math.abs(target - this.shown) > 1e-3) this.go(target); // the pointer moved on
      hooks.moved();
      this.settle();
    };
    video.onplay = video.onvolumechange = video.onratechange = () => hooks.state();
    video.onpause = () => {
      hooks.state();
      this.settle();
    };
    video.onended = () => {
      if (this.memory.loop) this.play(this.first);
      else this.settle();
    };
    video.onerror = () => this.fail();
    video.onclick = () => this.toggle();
  }

  // The time to show: the target of a seek, even before it is reached.
  get time() {
    if (this.target !== null) return this.target;
    return this.video.readyState > 0 ? this.shown : this.memory.time;
  }

  // A copy's clock may begin at 0 where the video begins later; all times here are the video's.
  get shown() {
    return this.video.currentTime + this.data.offset;
  }

  set shown(time) {
    this.video.currentTime = Math.max(0, time - this.data.offset);
  }

  get first() {
    return this.data?.first ?? 0;
  }

  get playing() {
    return !this.video.paused && !this.video.ended;
  }

  get end() {
    return Number.isFinite(this.video.duration) ? this.video.duration + this.data.offset : (this.data?.end ?? 0);
  }

  update(data, memory) {
    this.data = data;
    this.memory = memory;
    this.video.setAttribute("aria-label", data.label);
    if (data.src !== this.src) this.change(data.src);
  }

  // Another source: after a page switch the same video continues where it was; another one starts at its beginning.
  change(src) {
    this.span = null;
    if (src === null) this.unload();
    else this.load(src, this.memory.time);
  }

  load(src, time) {
    this.src = src;
    this.problem = null;
    this.target = null;
    this.memory.time = Math.max(time, this.first);
    this.video.src = src;
    this.show();
  }

  unload() {
    this.src = null;
    this.problem = null;
    this.target = null;
    clearTimeout(this.timer);
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }

  // Go to the beginning of a frame or sample; before there is metadata, onloadedmetadata does it.
  jump(time) {
    const target = Math.min(Math.max(this.first, time), this.end || Infinity);
    this.memory.time = target;
    if (this.video.readyState > 0) this.shown = target > this.first ? target + FRAME_EDGE_S : this.first;
  }

  // Go where a person points; while a seek is under way, only the latest target counts.
  go(time) {
    const target = Math.min(Math.max(this.first, time), this.end || Infinity);
    this.memory.time = target;
    if (this.video.readyState === 0) return;
    const busy = this.video.seeking && this.target !== null;
    this.target = target;
    if (!busy) this.shown = target;
    this.hooks.moved();
  }

  toggle() {
    if (!this.src || this.problem) return;
    if (this.playing) this.video.pause();
    else this.play(this.video.ended ? this.first : null);
  }

  play(from = null) {
    if (from !== null) this.go(from > this.first ? from + FRAME_EDGE_S : this.first);
    this.video.play().catch(() => {}); // refused without a gesture, or the source went: the button stays at "play"
  }

  playSpan(span) {
    this.span = span;
    this.play(span.start);
    this.hooks.state();
  }

  // Stop at the end of the span that is played, or loop it.
  guard() {
    const { video, span } = this;
    const end = span?.end;
    if (end === undefined || this.target !== null || !this.playing || this.shown < end - 0.002) return;
    if (this.shown > end + 1) this.span = null; // the playhead was moved away
    else if (this.memory.loop) this.go(span.start + FRAME_EDGE_S);
    else {
      video.pause();
      this.go(Math.max(span.start, end - 0.002)); // its last frame, not the one after it
    }
  }

  settle() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { video } = this;
      if (!this.src || video.readyState === 0 || video.seeking || this.playing) return;
      this.memory.time = this.shown;
      this.hooks.rested();
    }, SETTLE_MS);
  }

  async fail() {
    const { src } = this;
    const problem = src && (await videoProblem(this.video, src));
    if (!problem || src !== this.src) return;
    this.problem = problem;
    this.show();
    this.hooks.failed();
  }

  show() {
    const preparing = !this.src;
    const words = preparing ? this.data.preparing : this.problem ? PROBLEMS[this.problem] : "";
    this.notice.hidden = !words;
    this.notice.dataset.kind = preparing ? "preparing" : "problem";
    if (this.words.textContent !== words) this.words.textContent = words;
    this.retry.hidden = preparing || this.problem !== "network";
    const { progress } = this.data;
    this.bar.hidden = !preparing || progress === null;
    this.bar.firstElementChild.style.width = `${(progress ?? 0) * 100}%`;
    this.bar.setAttribute("aria-valuenow", String(Math.round((progress ?? 0) * 100)));
    this.bar.setAttribute("aria-label", words);
    this.video.tabIndex = words ? -1 : 0;
  }

  destroy() {
    if (this.memory && this.video.readyState > 0) this.memory.time = this.shown;
    this.video.onerror = null;
    this.unload();
  }
}
