/* Tables that can be sorted: routes, error journeys, peers, processes; and the collapsed lists. */
function sortable(label, columns, rows) {
  const body = el('tbody', {});
  let by = -1, up = true;
  const render = () => {
    const order = rows.map((row, i) => ({row, i}));
    if (by >= 0) {
      const key = columns[by].key;
      order.sort((a, b) => compare(key(a.row), key(b.row), up) || a.i - b.i);
    }
    body.replaceChildren(...order.map(({row}) => el('tr', {}, columns.map(c =>
      el('td', {class: c.kind || null, 'data-label': c.head}, c.cell(row))))));
  };
  const heads = columns.map((c, i) => {
    const button = el('button', {type: 'button'}, c.head);
    const th = el('th', {scope: 'col', class: c.kind || null}, button);
    button.addEventListener('click', () => {
      up = by === i ? !up : c.kind !== 'num';
      by = i;
      heads.forEach(h => h.removeAttribute('aria-sort'));
      th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      render();
    });
    return th;
  });
  render();
  return scroller(label, el('table', {class: 'plain sortable'}, el('thead', {}, el('tr', {}, heads)), body));
}

/* What is not known comes last, whichever way the rest goes. */
function compare(a, b, up) {
  const empty = v => v === null || v === undefined || Number.isNaN(v);
  if (empty(a) || empty(b)) return empty(a) - empty(b);
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
  return up ? order : -order;
}

function change(r) {
  const a = part(r.calm).p95_ms, b = part(r.fault).p95_ms;
  return a > 0 && isNumber(b) ? b / a : null;
}

function routes(doc) {
  const rows = list(doc.routes);
  if (rows.length === 0) return null;
  const of = (when, key, show) => ({head: key === 'count' ? when : key.replace('_ms', ''), kind: 'num',
    key: r => part(r[when])[key], cell: r => show(part(r[when])[key])});
  const errors = when => ({head: 'errors', kind: 'num', key: r => part(r[when]).errors, cell: r => {
    const t = part(r[when]);
    return t.errors > 0 ? el('span', {class: 'bad-text'}, whole(t.errors), ' (' + percent(t.errors / t.count) + ')') : whole(t.errors);
  }});
  const side = when => [of(when, 'count', whole), of(when, 'p50_ms', millis), of(when, 'p95_ms', millis), of(when, 'p99_ms', millis), errors(when)];
  const factor = {head: 'p95 ×', kind: 'num', key: change, cell: r => {
    const f = change(r);
    return f === null ? '–' : el('span', {class: f >= 3 ? 'bad-text' : ''}, f.toFixed(f < 10 ? 1 : 0));
  }};
  return section('routes', 'Routes', 'The same routes while no fault was active (calm) and while one was (fault).',
    el('div', {class: 'card'}, sortable('Routes', [
      {head: 'route', key: r => r.route, cell: r => el('code', {}, r.route)}, ...side('calm'), ...side('fault'), factor], rows)));
}

function statusBadge(code) {
  if (!isNumber(code)) return el('span', {class: 'quiet'}, 'none');
  return el('span', {class: 'status c' + Math.floor(code / 100)}, code);
}

function journeys(doc) {
  const rows = list(doc.journeys);
  if (rows.length === 0) return null;
  const steps = text => String(text).split(' > ').map((s, i) => [i > 0 && el('span', {class: 'arrow'}, ' → '), el('code', {}, s)]);
  return section('journeys', ['What became of errors', 'Errors'], 'From the failed call to the answer that the user got.',
    el('div', {class: 'card'}, sortable('Error journeys', [
      {head: 'operation', key: r => r.operation, cell: r => el('code', {}, r.operation)},
      {head: 'error', key: r => r.errno, cell: r => [r.errno ? el('code', {}, r.errno) : 'delay',
        !r.injected && el('span', {class: 'tag'}, 'real')]},
      {head: 'exception', key: r => r.exception, cell: r => (r.exception ? steps(r.exception) : '–')},
      {head: 'caught by', key: r => r.handler, cell: r => (r.handler ? el('span', {class: 'place'}, r.handler) : 'not seen')},
      {head: 'status', key: r => r.status, cell: r => statusBadge(r.status)},
      {head: 'times', kind: 'num', key: r => r.count, cell: r => whole(r.count)}], rows)));
}

function verdictLists(doc) {
  const group = (id, title, why, rows) => el('details', {class: 'card fold', id},
    el('summary', {}, title, el('span', {class: 'count'}, rows.length), el('span', {class: 'quiet'}, why)),
    rows.length === 0 ? el('p', {class: 'quiet'}, 'None.') : el('ul', {class: 'verdicts'}, rows.map(r => el('li', {},
      el('p', {}, el('code', {class: 'rule'}, r.rule), ' ', el('b', {}, r.title), r.site && [' · ', qualified(r.site)]),
      el('p', {class: 'quiet'}, r.reason), r.how && el('p', {class: 'how'}, el('code', {}, r.how))))));
  return section('rest', ['Everything else that was looked at', 'The rest'], null,
    group('passed', 'Passed', 'put to the test and held', list(doc.passed)),
    group('not-exercised', 'Not exercised', 'applies here, but no fault put it to the test', list(doc.not_exercised)),
    group('unclear', 'Unclear', 'the evidence is missing or contradicts itself', list(doc.unclear)),
    group('not-applicable', 'Not applicable', 'the thing does not exist here', list(doc.not_applicable)));
}

function surroundings(doc) {
  const peers = list(doc.peers), processes = list(doc.processes);
  return section('around', ['Peers and processes', 'Peers'], null, el('div', {class: 'pair'},
    el('div', {class: 'card'}, el('h3', {}, 'Peers'), peers.length === 0 ? el('p', {class: 'quiet'}, 'None were seen.') : sortable('Peers', [
      {head: 'peer', key: p => p.name, cell: p => el('code', {}, p.name)}, {head: 'role', key: p => p.role, cell: p => p.role || '–'},
      {head: 'calls', kind: 'num', key: p => p.calls, cell: p => whole(p.calls)},
      {head: 'faults', kind: 'num', key: p => p.faults, cell: p => whole(p.faults)},
      {head: 'real failures', kind: 'num', key: p => p.failures, cell: p => whole(p.failures)}], peers)),
    el('div', {class: 'card'}, el('h3', {}, 'Processes'), sortable('Processes', [
      {head: 'pid', kind: 'num', key: p => p.pid, cell: p => p.pid}, {head: 'command', key: p => p.command, cell: p => el('code', {class: 'wrap'}, p.command)},
      {head: 'python', key: p => p.python, cell: p => p.python || '–'},
      {head: 'exit', kind: 'num', key: p => p.exit, cell: p => (isNumber(p.exit) ? p.exit : '–')}], processes))));
}

function method(doc) {
  const run = part(doc.run), blind = list(doc.blind_spots);
  return section('method', ['Method and blind spots', 'Method'], null, el('div', {class: 'pair'},
    el('div', {class: 'card'}, el('h3', {}, 'Evidence at hand'), el('ul', {class: 'tiers'}, list(run.tiers).map(t =>
      el('li', {class: t.available ? '' : 'missing'}, el('span', {class: 'tick-box', 'aria-hidden': 'true'}),
        el('span', {}, el('b', {}, t.name), el('span', {class: 'sr'}, t.available ? ' available' : ' missing'),
          t.note && el('span', {class: 'quiet'}, ' ' + t.note)))))),
    el('div', {class: 'card'}, el('h3', {}, 'What could not be seen'),
      blind.length === 0 ? el('p', {class: 'quiet'}, 'Nothing is known to be missing.') : el('ul', {class: 'blind'}, blind.map(b => el('li', {}, b))),
      el('p', {class: 'quiet'}, plural(run.lost_events || 0, 'event') + ' lost.'),
      el('h3', {}, 'Versions'), el('dl', {class: 'versions'}, Object.entries(part(run.versions)).map(([name, version]) =>
        el('div', {}, el('dt', {}, name), el('dd', {}, String(version))))))),
    el('p', {class: 'quiet method'}, 'The score is the mean over what was judged, weighted by how much is at stake and how sure we are. ' +
      'What was not judged lowers nothing and raises nothing: it widens the interval. The lower end is the score if all of it failed, the upper end if all of it passed.'));
}
