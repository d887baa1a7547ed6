// Small helpers for making elements.

export function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent?.append(node);
  return node;
}

export function button(className, parent, onclick) {
  const node = element("button", className, parent);
  node.type = "button";
  node.onclick = onclick;
  return node;
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
