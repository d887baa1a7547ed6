// Keys, while the focus is anywhere in the instrument.

const PLUS = { "+": 0.5, "=": 0.5, "-": 2, _: 2 };

const ANYWHERE = new Set(["[", "]", "t", "T", "n", "p", " "]); // keys that mark ground truth, and play
const LABEL = /^[1-9]$/; // held while the video plays, they paint ground truth
const EDITING = new Set(["[", "]", "t", "T", "Delete", "Backspace"]); // not for an audience
const OWN_SPACE = "button, input, select, summary, a[href], [role=button], [role=radio], [role=tab], [role=option], "
  + "[role=menuitem], [role=combobox], [role=grid], [role=dialog], canvas, video[controls]"; // they do something with it

/** Whether a key that is pressed elsewhere on the page is the player's: it plays or marks ground truth, and isn't typed. */
export function isForPlayer(event, { playback }) {
  if (!ANYWHERE.has(event.key) && !(playback.playing && LABEL.test(event.key))) return false;
  if (event.key === " " && event.composedPath().some((element) => element.matches?.(OWN_SPACE))) return false;
  const target = event.composedPath()[0];
  return !(target?.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target?.tagName) && target.type !== "checkbox");
}

// Runs the command of a key; returns false where the key has none.
export function press(player, event) {
  if (player.edges.press(event, event.composedPath()[0])) return true;
  if (event.altKey || event.ctrlKey || event.metaKey) return false;
  const { playback, commands } = player;
  const { key, shiftKey, target, repeat } = event;
  if (key === "?") {
    commands.help();
    return true;
  }
  if (player.sheet.open) return false;
  if (player.thresholds.press(event)) return true;
  const tag = event.composedPath()[0]?.tagName ?? target.tagName;
  if (tag === "SELECT" || (tag === "INPUT" && !isForPlayer(event, player))) return false;
  if (key === " " || key === "Enter") {
    if (tag === "BUTTON" || key === "Enter") return false; // a button has its own action
    playback.toggle();
    return true;
  }
  if (!playback.src || (player.data.presented && EDITING.has(key))) return false;
  switch (key) {
    case "ArrowLeft":
    case "ArrowRight": {
      const direction = key === "ArrowLeft" ? -1 : 1;
      if (shiftKey) commands.seek(playback.time + direction);
      else commands.step(direction);
      break;
    }
    case "ArrowUp":
    case "ArrowDown":
      return commands.toSegment(key === "ArrowUp" ? -1 : 1, shiftKey);
    case "Home":
      commands.seek(playback.first);
      break;
    case "End":
      commands.seek(playback.end);
      break;
    case "[":
    case "]":
      commands.setMark(key === "[" ? 0 : 1);
      break;
    case "t":
    case "T": {
      const mark = (time) => commands.addTruth(time);
      if (!player.painting.press(event, player.row, mark) && !repeat) mark();
      break;
    }
    case "n":
    case "p":
      return commands.toAnySegment(key === "n" ? 1 : -1);
    case "Delete":
    case "Backspace":
      return player.truth.remove();
    case "d":
    case "D":
      return commands.toDifference(shiftKey ? -1 : 1);
    case "l":
    case "L":
      commands.toggleLoop();
      break;
    case "m":
    case "M":
      commands.toggleSound();
      break;
    case "f":
    case "F":
      commands.toggleFullScreen();
      break;
    case "v":
    case "V":
      commands.toggleSees();
      break;
    case "Escape":
      return commands.clear();
    default:
      if (/^[0-9]$/.test(key)) {
        const tenth = () => commands.toTenth(Number(key));
        if (!player.painting.press(event, Number(key) - 1, tenth) && !repeat) tenth();
      } else if (PLUS[key]) commands.zoomAtPlayhead(PLUS[key]);
      else return false;
  }
  return true;
}
