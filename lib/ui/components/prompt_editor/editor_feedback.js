// Passes to the editor what changes with each edit: a few bytes, so that the editor's own code isn't sent again; and the
// answers, where there is no player that tells them.
const shared = (globalThis[Symbol.for("promptreel.prompts")] ??= { memories: new Map(), feedback: new Map(), editors: new Map() });
const live = (globalThis[Symbol.for("promptreel.live")] ??= Object.assign(new EventTarget(), { states: new Map() }));

export default function ({ data }) {
  if (data.labels) {
    live.states.set(data.key, data);
    live.dispatchEvent(new CustomEvent("state", { detail: data }));
    return;
  }
  shared.feedback.set(data.key, data);
  shared.editors.get(data.key)?.apply(data);
}
