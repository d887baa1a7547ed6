// One moment: its best frame, which plays in place from start to end, its words, and what can be done with it.

import { button, element, icon } from "./elements.js";

const FRAME_EDGE_S = 0.0005; // a time rounded down to microseconds would show the frame before
const PLAY = "M8 5.5v13l11-6.5z";
const CROP = "M7 2v15h15M2 7h15v15";
const PROMPT = "M4 6h16M4 12h10M4 18h7M18 15v6M15 18h6";
const OPEN = "M9 5H5v14h14v-4M13 5h6v6M19 5l-8 8";
const COPYING = "A playable copy is being made (progress is in the sidebar); then it plays.";
const WORDS = {
  network: "The connection to the dashboard was lost; press to try again.",
  gone: "The link to this video is no longer valid; reload the page.",
  unsupported: "This browser can't play the video; a playable copy is being prepared.",
};

export class Card {
  constructor(board) {
    this.board = board;
    this.li = element("li", "card");
    this.picture = element("div", "picture", this.li);
    this.play = button("play", this.picture, () => this.toggle());
    this.image = element("img", "", this.play);
    this.image.loading = "lazy";
    this.image.decoding = "async";
    this.image.onerror = () => this.picture.classList.add("broken");
    this.image.onload = () => this.picture.classList.remove("broken");
    this.sign = element("span", "sign", this.play);
    icon(PLAY, this.sign);
    this.rank = element("span", "rank", this.picture);
    this.range = element("span", "range", this.picture);
    this.bar = element("span", "progress", this.picture);
    this.done = element("i", "", this.bar);
    this.bar.onclick = (event) => this.scrub(event);
    this.notice = element("p", "notice", this.picture);
    this.notice.setAttribute("role", "status");
    this.notice.hidden = true;
    const words = element("div", "words", this.li);
    this.title = element("span", "title", words);
    this.score = element("span", "score", words);
    this.folded = element("p", "folded", this.li);
    const deeds = element("div", "deeds", this.li);
    this.like = this.deed(deeds, "like", "More like this");
    this.prompt = this.deed(deeds, "prompt", "Use the words as a prompt in Explore, on this video", PROMPT);
    this.crop = this.deed(deeds, "crop", "Search for this frame, or a part of it", CROP);
    this.explore = this.deed(deeds, "explore", "Open in Explore at this time", OPEN);
  }

  deed(parent, kind, words, path) {
    const made = button(`deed ${kind}`, parent, () => this.board.deed(kind, this.hit));
    if (path) {
      icon(path, made);
      made.title = words;
    } else made.textContent = words;
    made.dataset.words = words;
    return made;
  }

  show(hit, video, data) {
    this.hit = hit;
    this.clip = video;
    if (this.url !== hit.url) this.image.src = this.url = hit.url;
    const about = `${hit.range} of ${video.name}`;
    this.image.alt = `Best frame, at ${hit.at}, of ${video.name}`;
    this.play.setAttribute("aria-label", `Play ${about}`);
    this.rank.textContent = String(hit.rank);
    this.range.textContent = hit.range;
    this.title.textContent = this.title.title = video.name;
    this.score.textContent = hit.score;
    this.score.title = `Cosine with the query, at ${hit.at}`;
    const notes = [];
    if (hit.own) notes.push("the frame you search for");
    if (hit.folded) notes.push(hit.folded === 1 ? "and 1 near-duplicate" : `and ${hit.folded} near-duplicates`);
    this.folded.hidden = !notes.length;
    this.folded.textContent = notes.join(", ");
    for (const one of [this.like, this.prompt, this.crop, this.explore])
      one.setAttribute("aria-label", `${one.dataset.words}: ${about}`);
    this.prompt.disabled = Boolean(data.unpromptable);
    this.crop.disabled = Boolean(video.problem);
    this.crop.title = video.problem || this.crop.dataset.words;
    this.prompt.title = data.unpromptable || this.prompt.dataset.words;
    if (this.waits && video.src) {
      this.waits = false;
      this.say("");
      this.toggle();
    } else this.tellCopy();
  }

  get playing() {
    return Boolean(this.video && !this.video.paused);
  }

  toggle() {
    if (!this.clip.src) {
      this.waits = true;
      this.say(this.clip.problem || COPYING);
      if (!this.clip.problem) this.board.deed("copy", this.hit);
      return;
    }
    if (this.playing) {
      this.video.pause();
      return;
    }
    this.board.only(this);
    this.say("");
    const video = this.video ?? this.makeVideo();
    if (video.readyState > 0 && video.currentTime >= this.end - 0.01) video.currentTime = this.start;
    video.play().catch(() => {}); // refused without a gesture, or the source went
  }

  get start() {
    return this.hit.start > 0 ? this.hit.start + FRAME_EDGE_S : 0;
  }

  get end() {
    const length = this.video?.duration;
    return Number.isFinite(length) ? Math.min(this.hit.end, length) : this.hit.end;
  }

  makeVideo() {
    const video = (this.video = element("video", ""));
    video.playsInline = true;
    video.preload = "auto";
    video.tabIndex = -1;
    video.setAttribute("aria-hidden", "true"); // the button above it speaks for it
    video.onloadedmetadata = () => (video.currentTime = this.start);
    video.onplay = () => {
      this.picture.dataset.state = "playing";
      this.loop();
    };
    video.onpause = () => {
      if (this.picture.dataset.state === "playing") this.picture.dataset.state = "paused";
    };
    video.onended = () => (this.picture.dataset.state = "ended");
    video.ontimeupdate = () => this.guard(); // a hidden tab draws nothing, but plays on
    video.onerror = () => this.fail();
    video.src = this.clip.src;
    this.play.insertBefore(video, this.sign);
    this.picture.dataset.state = "playing";
    return video;
  }

  loop() {
    cancelAnimationFrame(this.frame);
    this.guard();
    if (this.playing) this.frame = requestAnimationFrame(() => this.loop());
  }

  /** Draw how far it is, and stop at the moment's end. */
  guard() {
    const { video } = this;
    if (!video || video.readyState === 0) return;
    if (this.picture.dataset.state === "ended") return;
    const share = (video.currentTime - this.hit.start) / Math.max(this.end - this.hit.start, 0.001);
    this.done.style.transform = `scaleX(${Math.min(1, Math.max(0, share))})`;
    if (!video.paused && !video.seeking && video.currentTime >= this.end - 0.002) {
      video.pause();
      video.currentTime = this.start; // the best frame is shown again, and the next press plays at once
      this.picture.dataset.state = "ended";
      this.done.style.transform = "scaleX(0)";
    }
  }

  scrub(event) {
    if (!this.video || this.video.readyState === 0) return;
    const box = this.bar.getBoundingClientRect();
    const share = Math.min(0.999, Math.max(0, (event.clientX - box.left) / box.width));
    this.video.currentTime = this.start + share * (this.end - this.hit.start);
    this.guard();
  }

  async fail() {
    const { video } = this;
    const code = video?.error?.code;
    if (!code) return;
    let problem = code === MediaError.MEDIA_ERR_NETWORK ? "network" : "unsupported";
    if (code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED) {
      // The browser says the same of a missing file and of a foreign format: ask the server which one it is.
      try {
        const answer = await fetch(this.clip.src, { method: "HEAD" });
        if (!answer.ok) problem = "gone";
      } catch {
        problem = "network";
      }
    }
    this.rest();
    this.say(WORDS[problem]);
    if (problem === "unsupported") {
      this.waits = true;
      this.board.deed("refused", this.hit);
    }
  }

  tellCopy() {
    if (!this.waits) return;
    const { problem } = this.clip;
    if (problem) this.waits = false;
    this.say(problem || COPYING);
  }

  say(words) {
    this.notice.textContent = words;
    this.notice.hidden = !words;
  }

  /** Let go of the video and show the picture again. */
  rest() {
    cancelAnimationFrame(this.frame);
    const { video } = this;
    this.video = null;
    delete this.picture.dataset.state;
    this.done.style.transform = "scaleX(0)";
    if (!video) return;
    video.onerror = video.onpause = null;
    video.pause();
    video.removeAttribute("src");
    video.load();
    video.remove();
  }

  remove() {
    this.rest();
    if (this.board.playing === this) this.board.playing = null;
    this.li.remove();
  }
}
