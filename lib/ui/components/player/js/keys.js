// Keys, while the focus is anywhere in the instrument.

const PLUS = { "+": 0.5, "=": 0.5, "-": 2, _: 2 };

// Does what a key stands for; false where it stands for nothing here.
export function press(host, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return false;
  const { key, shiftKey, target } = event;
  if (key === "?") {
    host.help();
    return true;
  }
  if (host.sheet.open) return false;
  const tag = event.composedPath()[0]?.tagName ?? target.tagName;
  if (tag === "SELECT" || tag === "INPUT") return false;
  if (key === " " || key === "Enter") {
    if (tag === "BUTTON" || key === "Enter") return false; // a button does its own thing
    host.playback.toggle();
    return true;
  }
  if (!host.playback.src) return false;
  const { playback } = host;
  switch (key) {
    case "ArrowLeft":
    case "ArrowRight": {
      const direction = key === "ArrowLeft" ? -1 : 1;
      if (shiftKey) host.seek(playback.time + direction);
      else host.step(direction);
      break;
    }
    case "ArrowUp":
    case "ArrowDown":
      return host.toSegment(key === "ArrowUp" ? -1 : 1);
    case "Home":
      host.seek(0);
      break;
    case "End":
      host.seek(playback.duration);
      break;
    case "[":
    case "]":
      host.setMark(key === "[" ? 0 : 1);
      break;
    case "d":
    case "D":
      return host.toDifference(shiftKey ? -1 : 1);
    case "l":
    case "L":
      host.toggleLoop();
      break;
    case "m":
    case "M":
      playback.video.muted = !playback.video.muted;
      break;
    case "Escape":
      return host.clear();
    default:
      if (/^[0-9]$/.test(key)) host.seek((playback.duration * Number(key)) / 10);
      else if (PLUS[key]) host.zoomAtPlayhead(PLUS[key]);
      else return false;
  }
  return true;
}
