// Ground truth that is painted while the video plays: a label is there for as long as its key is held. 1 to 9 are the
// first nine labels of the lanes, T is the chosen one. A short press does what it does while the video rests.

import { formatTime } from "./format.js";

const HOLD_MS = 300;
const LEAST_S = 0.05;
const JUMP_S = 1.5; // of the playhead, at the normal speed: what is painted ends there, and begins anew

export class Painting {
  constructor(player) {
    this.player = player;
    this.holds = new Map(); // code of the key -> {label, from, last, since, tap}
  }

  // Whether the key begins to paint; `tap` is what it does when it is let go of at once.
  press({ code, repeat }, row, tap) {
    if (this.holds.has(code)) return true;
    const { playback, lanes, data: { presented } } = this.player;
    if (presented) return false; // an audience edits nothing
    const label = lanes.scene?.labels[row];
    if (!playback.playing || !label || repeat) return false;
    const from = playback.time;
    this.holds.set(code, { label, from, last: from, since: performance.now(), tap });
    return true;
  }

  release({ code }) {
    const hold = this.holds.get(code);
    if (!hold) return;
    this.tick();
    this.holds.delete(code);
    if (this.isHeld(hold)) this.commit(code, hold);
    else hold.tap(hold.from);
  }

  isHeld({ since }) {
    return performance.now() - since >= HOLD_MS;
  }

  // With every repaint while the video plays.
  tick() {
    const { playback } = this.player;
    if (!this.holds.size) return;
    const { time } = playback;
    for (const [code, hold] of this.holds) {
      if (time < hold.last - 0.1 || time > hold.last + JUMP_S * Math.max(1, playback.video.playbackRate)) {
        if (this.isHeld(hold)) this.commit(code, hold);
        hold.from = time;
      }
      hold.last = time;
      if (this.isHeld(hold)) this.player.truth.draft(code, this.edit(hold, [hold.from, Math.max(time, hold.from)]));
    }
  }

  // When the video stops, or the page loses the keys.
  stop() {
    for (const [code, hold] of this.holds) if (this.isHeld(hold)) this.commit(code, hold);
    this.holds.clear();
  }

  edit({ label: { name, key, colour } }, span) {
    return { kind: "paint", label: name, key, colour, span };
  }

  commit(code, hold) {
    const { truth } = this.player;
    const plain = [hold.from, hold.last];
    const near = plain.map((time) => truth.snap(time));
    const span = (near[1] > near[0] ? near : plain).map((time) => Math.round(time * 1e6) / 1e6);
    truth.drafts.delete(code);
    if (plain[1] - plain[0] >= LEAST_S) {
      truth.send(this.edit(hold, span));
      this.player.announce(`${hold.label.name}, ${formatTime(span[0], 2)} to ${formatTime(span[1], 2)}, added to the ground truth`);
    }
    this.player.showTruth();
  }
}
