// One moment: its best frame, which plays in place from start to end, its title and score, and its actions.

import { button, element, icon } from "./elements.js";
import { EXPIRED, videoProblem } from "./video_errors.js";

const FRAME_EDGE_S = 0.0005; // a time rounded down to microseconds would show the frame before
const PLAY = "M8 5.5v13l11-6.5z";
const CROP = "M7 2v15h15M2 7h15v15";
const PROMPT = "M4 6h16M4 12h10M4 18h7M18 15v6M15 18h6";
const OPEN = "M9 5H5v14h14v-4M13 5h6v6M19 5l-8 8";
const COPYING = "A playable copy is being made (progress is in the sidebar); then it plays.";
const PROBLEMS = {
  network: "The connection to the dashboard was lost; press to try again.",
  gone: EXPIRED,
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
    const actions = element("div", "actions", this.li);
    this.like = this.action(actions, "like", "More like this");
    this.prompt = this.action(actions, "prompt", "Use the words as a prompt in Explore, on this video", PROMPT);
    this.crop = this.action(actions, "crop", "Search for this frame, or a part of it", CROP);
    this.explore = this.action(actions, "explore", "Open in Explore at this time", OPEN);
  }

  action(parent, kind, label, path) {
    const node = button(`action ${kind}`, parent, () => this.board.act(kind, this.moment));
    if (path) {
      icon(path, node);
      node.title = label;
    } else node.textContent = label;
    node.dataset.label = label;
    return node;
  }

  show(moment, video, data) {
    this.moment = moment;
    this.clip = video;
    if (this.url !== moment.url) this.image.src = this.url = moment.url;
    const about = `${moment.range} of ${video.name}`;
    this.image.alt = `Best frame, at ${moment.at}, of ${video.name}`;
    this.play.setAttribute("aria-label", `Play ${about}`);
    this.rank.textContent = String(moment.rank);
    this.range.textContent = moment.range;
    this.title.textContent = this.title.title = video.name;
    this.score.textContent = moment.score;
    this.score.title = moment.about;
    const notes = [];
    if (moment.own) notes.push("the frame you search for");
    if (moment.folded) notes.push(moment.folded === 1 ? "and 1 near-duplicate" : `and ${moment.folded} near-duplicates`);
    this.folded.hidden = !notes.length;
    this.folded.textContent = notes.join(", ");
    for (const action of [this.like, this.prompt, this.crop, this.explore])
      action.setAttribute("aria-label", `${action.dataset.label}: ${about}`);
    this.prompt.disabled = Boolean(data.unpromptable);
    this.crop.disabled = Boolean(video.problem);
    this.crop.title = video.problem || this.crop.dataset.label;
    this.prompt.title = data.unpromptable || this.prompt.dataset.label;
    if (this.waitsForCopy && video.src) {
      this.waitsForCopy = false;
      this.showNotice("");
      this.toggle();
    } else this.showCopyState();
  }

  get playing() {
    return Boolean(this.video && !this.video.paused);
  }

  toggle() {
    if (!this.clip.src) {
      this.waitsForCopy = true;
      this.showNotice(this.clip.problem || COPYING);
      if (!this.clip.problem) this.board.act("copy", this.moment);
      return;
    }
    if (this.playing) {
      this.video.pause();
      return;
    }
    this.board.setPlaying(this);
    this.showNotice("");
    const video = this.video ?? this.makeVideo();
    if (video.readyState > 0 && video.currentTime >= this.end - 0.01) video.currentTime = this.start;
    video.play().catch(() => {}); // refused without a gesture, or the source is gone
  }

  // Both by the clock of the source, which may be a copy that begins at 0 where the video begins later.
  get start() {
    const start = this.moment.start - this.clip.offset;
    return start > 0 ? start + FRAME_EDGE_S : 0;
  }

  get end() {
    const length = this.video?.duration;
    const end = this.moment.end - this.clip.offset;
    return Number.isFinite(length) ? Math.min(end, length) : end;
  }

  makeVideo() {
    const video = (this.video = element("video", ""));
    video.playsInline = true;
    video.preload = "auto";
    video.tabIndex = -1;
    video.setAttribute("aria-hidden", "true"); // the button above it has the label
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

  /** Draw the progress, and stop at the end of the moment. */
  guard() {
    const { video } = this;
    if (!video || video.readyState === 0) return;
    if (this.picture.dataset.state === "ended") return;
    const share = (video.currentTime - this.start) / Math.max(this.end - this.start, 0.001);
    this.done.style.transform = `scaleX(${Math.min(1, Math.max(0, share))})`;
    if (!video.paused && !video.seeking && video.currentTime >= this.end - 0.002) {
      video.pause();
      video.currentTime = this.start; // the next press plays at once
      this.picture.dataset.state = "ended";
      this.done.style.transform = "scaleX(0)";
    }
  }

  scrub(event) {
    if (!this.video || this.video.readyState === 0) return;
    const box = this.bar.getBoundingClientRect();
    const share = Math.min(0.999, Math.max(0, (event.clientX - box.left) / box.width));
    this.video.currentTime = this.start + share * (this.end - this.start);
    this.guard();
  }

  async fail() {
    const problem = await videoProblem(this.video, this.clip.src);
    if (!problem) return;
    this.unload();
    this.showNotice(PROBLEMS[problem]);
    if (problem === "unsupported") {
      this.waitsForCopy = true;
      this.board.act("refused", this.moment);
    }
  }

  showCopyState() {
    if (!this.waitsForCopy) return;
    const { problem } = this.clip;
    if (problem) this.waitsForCopy = false;
    this.showNotice(problem || COPYING);
  }

  showNotice(words) {
    this.notice.textContent = words;
    this.notice.hidden = !words;
  }

  /** Remove the video and show the picture again. */
  unload() {
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
    this.unload();
    if (this.board.playing === this) this.board.playing = null;
    this.li.remove();
  }
}
