// A handle in the lanes: dragged by mouse and touch, and with the focus for keys.

// `act`: drag(event) while it is dragged, done(cancelled) once it is let go of, or has lost the focus.
export function makeHandle(area, className, orientation, act) {
  const handle = document.createElement("div");
  handle.className = className;
  handle.tabIndex = 0;
  handle.setAttribute("role", "slider");
  handle.setAttribute("aria-orientation", orientation);
  handle.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.stopPropagation();
    handle.setPointerCapture(event.pointerId);
    handle.dragged = true;
  });
  handle.addEventListener("pointermove", (event) => {
    event.stopPropagation();
    if (handle.dragged) act.drag(event);
  });
  for (const type of ["pointerup", "pointercancel"]) {
    handle.addEventListener(type, (event) => {
      event.stopPropagation();
      handle.dragged = false;
      act.done(type === "pointercancel");
    });
  }
  handle.addEventListener("dblclick", (event) => event.stopPropagation());
  handle.addEventListener("blur", () => act.done(false));
  area.append(handle);
  return handle;
}

// Says what a handle is, for screen readers and the mouse.
export function describeHandle(handle, { label, title, low, high, now, text }) {
  handle.title = title;
  const values = { label, valuemin: low, valuemax: high, valuenow: now, valuetext: text };
  for (const [name, value] of Object.entries(values)) handle.setAttribute(`aria-${name}`, value);
}
