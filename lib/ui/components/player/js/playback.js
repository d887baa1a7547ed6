// The video itself: loading, seeking, playing a span, what can't be played. Knows nothing of lanes.

const FRAME_EDGE_S = 0.0005; // a time rounded down to microseconds would show the frame before
const SETTLE_MS = 250; // scrubbing fires many "seeked"
const WORDS = {
  unsupported: "This browser can't play this video's format.",
  network: "The connection to the dashboard was lost while the video was loading.",
  gone: "The link to this video is no longer valid; reload the page.",
};

export class Playback {
  // hooks: moved() when the time changes, rested() when it has come to rest, state() when playing or sound changes.
  constructor(find, hooks) {
    this.frame = find(".frame");
    this.video = find("video");
    this.notice = find(".notice");
    this.words = find(".words");
    this.bar = find(".bar");
    this.again = find(".again");
    this.hooks = hooks;
    this.src = null;
    this.problem = null;
    this.wanted = null; // where a seek under way leads to
    this.span = null; // {start, end} that is played on its own
    this.again.onclick = () => this.load(this.src, this.place.time);
    this.listen();
  }

  listen() {
    const { video, hooks } = this;
    video.onloadedmetadata = () => {
      this.jump(this.place.time);
      hooks.loaded();
    };
    video.ontimeupdate = () => {
      if (video.readyState > 0 && !video.seeking) this.place.time = video.currentTime;
      this.guard(); // a hidden tab draws nothing, but plays on
      hooks.moved();
    };
    video.onseeked = () => {
      const { wanted } = this;
      this.wanted = null;
      if (wanted !== null && Math.abs(wanted - video.currentTime) > 1e-3) this.go(wanted); // the pointer went on
      hooks.moved();
      this.settle();
    };
    video.onplay = video.onvolumechange = video.onratechange = () => hooks.state();
    video.onpause = () => {
      hooks.state();
      this.settle();
    };
    video.onended = () => {
      if (this.place.loop) this.play(0);
      else this.settle();
    };
    video.onerror = () => this.fail();
    video.onclick = () => this.toggle();
  }

  // The time to show: where a seek leads to, before it has got there.
  get time() {
    if (this.wanted !== null) return this.wanted;
    return this.video.readyState > 0 ? this.video.currentTime : this.place.time;
  }

  get playing() {
    return !this.video.paused && !this.video.ended;
  }

  get duration() {
    return Number.isFinite(this.video.duration) ? this.video.duration : (this.data?.duration ?? 0);
  }

  update(data, place) {
    this.data = data;
    this.place = place;
    this.frame.closest(".player").style.setProperty("--aspect", data.aspect);
    this.video.setAttribute("aria-label", data.label);
    if (this.video.getAttribute("poster") !== data.poster) {
      if (data.poster) this.video.poster = data.poster;
      else this.video.removeAttribute("poster");
    }
    if (data.src !== this.src) this.change(data.src);
  }

  // Another source: the same video after a page switch goes on where it was, another one starts at its beginning.
  change(src) {
    this.span = null;
    if (src === null) this.unload();
    else this.load(src, this.place.time);
  }

  load(src, time) {
    this.src = src;
    this.problem = null;
    this.wanted = null;
    this.place.time = time;
    this.video.src = src;
    this.show();
  }

  unload() {
    this.src = null;
    this.problem = null;
    this.wanted = null;
    clearTimeout(this.timer);
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }

  // Go to the beginning of a frame or sample; before the metadata is there, onloadedmetadata comes back to it.
  jump(time) {
    const end = this.duration || Infinity;
    const wanted = Math.min(Math.max(0, time), end);
    this.place.time = wanted;
    if (this.video.readyState > 0) this.video.currentTime = wanted > 0 ? wanted + FRAME_EDGE_S : 0;
  }

  // Go where a person points: at once, and while one seek is under way only to the last place pointed at.
  go(time) {
    const wanted = Math.min(Math.max(0, time), this.duration || Infinity);
    this.place.time = wanted;
    if (this.video.readyState === 0) return;
    const busy = this.video.seeking && this.wanted !== null;
    this.wanted = wanted;
    if (!busy) this.video.currentTime = wanted;
    this.hooks.moved();
  }

  toggle() {
    if (!this.src || this.problem) return;
    if (this.playing) this.video.pause();
    else this.play(this.video.ended ? 0 : null);
  }

  play(from = null) {
    if (from !== null) this.go(from > 0 ? from + FRAME_EDGE_S : 0);
    this.video.play().catch(() => {}); // refused without a gesture, or the source went: the button stays at "play"
  }

  playSpan(span) {
    this.span = span;
    this.play(span.start);
    this.hooks.state();
  }

  // Stop at the end of what is played on its own, or begin it again.
  guard() {
    const { video, span } = this;
    const end = span?.end;
    if (end === undefined || this.wanted !== null || !this.playing || video.currentTime < end - 0.002) return;
    if (video.currentTime > end + 1) this.span = null; // left behind by other means
    else if (this.place.loop) this.go(span.start + FRAME_EDGE_S);
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
      this.place.time = video.currentTime;
      this.hooks.rested();
    }, SETTLE_MS);
  }

  async fail() {
    const { src, video } = this;
    const code = video.error?.code;
    if (!src || !code) return;
    this.problem = code === MediaError.MEDIA_ERR_NETWORK ? "network" : "unsupported";
    if (code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED) {
      // The browser says the same of a missing file and of a foreign format: ask the server which one it is.
      try {
        const answer = await fetch(src, { method: "HEAD" });
        if (!answer.ok) this.problem = "gone";
      } catch {
        this.problem = "network";
      }
    }
    if (src !== this.src) return;
    this.show();
    this.hooks.failed();
  }

  show() {
    const preparing = !this.src;
    const words = preparing ? this.data.preparing : this.problem ? WORDS[this.problem] : "";
    this.notice.hidden = !words;
    this.notice.dataset.kind = preparing ? "preparing" : "problem";
    if (this.words.textContent !== words) this.words.textContent = words;
    this.again.hidden = preparing || this.problem !== "network";
    const { progress } = this.data;
    this.bar.hidden = !preparing || progress === null;
    this.bar.firstElementChild.style.width = `${(progress ?? 0) * 100}%`;
    this.bar.setAttribute("aria-valuenow", String(Math.round((progress ?? 0) * 100)));
    this.bar.setAttribute("aria-label", words);
    this.video.tabIndex = words ? -1 : 0;
  }

  destroy() {
    if (this.place && this.video.readyState > 0) this.place.time = this.video.currentTime;
    this.video.onerror = null;
    this.unload();
  }
}
