// The video player. Python sends: src, seek {id, t}, aspect, words. It hears "report" {time_s, src, problem} when a
// person pauses or scrubs and the picture has come to rest, or when the browser can't play; never while playing.

const SETTLE_MS = 250; // scrubbing fires many "seeked"
const SAME_S = 0.02; // closer than this is the position both sides know already
const FRAME_EDGE_S = 0.0005; // a time rounded down to microseconds would show the frame before
const STEPS_S = { ArrowLeft: -1, ArrowRight: 1 };
const WORDS = {
  unsupported: "This browser can't play this video's format.",
  network: "The connection to the dashboard was lost while the video was loading.",
  gone: "The link to this video is no longer valid; reload the page.",
};

const players = new WeakMap();
// Positions outlive a page switch, which unmounts the component: one entry a player, for as long as the tab lives.
const positions = (globalThis[Symbol.for("promptreel.positions")] ??= new Map());

class Player {
  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    this.frame = find(".frame");
    this.video = find("video");
    this.notice = find(".notice");
    this.words = find(".words");
    this.bar = find(".bar");
    this.again = find(".again");
    this.src = null;
    this.problem = null; // what is on screen
    this.told = null; // the problem Python heard of
    this.known = 0; // the position Python knows
    this.born = Date.now();
    this.reports = 0;
    this.again.onclick = () => this.load(this.src, this.place.time);
    this.listen();
  }

  listen() {
    const { video } = this;
    video.onloadedmetadata = () => {
      this.jump(this.place.time);
      if (this.told) this.report(); // the problem Python heard of is over
    };
    video.ontimeupdate = () => {
      if (video.readyState > 0 && !video.seeking) this.place.time = video.currentTime;
    };
    video.onpause = video.onseeked = video.onended = () => this.settle();
    video.onerror = () => this.fail();
    // Before the browser's own controls inside the video, which would move it too.
    video.addEventListener("keydown", (event) => this.press(event), true);
  }

  update({ data, setStateValue }) {
    this.data = data;
    this.tell = setStateValue;
    this.place = positions.get(data.key) ?? { src: null, time: 0, seek: null };
    positions.set(data.key, this.place);
    this.frame.style.setProperty("--aspect", data.aspect);
    this.video.setAttribute("aria-label", data.label);
    if (this.video.getAttribute("poster") !== data.poster) {
      if (data.poster) this.video.poster = data.poster;
      else this.video.removeAttribute("poster");
    }
    if (data.src !== this.src) this.change(data.src);
    const { seek } = data;
    if (seek && this.src && seek.id !== this.place.seek) {
      this.place.seek = seek.id;
      this.jump(seek.t);
    }
    this.show();
  }

  // Another source: the same video after a page switch goes on where it was, another one starts at its beginning.
  change(src) {
    if (src === null) {
      this.unload();
      return;
    }
    if (this.place.src !== src) {
      this.place.src = src;
      this.place.time = 0;
    }
    this.known = this.place.time;
    this.load(src, this.place.time);
  }

  load(src, time) {
    this.src = src;
    this.problem = null;
    this.place.time = time;
    this.video.src = src;
    this.show();
  }

  unload() {
    this.src = null;
    this.problem = null;
    clearTimeout(this.timer);
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }

  // Go to a time; before the metadata is there, onloadedmetadata comes back to it.
  jump(time) {
    const end = Number.isFinite(this.video.duration) ? this.video.duration : (this.data.duration ?? Infinity);
    const wanted = Math.min(Math.max(0, time), end);
    this.place.time = this.known = wanted;
    if (this.video.readyState > 0) this.video.currentTime = wanted > 0 ? wanted + FRAME_EDGE_S : 0;
  }

  settle() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { video } = this;
      if (!this.src || video.readyState === 0 || video.seeking || (!video.paused && !video.ended)) return;
      this.place.time = video.currentTime;
      if (Math.abs(video.currentTime - this.known) > SAME_S) this.report();
    }, SETTLE_MS);
  }

  report() {
    this.known = this.place.time;
    const time = Math.round(this.known * 1e6) / 1e6;
    this.told = this.problem;
    this.reports += 1; // back at the same place is news too
    this.tell("report", { time_s: time, src: this.src, problem: this.problem, n: `${this.born}.${this.reports}` });
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
    this.report();
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
    this.video.controls = !words;
  }

  press(event) {
    const { video } = this;
    if (event.altKey || event.ctrlKey || event.metaKey || !this.src) return;
    const step = STEPS_S[event.key];
    if (step) video.currentTime = Math.max(0, video.currentTime + step * (event.shiftKey ? 5 : 1));
    else if (event.key === "Home") video.currentTime = 0;
    else if (event.key === "End" && Number.isFinite(video.duration)) video.currentTime = video.duration;
    else return; // space and the rest are the browser's own controls
    event.preventDefault();
    event.stopPropagation();
  }

  destroy() {
    if (this.place && this.video.readyState > 0) this.place.time = this.video.currentTime;
    this.video.onerror = null;
    this.unload();
  }
}

export default function (api) {
  const root = api.parentElement;
  if (!players.has(root)) players.set(root, new Player(root));
  players.get(root).update(api);
  return () =>
    setTimeout(() => {
      if (root.isConnected) return; // data changed twice at once: Streamlit calls this, with the player in use
      players.get(root)?.destroy();
      players.delete(root);
    });
}
