// Small plots in SVG: a line over time, and a list that fills. Each says in words what it draws.

const SVG = 'http://www.w3.org/2000/svg';

function svg(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function canvas(label) {
  return svg('svg', { class: 'plot', viewBox: '0 0 100 40', preserveAspectRatio: 'none', role: 'img', 'aria-label': label });
}

/** The last values, the newest at the right; `room` of them fill the width. */
export function line(values, room, label) {
  const plot = canvas(label);
  const top = Math.max(...values, 1e-9);
  const points = values.map((value, n) => `${(100 * (room - values.length + n + 1)) / room},${38 - (34 * value) / top}`);
  if (points.length === 1) points.unshift(points[0].replace(/^[\d.]+/, '0'));
  const [first, last] = [points[0].split(',')[0], points.at(-1).split(',')[0]];
  plot.append(svg('path', { class: 'area', d: `M${first},40 L${points.join(' L')} L${last},40 Z` }));
  plot.append(svg('path', { class: 'line', d: `M${points.join(' L')}` }));
  return plot;
}

/** Steps: [instant, count], from one instant to another, with a mark. */
export function steps(points, from, to, mark, label) {
  const plot = canvas(label);
  const x = (at) => (100 * Math.min(Math.max(at - from, 0), to - from)) / (to - from);
  const top = Math.max(...points.map(([, count]) => count), 1);
  const y = (count) => 39 - (36 * count) / top;
  let path = `M0,${y(0)}`;
  const now = Math.max(mark.now, from); // a quarter of an hour that is not over yet ends here
  for (const [at, count] of points) path += ` H${x(Math.min(at, now))} V${y(count)}`;
  path += ` H${x(now)}`;
  plot.append(svg('path', { class: 'area', d: `${path} V40 H0 Z` }), svg('path', { class: 'line', d: path }));
  plot.append(svg('path', { class: 'mark', d: `M${x(mark.deadline)},0 V40` }));
  return plot;
}
