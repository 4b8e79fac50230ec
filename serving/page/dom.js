/**
 * Elements, made without any HTML in strings: whatever comes from outside becomes text.
 */

const SVG = "http://www.w3.org/2000/svg";

/** Return an element with attributes and children; `null` and `false` among either are left out. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same in SVG. */
export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** The element with this id. */
export function byId(id) {
  return document.getElementById(id);
}

const shown = new WeakMap();

/**
 * Give an element new children, made by `build`, where `data` is not what they were made from last time: what
 * has not changed is left alone, so that nobody reading it, selecting it or standing on it is disturbed.
 */
export function show(parent, data, build) {
  const key = JSON.stringify(data);
  if (shown.get(parent) === key) return;
  shown.set(parent, key);
  const built = build();
  parent.replaceChildren(...(Array.isArray(built) ? built : [built]).filter((each) => each !== null));
}

/** Set a text where it is another one. */
export function tell(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((each) => each !== null && each !== false));
  return node;
}
