// What was changed in the lanes, as Python hears of it: each with its number, in order.

const KEPT = 50; // that are sent together at most

export class Edits {
  constructor(player) {
    this.player = player;
    this.count = 0;
    this.last = [];
    this.answered = 0; // so many are in what Python drew last
  }

  // Two edits may come within one run: the last ones are sent again, and Python takes those that it hasn't had.
  send(edit) {
    this.count += 1;
    this.last = [...this.last, edit].slice(-KEPT);
    this.player.setState("edits", { id: this.player.createdAt, count: this.count, last: this.last });
    return this.count;
  }

  // Python has drawn `count` edits of the player `id`. They aren't sent again: a server that was started anew, and knows of
  // none, would take them for new ones.
  drawn([id, count] = []) {
    if (id !== this.player.createdAt) return;
    this.answered = count;
    this.last = this.last.slice(Math.max(0, this.last.length - Math.max(0, this.count - count)));
  }
}
