// Small helpers for making elements.

export function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent?.append(made);
  return made;
}

export function button(className, parent, onclick) {
  const made = element("button", className, parent);
  made.type = "button";
  made.onclick = onclick;
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(path, parent) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  parent.append(svg);
  return svg;
}
