/* Requests, errors and latency over the run, with its phases shaded. Drawn for the width at hand. */
const LOG_FROM = 20; /* a range wider than this factor is drawn on a logarithmic scale */

function timeline(doc) {
  const line = part(doc.timeline), all = list(line.seconds), phases = list(line.phases);
  if (all.length === 0) return null;
  const holder = el('div', {class: 'chart'});
  const readout = el('p', {class: 'readout quiet'}, t('Point at the chart to read a moment.'));
  const draw = () => {
    const width = Math.max(280, Math.floor(holder.clientWidth || 1040));
    holder.replaceChildren(drawTimeline(all, phases, width, readout));
  };
  if (window.ResizeObserver) {
    let last = 0;
    new ResizeObserver(() => {
      if (holder.clientWidth === last) return;
      last = holder.clientWidth;
      draw();
    }).observe(holder);
  }
  requestAnimationFrame(draw);
  draw();
  return section('timeline', t('Time line'), null, el('div', {class: 'card'},
    el('ul', {class: 'legend'}, el('li', {}, el('span', {class: 'swatch k-requests'}), t('answered per second')),
      el('li', {}, el('span', {class: 'swatch k-errors'}), t('of these, errors')),
      el('li', {}, el('span', {class: 'swatch k-latency'}), t('latency, 95th percentile')),
      el('li', {}, el('span', {class: 'swatch k-phase'}), t('faults active'))), holder, readout));
}

/* As many columns as there is room for: rates are means, latency is the worst of the column. */
function columnsOf(all, end, room) {
  const step = Math.max(1, Math.ceil(end / room)), columns = [];
  for (let i = 0; i < Math.ceil(end / step); i++) columns.push({t: i * step, step, n: 0, requests: 0, errors: 0, p95: null});
  for (const s of all) {
    const c = columns[Math.min(columns.length - 1, Math.floor(s.t / step))];
    if (!c) continue;
    c.requests += (s.requests || 0) / step;
    c.errors += (s.errors || 0) / step;
    if (isNumber(s.p95_ms)) c.p95 = Math.max(c.p95 || 0, s.p95_ms);
  }
  return columns;
}

function niceCeil(value) {
  const unit = Math.pow(10, Math.floor(Math.log10(value || 1)));
  return [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].map(f => f * unit).find(v => v >= value) || 10 * unit;
}

function latencyScale(columns, top, height) {
  const known = columns.map(c => c.p95).filter(v => v > 0);
  if (known.length === 0) return null;
  const most = Math.max(...known), least = Math.min(...known);
  if (most / least > LOG_FROM) {
    const from = Math.floor(Math.log10(least)), to = Math.max(Math.ceil(Math.log10(most)), from + 1), ticks = [];
    for (let e = from; e <= to; e++) ticks.push(Math.pow(10, e));
    return {ticks, y: v => top + height - height * (Math.log10(Math.max(v, Math.pow(10, from))) - from) / (to - from)};
  }
  const upper = niceCeil(most);
  return {ticks: [0, upper / 2, upper], y: v => top + height - height * v / upper};
}

function timeStep(end, width) {
  const wanted = end / (width / 80);
  return [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400].find(s => s >= wanted) || 604800;
}

function drawTimeline(all, phases, width, readout) {
  const left = 52, right = 8, head = 26, rate = 120, gap = 26, late = 110, foot = 22;
  const height = head + rate + gap + late + foot, room = width - left - right;
  const end = Math.max(1, ...phases.map(p => p.end_s || 0), all.reduce((m, s) => Math.max(m, s.t + 1), 0));
  const columns = columnsOf(all, end, Math.floor(room / 3)), x = t => left + room * Math.min(t, end) / end;
  const most = niceCeil(columns.reduce((m, c) => Math.max(m, c.requests), 1)), y = v => head + rate - rate * v / most;
  const scale = latencyScale(columns, head + rate + gap, late);
  const root = svg('svg', {width, height, viewBox: '0 0 ' + width + ' ' + height, role: 'img',
    'aria-label': t('Requests, errors and latency over {1}', seconds(end))});
  phases.forEach(p => root.append(phaseBand(p, x, head, height - foot)));
  [0, most / 2, most].forEach(v => root.append(gridLine(left, width - right, y(v), whole(v))));
  if (scale) scale.ticks.forEach(v => root.append(gridLine(left, width - right, scale.y(v), v ? millis(v).replace('.0', '') : '0')));
  for (let t = 0, step = timeStep(end, room); t <= end; t += step) {
    root.append(svg('text', {class: 'axis', x: x(t), y: height - 6, 'text-anchor': t === 0 ? 'start' : x(t) > width - 26 ? 'end' : 'middle'},
      end >= 600 ? Math.round(t / 60) + ' min' : t + ' s'));
  }
  root.append(svg('g', {}, columns.map(c => bars(c, x, y, head + rate))));
  if (scale) root.append(latencyLine(columns, x, scale));
  root.append(cursor(columns, phases, x, head, height - foot, root, left, room, end, readout));
  return root;
}

/* Which phases had faults is said by the document; an older one only has their names. */
const isFaulty = p => (Array.isArray(p.faults) ? p.faults.length > 0 : !/calm|recover|warm/i.test(String(p.name)));

function phaseBand(p, x, top, bottom) {
  const from = x(p.start_s || 0), to = x(p.end_s || 0), wide = Math.max(0, to - from), name = String(p.name);
  const fits = Math.floor((wide - 8) / 6.3), faulty = isFaulty(p);
  return svg('g', {},
    svg('rect', {class: 'phase' + (faulty ? ' faulty' : ''), x: from, y: 0, width: wide, height: bottom}),
    svg('line', {class: 'edge', x1: from, x2: from, y1: 0, y2: bottom}),
    svg('title', {}, name + (faulty && p.faults ? ': ' + p.faults.join(', ') : '')),
    fits >= 3 && svg('text', {class: 'phase-name', x: from + 5, y: 15},
      name.length > fits ? name.slice(0, fits - 1) + '…' : name));
}

function gridLine(from, to, at, text) {
  return svg('g', {}, svg('line', {class: 'grid', x1: from, x2: to, y1: at, y2: at}),
    svg('text', {class: 'axis', x: from - 6, y: at + 4, 'text-anchor': 'end'}, text));
}

function bars(c, x, y, base) {
  const from = x(c.t), wide = Math.max(1, x(c.t + c.step) - from - 1);
  return [
    c.requests > 0 && svg('rect', {class: 'k-requests', x: from, y: y(c.requests), width: wide, height: Math.max(0, base - y(c.requests))}),
    c.errors > 0 && svg('rect', {class: 'k-errors', x: from, y: y(c.errors), width: wide, height: Math.max(0, base - y(c.errors))}),
  ];
}

function latencyLine(columns, x, scale) {
  let path = '', drawing = false;
  for (const c of columns) {
    if (!isNumber(c.p95)) { drawing = false; continue; }
    path += (drawing ? 'L' : 'M') + x(c.t + c.step / 2).toFixed(1) + ' ' + scale.y(c.p95).toFixed(1);
    if (!drawing) path += 'h0.01';
    drawing = true;
  }
  return svg('path', {class: 'latency', d: path});
}

function cursor(columns, phases, x, top, bottom, root, left, room, end, readout) {
  const line = svg('line', {class: 'cursor', y1: top, y2: bottom, visibility: 'hidden'});
  root.addEventListener('pointermove', event => {
    const t = (event.clientX - root.getBoundingClientRect().left - left) / room * end;
    const c = columns.find(one => t >= one.t && t < one.t + one.step);
    if (!c) return;
    const phase = phases.find(p => t >= p.start_s && t < p.end_s);
    line.setAttribute('x1', x(c.t + c.step / 2));
    line.setAttribute('x2', x(c.t + c.step / 2));
    line.setAttribute('visibility', 'visible');
    readout.textContent = t('At {1} s{2}: {3} answered a second, {4} errors, 95th percentile {5}', c.t, phase ? ', ' + phase.name : '',
      c.requests.toFixed(c.step > 1 ? 1 : 0), c.errors.toFixed(c.step > 1 ? 1 : 0), millis(c.p95));
  });
  root.addEventListener('pointerleave', () => line.setAttribute('visibility', 'hidden'));
  return line;
}
